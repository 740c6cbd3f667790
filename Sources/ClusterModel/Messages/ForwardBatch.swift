// What gateways and the nodes they forward to exchange, as arenas: many commands or replies, one frame.

/// Commands for one node, in order. Layout, integers little-endian, repeated to the end of the payload:
///
/// | size | field |
/// |---|---|
/// | 8 | session |
/// | 8 | request |
/// | 4 | attempt |
/// | 8 | keyspace |
/// | 8 | shard |
/// | 8 | epoch |
/// | 1 | protocol version of the client, 2 or 3 |
/// | 4 | number of arguments, at least 1 |
/// | 4 + n | each argument: length, bytes |
public final class ForwardBatch {
    /// Most bytes of commands or of replies that one peer frame takes, with room for any frame's header.
    public static let framePayload = Limits.frameBytes - 64

    public private(set) var bytes = ByteBuffer(capacity: 4096)
    public private(set) var count = 0

    /// Longest command that fits a frame: bytes of its arguments, each counted with 16 more. Longer ones are refused
    /// before they are given to a batch.
    public static let longestCommand = Limits.frameBytes - 1024

    public init() {}

    public var isEmpty: Bool { count == 0 }

    /// Adds a command; `arguments` are given one by one to `append`.
    public func begin(_ command: ForwardedCommand, arguments: Int) {
        bytes.append(littleEndian: command.session)
        bytes.append(littleEndian: command.request)
        bytes.append(littleEndian: command.attempt)
        bytes.append(littleEndian: command.keyspace.rawValue)
        bytes.append(littleEndian: command.shard.rawValue)
        bytes.append(littleEndian: command.epoch.rawValue)
        bytes.append(command.protocolVersion)
        bytes.append(littleEndian: UInt32(truncatingIfNeeded: arguments))
        count += 1
    }

    public func append(argument: ByteView) {
        bytes.append(littleEndian: UInt32(truncatingIfNeeded: argument.count))
        bytes.append(argument)
    }

    public func removeAll() {
        bytes.removeAll()
        bytes.shrink(above: 1 << 20)
        count = 0
    }
}

/// Reads the payload of a `ForwardBatch`; malformed bytes end it with `isDamaged`, and never trap.
public struct ForwardCursor {
    private var rest: ByteView
    public private(set) var isDamaged = false

    public init(_ payload: ByteView) { rest = payload }

    /// Bytes not read yet.
    public var remaining: Int { rest.count }

    /// The next command; its arguments are appended to `arguments` as views into the payload.
    public mutating func next(into arguments: inout [ByteView]) -> ForwardedCommand? {
        guard rest.count > 0 else { return nil }
        guard rest.count >= 49 else { return damaged() }
        let command = ForwardedCommand(
            session: word(0), attempt: half(16), request: word(8), keyspace: KeyspaceID(rawValue: word(20)),
            shard: ShardID(rawValue: word(28)), epoch: Epoch(rawValue: word(36)), protocolVersion: rest[44])
        let count = Int(half(45))
        guard count >= 1, count <= Limits.arguments else { return damaged() }
        var place = 49
        for _ in 0..<count {
            guard rest.count - place >= 4 else { return damaged() }
            let length = Int(half(place))
            guard rest.count - place - 4 >= length else { return damaged() }
            arguments.append(rest[place + 4..<place + 4 + length])
            place += 4 + length
        }
        rest = rest[place..<rest.count]
        return command
    }

    private mutating func damaged() -> ForwardedCommand? {
        isDamaged = true
        rest = .empty
        return nil
    }

    private func word(_ place: Int) -> UInt64 {
        unsafe UInt64(littleEndian: rest.raw.loadUnaligned(fromByteOffset: place, as: UInt64.self))
    }

    private func half(_ place: Int) -> UInt32 {
        unsafe UInt32(littleEndian: rest.raw.loadUnaligned(fromByteOffset: place, as: UInt32.self))
    }
}

