public import ClusterModel

/// Reads the requests of one client connection: multibulk and inline, any number at once, cut anywhere.
///
/// Source: Redis protocol specification; limits and corner cases as networking.c of Redis 7.0. Arguments are views into
/// the received bytes. An incomplete command stays with the caller, which gives it again, from its first byte, with what
/// came behind it; the parser remembers how far it looked, so that a command in many pieces costs no more than its
/// length. It holds memory only for commands of more than `kept` arguments, in proportion to what arrived.
public struct RequestParser: Sendable {
    /// Before AUTH a command may have 10 arguments of 16384 bytes, as in Redis: nobody unknown makes the node hold much.
    public var isAuthenticated = true
    /// Bytes the command at the front has at least; nothing is looked at before they are there.
    private var needed = 0
    /// The line of it whose end is missing.
    private var line = OpenLine()
    /// Arguments of a long command, relative to its first byte.
    private var long = LongCommand()

    /// Commands of so many arguments are read again from their first byte: that is cheaper than to remember them.
    static let kept = 16

    public init() {}

    /// Adds the complete commands at the front of `received` to the batch, at most `limit`.
    ///
    /// - Parameter received: all bytes of the connection that no earlier call consumed.
    /// - Returns: how many bytes were consumed. They must stay where they are until the batch is executed.
    ///   With an error the commands before it are in the batch, and the connection must be closed behind their replies.
    public mutating func parse(
        _ received: ByteView, connection: ConnectionID, into batch: CommandBatch, limit: Int
    ) -> ParseResult {
        guard received.count > 0, received.count >= needed, let base = unsafe received.base else {
            return ParseResult(consumed: 0, commands: 0)
        }
        let end = received.count
        var start = 0
        var commands = 0
        while start < end {
            if commands == limit { return ParseResult(consumed: start, commands: commands, isLimited: true) }
            let first = batch.argumentCount
            let isMultibulk = unsafe base[start] == 0x2A
            let step =
                isMultibulk
                ? unsafe multibulk(base, start, end, into: batch) : unsafe inline(base, start, end, into: batch)
            switch step {
            case .complete(let next):
                if batch.argumentCount > first {
                    batch.finish(connection: connection, first: first)
                    commands &+= 1
                }
                start = next
                needed = 0
                line = OpenLine()
            case .incomplete(let bytes):
                if batch.argumentCount > first + Self.kept {
                    unsafe long.take(batch, from: first, base: base + start)
                }
                batch.truncateArguments(to: first)
                needed = bytes
                return ParseResult(consumed: start, commands: commands)
            case .malformed(let error):
                batch.truncateArguments(to: first)
                return ParseResult(consumed: start, commands: commands, error: error)
            }
        }
        return ParseResult(consumed: start, commands: commands)
    }

    /// What the look at one command gave.
    enum Step {
        case complete(next: Int)
        /// So many bytes it has at least, counted from its first.
        case incomplete(needed: Int)
        case malformed(ProtocolError)
    }

    @inline(__always)
    private mutating func multibulk(
        _ base: UnsafePointer<UInt8>, _ start: Int, _ end: Int, into batch: CommandBatch
    ) -> Step {
        if long.remaining > 0 { return unsafe continueLong(base, start, end, into: batch) }
        var place = start &+ 1
        var count = 0
        switch unsafe number(base, place, end, &line, origin: start) {
        case .number(let value, let next):
            count = value
            place = next
        case .incomplete: return .incomplete(needed: end &- start &+ 1)
        case .tooLong: return .malformed(.tooBigMultibulkCount)
        case .invalid: return .malformed(.invalidMultibulkLength)
        }
        if count > Limits.arguments { return .malformed(.invalidMultibulkLength) }
        if count > 10, !isAuthenticated { return .malformed(.unauthenticatedMultibulkLength) }
        while count > 0 {
            switch unsafe bulk(base, start, &place, end) {
            case .complete(let next):
                batch.append(unsafe ByteView(base: base + place, count: next &- place &- 2))
                place = next
                count &-= 1
            case .incomplete(let bytes):
                long.mark(resume: place - start, remaining: count)
                return .incomplete(needed: bytes)
            case .malformed(let error): return .malformed(error)
            }
        }
        return .complete(next: place)
    }

