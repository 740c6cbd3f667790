import ClusterModel
import DataCore

/// Segments in memory as the log writer leaves them on disk.
struct Tape {
    static let log = UniqueID(high: 1, low: 2)
    static let size = 16384
    var segments: [[UInt8]] = []
    /// Where each batch that is not a checkpoint starts and ends: segment, bytes.
    var batches: [(segment: Int, range: Range<Int>)] = []
    private var control = ControlState()
    private var checksum: UInt32 = 0
    private var place = LogOffset(generation: 0, offset: 0)
    private var synced = LogOffset.zero
    private var seqs: [UInt64: UInt64] = [:]
    private var incarnation = Incarnation.first
    /// Of the records to come.
    var epoch: UInt64 = 1

    mutating func openSegment() {
        place = LogOffset(generation: UInt64(segments.count + 1), offset: SegmentHeader.firstBatch)
        let header = SegmentHeader(log: Self.log, generation: place.generation, size: UInt64(Self.size))
        segments.append(header.block + [UInt8](repeating: 0, count: Self.size - header.block.count))
        synced = place
        let opening = LogBatch()
        control.write(to: opening)
        put(opening, isCheckpoint: true)
        sync()
    }

    /// The replica of shard 1 ends, and a new one takes its place.
    mutating func endLife() {
        let batch = LogBatch()
        batch.drop(ShardID(rawValue: 1), ReplicaEnd(incarnation, promised: nil))
        control.note(batch)
        put(batch, isCheckpoint: false)
        incarnation = Incarnation(rawValue: incarnation.rawValue + 1)
        seqs[1] = nil
    }

    /// One batch of one record.
    mutating func write(valueBytes: Int = 100, shard: UInt64 = 1, kind: RecordKind = .data) {
        let seq = seqs[shard, default: 0] + 1
        seqs[shard] = seq
        let batch = LogBatch()
        batch.beginRecord(
            shard: ShardID(rawValue: shard), incarnation: incarnation, epoch: Epoch(rawValue: epoch),
            seq: Seq(rawValue: seq), kind: kind)
        [UInt8](repeating: UInt8(truncatingIfNeeded: seq), count: valueBytes).withByteView {
            batch.put(key: $0[0..<1], value: $0)
        }
        batch.endRecord()
        control.note(batch)
        put(batch, isCheckpoint: false)
    }

    mutating func sync() { synced = place }

    private mutating func put(_ batch: LogBatch, isCheckpoint: Bool) {
        let (bytes, sum) = batch.seal(
            BatchStamp(
                log: Self.log, place: place, syncedThrough: synced, previousChecksum: checksum,
                isCheckpoint: isCheckpoint))
        let range = Int(place.offset)..<Int(place.offset) + bytes.count
        segments[segments.count - 1].replaceSubrange(range, with: bytes.array)
        if !isCheckpoint { batches.append((segments.count - 1, range)) }
        checksum = sum
        place.offset += UInt64(bytes.count)
    }

    /// A log of `count` batches in each of some segments; every batch synced by itself, or all of them unsynced.
    static func filled(_ counts: [Int], syncsEach: Bool = true) -> Tape {
        var tape = Tape()
        for count in counts {
            tape.openSegment()
            for _ in 0..<count {
                tape.write()
                if syncsEach { tape.sync() }
            }
        }
        return tape
    }

    /// A log of one segment: a batch for each of the shards, synced by itself.
    static func synced(_ shards: [UInt64]) -> Tape {
        var tape = Tape()
        tape.openSegment()
        for shard in shards {
            tape.write(shard: shard)
            tape.sync()
        }
        return tape
    }

    func recover(without missing: Set<Int> = []) -> LogRecovery {
        var recovery = LogRecovery(log: Self.log)
        for (index, bytes) in segments.enumerated() where !missing.contains(index) {
            bytes.withByteView { recovery.take(generation: UInt64(index + 1), $0) }
        }
        return recovery
    }

    mutating func flip(batch: Int, at offset: Int = 80) {
        let (segment, range) = batches[batch]
        segments[segment][range.lowerBound + offset] ^= 0x10
    }
}

extension LogRecovery {
    var last: UInt64? { control[ShardID(rawValue: 1)]?.last.rawValue }
    func isLost(_ shard: UInt64) -> Bool? { control[ShardID(rawValue: shard)]?.isLost }
}
