public import ClusterModel

/// What a segment file begins with: 64 bytes in a block of 4096, integers little-endian, the rest of the block zero.
/// The first batch starts at 4096, so that no write of a batch touches the header's block.
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 8 | magic `OSTRALOG` |
/// | 8 | 4 | format version, 1 |
/// | 12 | 4 | offset of the first batch, 4096 |
/// | 16 | 16 | uuid of the log (high, low) |
/// | 32 | 8 | generation |
/// | 40 | 8 | size of the file in bytes |
/// | 48 | 12 | zero |
/// | 60 | 4 | CRC-32C of the bytes before |
public struct SegmentHeader: Hashable, Sendable {
    public var log: UniqueID
    public var generation: UInt64
    /// Bytes of the whole file; final from the moment the segment takes its first batch.
    public var size: UInt64

    /// Where the first batch starts.
    public static let firstBatch: UInt64 = 4096
    public static let version: UInt32 = 1
    /// `OSTRALOG`, read as a little-endian integer.
    static let magic: UInt64 = 0x474F_4C41_5254_534F

    public init(log: UniqueID, generation: UInt64, size: UInt64) {
        self.log = log
        self.generation = generation
        self.size = size
    }

    /// Reads a header; nil if it is damaged or of another format.
    public init?(_ bytes: ByteView) {
        guard bytes.count >= 64, bytes.littleEndian(at: 0, as: UInt64.self) == Self.magic,
            bytes.littleEndian(at: 8, as: UInt32.self) == Self.version,
            bytes.littleEndian(at: 12, as: UInt32.self) == UInt32(Self.firstBatch),
            bytes.littleEndian(at: 60, as: UInt32.self) == Checksum.of(bytes[0..<60])
        else { return nil }
        log = UniqueID(
            high: bytes.littleEndian(at: 16, as: UInt64.self), low: bytes.littleEndian(at: 24, as: UInt64.self))
        generation = bytes.littleEndian(at: 32, as: UInt64.self)
        size = bytes.littleEndian(at: 40, as: UInt64.self)
    }

    /// The block to write at the front of the file: 4096 bytes.
    public var block: [UInt8] {
        var buffer = ByteBuffer(capacity: Int(Self.firstBatch))
        buffer.append(littleEndian: Self.magic)
        buffer.append(littleEndian: Self.version)
        buffer.append(littleEndian: UInt32(Self.firstBatch))
        buffer.append(littleEndian: log.high)
        buffer.append(littleEndian: log.low)
        buffer.append(littleEndian: generation)
        buffer.append(littleEndian: size)
        buffer.append(littleEndian: UInt64(0))
        buffer.append(littleEndian: UInt32(0))
        buffer.append(littleEndian: Checksum.of(buffer.view))
        return buffer.view.array + [UInt8](repeating: 0, count: Int(Self.firstBatch) - buffer.count)
    }
}