/// What became of a forwarded command.
public enum ForwardOutcome: UInt8, Sendable {
    /// The body is the reply in RESP, in the protocol version that was asked for.
    case reply = 0
    /// Not executed; the body is the node's own newer configuration of the shard, or empty.
    case stale = 1
    /// Not executed and not stale: no serving primary just now, or refused behind a refused one of the same attempt.
    case tryAgain = 2
}

/// Replies to forwarded commands. Layout, integers little-endian, repeated to the end of the payload:
///
/// | size | field |
/// |---|---|
/// | 8 | request |
/// | 1 | outcome |
/// | 4 + n | body: length, bytes |
public final class ForwardReplyBatch {
    public private(set) var bytes = ByteBuffer(capacity: 4096)

    public init() {}

    public var isEmpty: Bool { bytes.isEmpty }

    /// Longest reply that fits a frame; the client could not be sent a longer one anyway (`Limits.outputBytes`).
    public static let longestBody = Limits.frameBytes - 1024

    /// Adds a reply. A longer one than `longestBody` is replaced by an error that says so.
    public func append(request: UInt64, _ outcome: ForwardOutcome, body: ByteView) {
        let body = body.count <= Self.longestBody ? body : ByteView("-ERR the reply is too long: above 64 MiB\r\n")
        bytes.append(littleEndian: request)
        bytes.append(outcome.rawValue)
        bytes.append(littleEndian: UInt32(truncatingIfNeeded: body.count))
        bytes.append(body)
    }

    public func removeAll() {
        bytes.removeAll()
        bytes.shrink(above: 1 << 20)
    }
}

/// Reads the payload of a `ForwardReplyBatch`; malformed bytes end it with `isDamaged`, and never trap.
public struct ForwardReplyCursor {
    private var rest: ByteView
    public private(set) var isDamaged = false

    public init(_ payload: ByteView) { rest = payload }

    /// Bytes not read yet.
    public var remaining: Int { rest.count }

    public mutating func next() -> (request: UInt64, outcome: ForwardOutcome, body: ByteView)? {
        guard rest.count > 0 else { return nil }
        guard rest.count >= 13, let outcome = ForwardOutcome(rawValue: rest[8]) else { return damaged() }
        let request = unsafe UInt64(littleEndian: rest.raw.loadUnaligned(fromByteOffset: 0, as: UInt64.self))
        let length = unsafe Int(UInt32(littleEndian: rest.raw.loadUnaligned(fromByteOffset: 9, as: UInt32.self)))
        guard rest.count - 13 >= length else { return damaged() }
        let body = rest[13..<13 + length]
        rest = rest[13 + length..<rest.count]
        return (request, outcome, body)
    }

    private mutating func damaged() -> (request: UInt64, outcome: ForwardOutcome, body: ByteView)? {
        isDamaged = true
        rest = .empty
        return nil
    }
}

/// Cuts payloads that are longer than a frame between their items.
public enum ForwardFrames {
    /// Parts of a `ForwardBatch`'s payload, each at most `limit` bytes long if no command alone is longer.
    public static func ofCommands(_ payload: ByteView, limit: Int) -> [ByteView] {
        var cursor = ForwardCursor(payload)
        var arguments: [ByteView] = []
        return parts(payload, limit) {
            arguments.removeAll(keepingCapacity: true)
            return cursor.next(into: &arguments) == nil ? nil : payload.count - cursor.remaining
        }
    }

    /// Parts of a `ForwardReplyBatch`'s payload, likewise.
    public static func ofReplies(_ payload: ByteView, limit: Int) -> [ByteView] {
        var cursor = ForwardReplyCursor(payload)
        return parts(payload, limit) { cursor.next() == nil ? nil : payload.count - cursor.remaining }
    }

    /// - Parameter next: gives the end of the next item, nil behind the last.
    private static func parts(_ payload: ByteView, _ limit: Int, _ next: () -> Int?) -> [ByteView] {
        guard payload.count > limit else { return [payload] }
        var parts: [ByteView] = []
        var (start, end) = (0, 0)
        while let item = next() {
            if item - start > limit, end > start {
                parts.append(payload[start..<end])
                start = end
            }
            end = item
        }
        if end > start { parts.append(payload[start..<end]) }
        return parts
    }
}
