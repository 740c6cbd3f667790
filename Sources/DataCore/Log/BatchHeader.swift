public import ClusterModel

/// A place in the node log: byte `offset` of segment `generation`. Places are ordered as they were written.
public struct LogOffset: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// From 1; 0 = before the first segment.
    public var generation: UInt64
    /// Bytes from the start of the segment file.
    public var offset: UInt64

    public init(generation: UInt64, offset: UInt64) {
        self.generation = generation
        self.offset = offset
    }

    public static let zero = LogOffset(generation: 0, offset: 0)

    public static func < (left: LogOffset, right: LogOffset) -> Bool {
        (left.generation, left.offset) < (right.generation, right.offset)
    }
    public var description: String { "\(generation):\(offset)" }
}

/// What precedes a batch on disk: 64 bytes, integers little-endian. A batch starts at a multiple of 64 in its segment,
/// is padded with zeros to one, and never spans segments.
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 4 | magic `OBAT` |
/// | 4 | 4 | CRC-32C of the bytes from 8 to the end of the records |
/// | 8 | 8 | low half of the log's uuid |
/// | 16 | 8 | generation of the segment |
/// | 24 | 8 | offset of this header in the segment |
/// | 32 | 4 | length: bytes of records after the header, padding left out |
/// | 36 | 4 | number of records |
/// | 40 | 8 | synced-through, generation: everything before this place was known to be on disk ... |
/// | 48 | 8 | synced-through, offset ... when this batch was written |
/// | 56 | 4 | CRC-32C field of the batch before (the chain), also across segments; 0 for the log's first |
/// | 60 | 4 | flags: bit 0 = a segment's opening checkpoint |
public struct BatchHeader: Hashable, Sendable {
    public var generation: UInt64
    public var offset: UInt64
    public var length: Int
    public var records: Int
    public var syncedThrough: LogOffset
    public var previousChecksum: UInt32
    public var checksum: UInt32
    public var isCheckpoint: Bool

    /// Bytes of a header on disk, and what batches are aligned to.
    public static let size = 64
    /// `OBAT`, read as a little-endian integer.
    static let magic: UInt32 = 0x5441_424F
    /// Longest batch: header, records and padding.
    public static let longestBatch = 1 << 30

    /// Bytes of header, records and padding on disk.
    public var padded: Int { Self.padded(Self.size + length) }
    /// Where the batch after this one begins.
    public var end: LogOffset { LogOffset(generation: generation, offset: offset + UInt64(padded)) }
    public var start: LogOffset { LogOffset(generation: generation, offset: offset) }

    /// Bytes that the batch at the front of `bytes` says it takes, checked by nothing; nil = there is no batch.
    public static func claimedSize(_ bytes: ByteView) -> Int? {
        guard bytes.count >= size, bytes.littleEndian(at: 0, as: UInt32.self) == magic else { return nil }
        let length = Int(bytes.littleEndian(at: 32, as: UInt32.self))
        return length < longestBatch ? padded(size + length) : nil
    }

    static func padded(_ size: Int) -> Int { (size + Self.size - 1) & ~(Self.size - 1) }

    /// Reads the batch at the front of `bytes` and checks everything that one batch says about itself; nil if it is
    /// not a whole batch of this log, this segment and this place.
    init?(_ bytes: ByteView, log: UniqueID, at place: LogOffset) {
        guard bytes.count >= Self.size, bytes.littleEndian(at: 0, as: UInt32.self) == Self.magic,
            bytes.littleEndian(at: 8, as: UInt64.self) == log.low,
            bytes.littleEndian(at: 16, as: UInt64.self) == place.generation,
            bytes.littleEndian(at: 24, as: UInt64.self) == place.offset
        else { return nil }
        length = Int(bytes.littleEndian(at: 32, as: UInt32.self))
        guard length <= bytes.count - Self.size, length < Self.longestBatch else { return nil }
        checksum = bytes.littleEndian(at: 4, as: UInt32.self)
        guard Checksum.of(bytes[8..<Self.size + length]) == checksum else { return nil }
        generation = place.generation
        offset = place.offset
        records = Int(bytes.littleEndian(at: 36, as: UInt32.self))
        syncedThrough = LogOffset(
            generation: bytes.littleEndian(at: 40, as: UInt64.self),
            offset: bytes.littleEndian(at: 48, as: UInt64.self))
        previousChecksum = bytes.littleEndian(at: 56, as: UInt32.self)
        isCheckpoint = bytes.littleEndian(at: 60, as: UInt32.self) & 1 != 0
    }
}

/// What the log writer knows when it puts a batch at its place.
public struct BatchStamp: Sendable {
    public var log: UniqueID
    public var place: LogOffset
    public var syncedThrough: LogOffset
    public var previousChecksum: UInt32
    public var isCheckpoint: Bool

    public init(
        log: UniqueID, place: LogOffset, syncedThrough: LogOffset, previousChecksum: UInt32, isCheckpoint: Bool = false
    ) {
        self.log = log
        self.place = place
        self.syncedThrough = syncedThrough
        self.previousChecksum = previousChecksum
        self.isCheckpoint = isCheckpoint
    }
}

extension LogBatch {
    /// Bytes the batch takes on disk: header, records and padding.
    public var sizeOnDisk: Int { BatchHeader.padded(byteCount) }

    /// Writes header, padding and checksum; after it the batch may be read and emptied, but not added to. A batch may
    /// be sealed again for another place.
    ///
    /// - Returns: the bytes to write at `stamp.place`, valid until the batch changes, and the checksum the next batch
    ///   must carry.
    /// - Precondition: no record is open, and the batch is shorter than `BatchHeader.longestBatch`.
    public func seal(_ stamp: BatchStamp) -> (bytes: ByteView, checksum: UInt32) {
        unsafe precondition(state.pointee.open == 0 && sizeOnDisk <= BatchHeader.longestBatch)
        let end = byteCount
        if unsafe state.pointee.sealed == 0 { unsafe state.pointee.sealed = end }
        unsafe state.pointee.bytes.truncate(to: end)
        for _ in end..<BatchHeader.padded(end) { unsafe state.pointee.bytes.append(0) }
        let flags: UInt32 = stamp.isCheckpoint ? 1 : 0
        unsafe state.pointee.bytes.replace(at: 0, littleEndian: BatchHeader.magic)
        unsafe state.pointee.bytes.replace(at: 8, littleEndian: stamp.log.low)
        unsafe state.pointee.bytes.replace(at: 16, littleEndian: stamp.place.generation)
        unsafe state.pointee.bytes.replace(at: 24, littleEndian: stamp.place.offset)
        unsafe state.pointee.bytes.replace(at: 32, littleEndian: UInt32(end - BatchHeader.size))
        unsafe state.pointee.bytes.replace(at: 36, littleEndian: UInt32(state.pointee.records))
        unsafe state.pointee.bytes.replace(at: 40, littleEndian: stamp.syncedThrough.generation)
        unsafe state.pointee.bytes.replace(at: 48, littleEndian: stamp.syncedThrough.offset)
        unsafe state.pointee.bytes.replace(at: 56, littleEndian: stamp.previousChecksum)
        unsafe state.pointee.bytes.replace(at: 60, littleEndian: flags)
        let checksum = unsafe Checksum.of(state.pointee.bytes.view[8..<end])
        unsafe state.pointee.bytes.replace(at: 4, littleEndian: checksum)
        return unsafe (state.pointee.bytes.view, checksum)
    }
}
