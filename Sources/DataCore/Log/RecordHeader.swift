public import ClusterModel

/// What a record of the node log says; the raw value is its byte on disk and never changes its meaning (RULES H8).
public enum RecordKind: UInt8, Sendable, CaseIterable {
    /// A sequence of ops (`OpCursor`), applied blindly by every replica. Takes the shard's next seq.
    case data = 1
    /// The first record of an epoch; its payload is the configuration. Takes the shard's next seq.
    case epochStart = 2
    /// The highest epoch and configuration a replica promised (RULES C3). Takes no seq.
    case promise = 3
    /// The replica's life named by the header's incarnation ends: nothing of it is replayed (RULES C15). Takes no seq.
    case drop = 4
    /// Everything at or above the header's seq is cut (RULES C15). Takes no seq.
    case truncate = 5
    /// A shard's control state at the start of a segment (RULES E8); the header's seq is the shard's last. Takes no seq.
    case checkpoint = 6
    /// A snapshot was installed: the store holds everything up to the header's seq. Takes no seq.
    case snapshot = 7

    /// Whether records of this kind are numbered: seq is one above the shard's last.
    @inline(__always) public var isNumbered: Bool { self == .data || self == .epochStart }
}

/// What precedes every record's payload in a batch: 48 bytes, integers little-endian.
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 8 | shard |
/// | 8 | 8 | incarnation |
/// | 16 | 8 | epoch |
/// | 24 | 8 | seq |
/// | 32 | 4 | length of the payload in bytes |
/// | 36 | 1 | kind |
/// | 37 | 1 | flags |
/// | 38 | 10 | zero |
///
/// Incarnation, epoch and seq are below `Limits.counters`.
public struct RecordHeader: Hashable, Sendable {
    public var shard: ShardID
    public var incarnation: Incarnation
    public var epoch: Epoch
    public var seq: Seq
    public var kind: RecordKind
    /// 0 in this format version.
    public var flags: UInt8
    /// Bytes of payload after the header.
    public var length: Int

    /// Bytes of a header on disk.
    public static let size = 48

    /// The store whose record it is.
    @inline(__always) public var store: StoreID { StoreID(shard: shard, incarnation: incarnation) }

    public init(
        shard: ShardID, incarnation: Incarnation, epoch: Epoch, seq: Seq, kind: RecordKind, flags: UInt8 = 0,
        length: Int = 0
    ) {
        self.shard = shard
        self.incarnation = incarnation
        self.epoch = epoch
        self.seq = seq
        self.kind = kind
        self.flags = flags
        self.length = length
    }

    /// Reads a header from the front of `bytes`; nil if they are too few, the kind is unknown, a number was never given
    /// (RULES B8), or the payload would reach past the end of `bytes`.
    @inline(__always)
    public init?(_ bytes: ByteView) {
        guard bytes.count >= Self.size, let kind = RecordKind(rawValue: bytes[36]) else { return nil }
        let length = Int(bytes.littleEndian(at: 32, as: UInt32.self))
        let incarnation = bytes.littleEndian(at: 8, as: UInt64.self)
        let epoch = bytes.littleEndian(at: 16, as: UInt64.self)
        let seq = bytes.littleEndian(at: 24, as: UInt64.self)
        guard length <= bytes.count - Self.size, incarnation | epoch | seq < Limits.counters else { return nil }
        self.init(
            shard: ShardID(rawValue: bytes.littleEndian(at: 0, as: UInt64.self)),
            incarnation: Incarnation(rawValue: incarnation), epoch: Epoch(rawValue: epoch), seq: Seq(rawValue: seq),
            kind: kind, flags: bytes[37], length: length)
    }

    /// Writes the header to `room`. - Precondition: 48 bytes are writable.
    @inline(__always)
    func write(to room: UnsafeMutableRawPointer) {
        unsafe room.storeBytes(of: shard.rawValue.littleEndian, as: UInt64.self)
        unsafe room.storeBytes(of: incarnation.rawValue.littleEndian, toByteOffset: 8, as: UInt64.self)
        unsafe room.storeBytes(of: epoch.rawValue.littleEndian, toByteOffset: 16, as: UInt64.self)
        unsafe room.storeBytes(of: seq.rawValue.littleEndian, toByteOffset: 24, as: UInt64.self)
        unsafe room.storeBytes(of: UInt32(truncatingIfNeeded: length).littleEndian, toByteOffset: 32, as: UInt32.self)
        let tail = UInt32(kind.rawValue) | UInt32(flags) << 8
        unsafe room.storeBytes(of: tail.littleEndian, toByteOffset: 36, as: UInt32.self)
        unsafe room.storeBytes(of: 0, toByteOffset: 40, as: UInt64.self)
    }
}
