// A learner's first rows: the store of the primary as it is while it is walked, and the log from before the walk on, whose
// records are effects that may be applied twice (RULES C5, D5).

/// Rows of a shard for a learner. Layout, integers little-endian:
///
/// | size | field |
/// |---|---|
/// | 8 8 | shard, epoch |
/// | 8 8 | base: epoch and seq of the last record that the primary's store held when the walk began |
/// | 4 ... | the primary's vector up to the base: count, then epoch and first seq, 8 bytes each |
/// | 8 | the lesson: later ones of an epoch have higher numbers |
/// | 8 | number of the chunk in it, from 0 |
/// | 1 | whether it is the last |
/// | 8 | the last record that any row of the walk may have seen |
/// | 4 ... | rows: count; each key and value as length (4) and bytes, as the store has them |
public struct SnapshotChunk: ReplicaMessage {
    public static let kind = ReplicaMessageKind.snapshot
    public var shard: ShardID
    public var epoch: Epoch
    public var baseEpoch: Epoch
    public var base: Seq
    public var epochs: [EpochStart]
    public var lesson: UInt64
    public var number: UInt64
    public var isLast: Bool
    public var end: Seq
    public var rows: [Row]

    public struct Row: Hashable, Sendable {
        public var key: [UInt8]
        public var value: [UInt8]

        public init(key: [UInt8], value: [UInt8]) {
            self.key = key
            self.value = value
        }
    }

    public init(
        shard: ShardID, epoch: Epoch, baseEpoch: Epoch, base: Seq, epochs: [EpochStart], lesson: UInt64, number: UInt64,
        isLast: Bool, end: Seq, rows: [Row]
    ) {
        self.shard = shard
        self.epoch = epoch
        self.baseEpoch = baseEpoch
        self.base = base
        self.epochs = epochs
        self.lesson = lesson
        self.number = number
        self.isLast = isLast
        self.end = end
        self.rows = rows
    }

    public func encode(into buffer: inout ByteBuffer) {
        buffer.append(littleEndian: shard.rawValue)
        buffer.append(littleEndian: epoch.rawValue)
        buffer.append(littleEndian: baseEpoch.rawValue)
        buffer.append(littleEndian: base.rawValue)
        buffer.append(epochs: epochs)
        buffer.append(littleEndian: lesson)
        buffer.append(littleEndian: number)
        buffer.append(flag: isLast)
        buffer.append(littleEndian: end.rawValue)
        buffer.append(littleEndian: UInt32(rows.count))
        for row in rows {
            buffer.append(counted: row.key)
            buffer.append(counted: row.value)
        }
    }

    public init?(_ reader: inout BinaryReader) {
        guard let shard = reader.integer(UInt64.self), let epoch = reader.counter(Epoch.self),
            let baseEpoch = reader.counter(Epoch.self), let base = reader.counter(Seq.self),
            let epochs = reader.epochs(), let lesson = reader.integer(UInt64.self),
            let number = reader.integer(UInt64.self), let isLast = reader.flag(),
            let end = reader.counter(Seq.self), let count = reader.count(ofAtLeast: 8)
        else { return nil }
        let newest = epochs.last ?? .nothing
        guard newest.epoch == baseEpoch, newest.first <= base else {
            let _: Void? = reader.fail()
            return nil
        }
        var rows: [Row] = []
        for _ in 0..<count {
            guard let key = reader.bytes(), let value = reader.bytes() else { return nil }
            rows.append(Row(key: key.array, value: value.array))
        }
        self.init(
            shard: ShardID(rawValue: shard), epoch: epoch, baseEpoch: baseEpoch,
            base: base, epochs: epochs, lesson: lesson, number: number, isLast: isLast, end: end, rows: rows)
    }
}

/// The learner's store holds a chunk; the next may come.
public struct SnapshotTaken: ReplicaMessage {
    public static let kind = ReplicaMessageKind.snapshotTaken
    public var shard: ShardID
    public var epoch: Epoch
    public var incarnation: Incarnation
    public var lesson: UInt64
    public var number: UInt64

    public init(shard: ShardID, epoch: Epoch, incarnation: Incarnation, lesson: UInt64, number: UInt64) {
        self.shard = shard
        self.epoch = epoch
        self.incarnation = incarnation
        self.lesson = lesson
        self.number = number
    }

    public func encode(into buffer: inout ByteBuffer) {
        buffer.append(littleEndian: shard.rawValue)
        buffer.append(littleEndian: epoch.rawValue)
        buffer.append(littleEndian: incarnation.rawValue)
        buffer.append(littleEndian: lesson)
        buffer.append(littleEndian: number)
    }

    public init?(_ reader: inout BinaryReader) {
        guard let shard = reader.integer(UInt64.self), let epoch = reader.counter(Epoch.self),
            let incarnation = reader.counter(Incarnation.self), let lesson = reader.integer(UInt64.self),
            let number = reader.integer(UInt64.self)
        else { return nil }
        self.init(
            shard: ShardID(rawValue: shard), epoch: epoch, incarnation: incarnation, lesson: lesson, number: number)
    }
}

/// The log no longer has what this learner lacks: it is to forget its copy, and comes again as a new one (RULES C14).
public struct Relearn: ReplicaMessage {
    public static let kind = ReplicaMessageKind.relearn
    public var shard: ShardID
    public var epoch: Epoch
    public var incarnation: Incarnation

    public init(shard: ShardID, epoch: Epoch, incarnation: Incarnation) {
        self.shard = shard
        self.epoch = epoch
        self.incarnation = incarnation
    }

    public func encode(into buffer: inout ByteBuffer) {
        buffer.append(littleEndian: shard.rawValue)
        buffer.append(littleEndian: epoch.rawValue)
        buffer.append(littleEndian: incarnation.rawValue)
    }

    public init?(_ reader: inout BinaryReader) {
        guard let shard = reader.integer(UInt64.self), let epoch = reader.counter(Epoch.self),
            let incarnation = reader.counter(Incarnation.self)
        else { return nil }
        self.init(
            shard: ShardID(rawValue: shard), epoch: epoch, incarnation: incarnation)
    }
}
