public import ClusterModel

/// Reads replies from a stream of bytes, cut anywhere. Each byte is looked at once or twice, however it arrives, and
/// memory follows the bytes that arrived, never a declared length.
public struct ReplyParser: Sendable {
    /// Deepest nesting; Redis's own replies have fewer than ten levels.
    public static let depth = 64
    /// Longest line: errors and numbers.
    public static let lineBytes = 64 << 10

    /// Bytes not parsed yet, from `head` on.
    private var pending: [UInt8] = []
    private var head = 0
    /// Bytes from `head` that hold no end of the line that begins there.
    private var searched = 0
    /// Bytes from `head` on that the value there has at least.
    private var needed = 0
    /// Aggregates that have begun, outermost first.
    private var open: [Aggregate] = []

    public init() {}

    /// Adds what was received.
    public mutating func append(_ received: ByteView) { unsafe pending.append(contentsOf: received.buffer) }

    /// Adds what was received.
    public mutating func append(_ received: some Collection<UInt8>) { pending.append(contentsOf: received) }

    /// Whether a reply has begun and is not complete.
    public var isInsideReply: Bool { !open.isEmpty || head < pending.count }

    /// The next complete reply, or nil if more bytes are needed. Attributes of RESP3 are left out.
    public mutating func next() throws(ReplyError) -> RESPValue? {
        while true {
            guard let token = try token() else {
                discardParsed()
                return nil
            }
            switch token {
            case .value(let value):
                if open.isEmpty { return value }
                open[open.count - 1].items.append(value)
                if let whole = closeFinished() { return whole }
            case .opened(let aggregate):
                guard open.count < Self.depth else { throw .tooDeep }
                open.append(aggregate)
                if let whole = closeFinished() { return whole }
            }
        }
    }

    /// Closes aggregates that have all their items; gives back the reply that this completes.
    private mutating func closeFinished() -> RESPValue? {
        while let last = open.last, last.isComplete {
            open.removeLast()
            guard let value = last.value else { continue }
            if open.isEmpty { return value }
            open[open.count - 1].items.append(value)
        }
        return nil
    }

    /// Bytes parsed are dropped when they are at least half, so that each byte moves once at most.
    private mutating func discardParsed() {
        if head == pending.count {
            if pending.count > 1 << 20 { pending = [] } else { pending.removeAll(keepingCapacity: true) }
            head = 0
        } else if head > 4096, head > pending.count / 2 {
            pending.removeFirst(head)
            head = 0
        }
    }

    private enum Token {
        case value(RESPValue)
        case opened(Aggregate)
    }

    /// Reads one value, or the beginning of an aggregate, at `head`.
    private mutating func token() throws(ReplyError) -> Token? {
        guard pending.count - head >= max(needed, 1) else { return nil }
        guard let end = try lineEnd() else { return nil }
        let type = pending[head]
        let first = head + 1
        switch type {
        case 0x24, 0x21, 0x3D:
            guard let value = try string(type, first, end) else { return nil }
            return .value(value)
        case 0x2A, 0x7E, 0x3E, 0x25, 0x7C:
            let count = try length(first, end)
            advance(to: end + 2)
            guard count >= 0 else {
                guard type == 0x2A else { throw .invalidNumber }
                return .value(.null)
            }
            return .opened(Aggregate(type: type, count: count))
        default:
            let value = try line(type, first, end)
            advance(to: end + 2)
            return .value(value)
        }
    }

    private mutating func advance(to place: Int) {
        head = place
        searched = 0
        needed = 0
    }

