public import ClusterModel

/// The value of a data row in a store.
///
/// | size | field |
/// |---|---|
/// | 1 | format, 1 |
/// | 1 | flags: bit 0 = a deadline follows |
/// | 8 | deadline i64 little-endian, ms since 1970 (only with bit 0) |
/// | rest | the value |
public struct StoredValue {
    /// ms since 1970; 0 = none.
    public var deadline: Int64
    public var value: ByteView

    static let format: UInt8 = 1

    /// Reads what `write` wrote; nil for anything else.
    @inline(__always)
    public init?(_ bytes: ByteView) {
        guard bytes.count >= 2, bytes[0] == Self.format, bytes[1] <= 1 else { return nil }
        guard bytes[1] == 1 else {
            deadline = 0
            value = bytes[2..<bytes.count]
            return
        }
        guard bytes.count >= 10 else { return nil }
        deadline = unsafe Int64(littleEndian: bytes.raw.loadUnaligned(fromByteOffset: 2, as: Int64.self))
        value = bytes[10..<bytes.count]
    }

    /// Writes the row's value. `deadline` 0 = none.
    @inline(__always)
    public static func write(_ value: ByteView, deadline: Int64, to buffer: inout ByteBuffer) {
        buffer.append(format)
        buffer.append(deadline != 0 ? 1 : 0)
        if deadline != 0 { buffer.append(littleEndian: deadline) }
        buffer.append(value)
    }
}
