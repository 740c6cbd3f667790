public import ClusterModel

/// One effect of a `.data` record; replicas apply it without judging it.
///
/// | op | bytes after its code |
/// |---|---|
/// | 1 put | key length u32, value length u32, deadline i64 (ms since 1970, 0 = none), key, value |
/// | 2 delete | key length u32, key |
/// | 3 flush | none: every row of the shard goes |
/// | 4 time | i64: the wall clock in ms that expiry may use from here on (RULES A13) |
///
/// Integers are little-endian. Keys and values are views into the batch.
public enum LogOp {
    case put(key: ByteView, value: ByteView, deadline: Int64)
    case delete(key: ByteView)
    case flush
    case time(Int64)

    enum Code {
        static let put: UInt8 = 1
        static let delete: UInt8 = 2
        static let flush: UInt8 = 3
        static let time: UInt8 = 4
    }

    /// Bytes of a put before its key.
    static let putHeader = 17
}

/// Reads the ops of a payload one after another; damaged bytes end it with `isDamaged` set, and never trap.
public struct OpCursor {
    @usableFromInline var rest: ByteView
    /// Whether the bytes left are no op: the payload is not one this format version writes.
    public private(set) var isDamaged = false

    @inline(__always) public init(_ payload: ByteView) { rest = payload }

    /// The next op; nil at the end, or at the first byte that is no op.
    @inline(__always)
    public mutating func next() -> LogOp? {
        guard rest.count > 0 else { return nil }
        switch rest[0] {
        case LogOp.Code.put:
            guard rest.count >= LogOp.putHeader else { break }
            let key = Int(rest.littleEndian(at: 1, as: UInt32.self))
            let value = Int(rest.littleEndian(at: 5, as: UInt32.self))
            let end = LogOp.putHeader + key + value
            guard end <= rest.count else { break }
            let op = LogOp.put(
                key: rest[LogOp.putHeader..<LogOp.putHeader + key], value: rest[LogOp.putHeader + key..<end],
                deadline: rest.littleEndian(at: 9, as: Int64.self))
            return advance(end, op)
        case LogOp.Code.delete:
            guard rest.count >= 5 else { break }
            let end = 5 + Int(rest.littleEndian(at: 1, as: UInt32.self))
            guard end <= rest.count else { break }
            return advance(end, .delete(key: rest[5..<end]))
        case LogOp.Code.flush:
            return advance(1, .flush)
        case LogOp.Code.time:
            guard rest.count >= 9 else { break }
            return advance(9, .time(rest.littleEndian(at: 1, as: Int64.self)))
        default:
            break
        }
        isDamaged = true
        rest = .empty
        return nil
    }

    @inline(__always)
    private mutating func advance(_ size: Int, _ op: LogOp) -> LogOp {
        rest = rest[size..<rest.count]
        return op
    }
}