    /// The place of the CR LF that ends the line at `head`.
    private mutating func lineEnd() throws(ReplyError) -> Int? {
        let bound = min(pending.count, head + Self.lineBytes + 2)
        let (from, origin) = (head + searched, head)
        let found = unsafe pending.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return -1 }
            var place = unsafe find(13, base, from, bound)
            while place >= 0, place + 1 < bound, unsafe base[place + 1] != 10 {
                place = unsafe find(13, base, place + 1, bound)
            }
            return place
        }
        if found >= 0, found + 1 < bound { return found }
        guard pending.count - origin < Self.lineBytes + 2 else { throw .tooLongLine }
        searched = (found >= 0 ? found : pending.count) - origin
        return nil
    }

    private func number(_ first: Int, _ end: Int) -> Int? {
        // RESP3 allows a plus sign.
        let start = first < end && pending[first] == 0x2B ? first + 1 : first
        return pending.withByteView { strictInteger($0[start..<max(start, end)]) }
    }

    private func length(_ first: Int, _ end: Int) throws(ReplyError) -> Int {
        guard let value = number(first, end), value >= -1, value <= Limits.bulkBytes else { throw .invalidNumber }
        return value
    }

    /// `$`, `!` and `=`: a length, then so many bytes.
    private mutating func string(_ type: UInt8, _ first: Int, _ end: Int) throws(ReplyError) -> RESPValue? {
        let count = try length(first, end)
        guard count >= 0 else {
            guard type == 0x24 else { throw .invalidNumber }
            advance(to: end + 2)
            return .null
        }
        let body = end + 2
        guard pending.count - body >= count + 2 else {
            needed = body - head + count + 2
            return nil
        }
        guard pending[body + count] == 13, pending[body + count + 1] == 10 else { throw .missingLineEnd }
        let bytes = Array(pending[body..<body + count])
        advance(to: body + count + 2)
        switch type {
        case 0x24: return .bulkString(bytes)
        case 0x21: return .error(bytes)
        default:
            guard count >= 4, bytes[3] == 0x3A else { throw .invalidNumber }
            return .verbatim(format: Array(bytes[0..<3]), Array(bytes[4...]))
        }
    }

    /// Types that are one line.
    private func line(_ type: UInt8, _ first: Int, _ end: Int) throws(ReplyError) -> RESPValue {
        // A line of a CR LF alone has no type byte: `first` lies behind its end.
        guard first <= end else { throw .unknownType(type) }
        let bytes = pending[first..<end]
        switch type {
        case 0x2B: return .simpleString(Array(bytes))
        case 0x2D: return .error(Array(bytes))
        case 0x3A:
            guard let value = number(first, end) else { throw .invalidNumber }
            return .integer(Int64(value))
        case 0x5F:
            guard bytes.isEmpty else { throw .invalidNumber }
            return .null
        case 0x23:
            guard bytes.count == 1, bytes[first] == 0x74 || bytes[first] == 0x66 else { throw .invalidNumber }
            return .boolean(bytes[first] == 0x74)
        case 0x2C:
            guard bytes.count <= 128, let value = Double(String(decoding: bytes, as: UTF8.self)) else {
                throw .invalidNumber
            }
            return .double(value)
        case 0x28:
            let digits = bytes.dropFirst(bytes.first == 0x2D || bytes.first == 0x2B ? 1 : 0)
            guard !digits.isEmpty, digits.allSatisfy({ (48...57).contains($0) }) else { throw .invalidNumber }
            return .bigNumber(Array(bytes))
        default: throw .unknownType(type)
        }
    }
}

/// An array, map, set, push or attribute of which some items are there.
private struct Aggregate: Sendable {
    let type: UInt8
    /// Items it has when complete; a pair of a map is two.
    let count: Int
    var items: [RESPValue] = []

    init(type: UInt8, count: Int) {
        self.type = type
        self.count = type == 0x25 || type == 0x7C ? count * 2 : count
    }

    var isComplete: Bool { items.count == count }

    /// nil for an attribute: it tells of the next value and is left out.
    var value: RESPValue? {
        switch type {
        case 0x7E: return .set(items)
        case 0x3E: return .push(items)
        case 0x25: return .map(pairs)
        case 0x7C: return nil
        default: return .array(items)
        }
    }

    private var pairs: [RESPValue.Pair] {
        stride(from: 0, to: items.count - 1, by: 2).map { RESPValue.Pair(key: items[$0], value: items[$0 + 1]) }
    }
}