    /// One argument at `place`, which becomes the place of its first byte only if the argument is complete.
    @inline(__always)
    private mutating func bulk(
        _ base: UnsafePointer<UInt8>, _ start: Int, _ place: inout Int, _ end: Int
    ) -> Step {
        var length = 0
        var body = place
        switch unsafe number(base, place &+ 1, end, &line, origin: start) {
        case .number(let value, let next):
            length = value
            body = next
        case .incomplete: return .incomplete(needed: end &- start &+ 1)
        case .tooLong: return .malformed(.tooBigBulkCount)
        case .invalid:
            if unsafe base[place] != 0x24 { return .malformed(.expectedDollar(got: unsafe base[place])) }
            return .malformed(.invalidBulkLength)
        }
        if unsafe base[place] != 0x24 { return .malformed(.expectedDollar(got: unsafe base[place])) }
        if length < 0 || length > Limits.bulkBytes { return .malformed(.invalidBulkLength) }
        if length > 16384, !isAuthenticated { return .malformed(.unauthenticatedBulkLength) }
        if end &- body < length &+ 2 { return .incomplete(needed: body &- start &+ length &+ 2) }
        place = body
        return .complete(next: body &+ length &+ 2)
    }

    /// Goes on with a command of many arguments; at its end all go to the batch.
    @inline(never)
    private mutating func continueLong(
        _ base: UnsafePointer<UInt8>, _ start: Int, _ end: Int, into batch: CommandBatch
    ) -> Step {
        var place = start + long.resume
        while long.remaining > 0 {
            switch unsafe bulk(base, start, &place, end) {
            case .complete(let next):
                long.append(offset: place - start, count: next - place - 2)
                place = next
                long.resume = place - start
            case .incomplete(let bytes): return .incomplete(needed: bytes)
            case .malformed(let error): return .malformed(error)
            }
        }
        unsafe long.give(batch, base: base + start)
        return .complete(next: place)
    }

    @inline(never)
    private mutating func inline(
        _ base: UnsafePointer<UInt8>, _ start: Int, _ end: Int, into batch: CommandBatch
    ) -> Step {
        let bound = min(end, start + Limits.inlineBytes + 1)
        let place = unsafe find(10, base, start + line.searched, bound)
        guard place >= 0 else {
            if end - start > Limits.inlineBytes { return .malformed(.tooBigInline) }
            line.searched = end - start
            return .incomplete(needed: end - start + 1)
        }
        let hasReturn = place > start ? unsafe base[place - 1] == 13 : false
        let text = unsafe ByteView(base: base + start, count: place - start - (hasReturn ? 1 : 0))
        let first = batch.argumentCount
        guard InlineArguments.split(text, into: batch) else { return .malformed(.unbalancedQuotes) }
        if batch.argumentCount > first {
            let name = batch.arguments[first]
            if name.equalsIgnoringCase("post") || name.equalsIgnoringCase("host:") { return .malformed(.httpRequest) }
        }
        return .complete(next: place + 1)
    }
}

/// The arguments of a command that has many and is not complete: offsets from its first byte.
struct LongCommand: Sendable {
    private struct Piece {
        var offset: Int
        var count: Int
    }

    private var pieces: [Piece] = []
    /// Where the next argument begins.
    var resume = 0
    /// Arguments still to come while pieces are held here; else 0.
    private(set) var remaining = 0
    private var pending = 0

    /// Notes where the look at a command ended, for `take`.
    @inline(__always) mutating func mark(resume: Int, remaining: Int) {
        self.resume = resume
        pending = remaining
    }

    /// Takes the arguments over that the batch has of it, to go on from the mark.
    mutating func take(_ batch: CommandBatch, from first: Int, base: UnsafePointer<UInt8>) {
        remaining = pending
        for index in first..<batch.argumentCount {
            let view = batch.arguments[index]
            let offset = unsafe view.base.map { unsafe $0 - base } ?? 0
            pieces.append(Piece(offset: offset, count: view.count))
        }
    }

    mutating func append(offset: Int, count: Int) {
        pieces.append(Piece(offset: offset, count: count))
        remaining -= 1
    }

    mutating func give(_ batch: CommandBatch, base: UnsafePointer<UInt8>) {
        for piece in pieces { batch.append(unsafe ByteView(base: base + piece.offset, count: piece.count)) }
        self = LongCommand()
    }
}
