public import ClusterModel

/// Judges the segments of a log, oldest first: what is whole, where the log ends, and whether what is missing at the end
/// was never promised (a torn tail) or is damage (RULES E3).
/// Damage ends nothing: what lies behind it is taken too.
public struct LogRecovery {
    /// One whole batch.
    public struct Found: Sendable {
        public var start: LogOffset
        /// Bytes of records.
        public var length: Int
        public var checksum: UInt32

        /// Bytes of header, records and padding.
        public var size: Int { BatchHeader.padded(BatchHeader.size + length) }

        /// The batch on disk, in the bytes of its segment.
        public func batch(in segment: ByteView) -> ByteView { segment[Int(start.offset)..<Int(start.offset) + size] }

        /// Its records, in the bytes of its segment.
        public func records(in segment: ByteView) -> RecordCursor {
            RecordCursor(batch(in: segment)[BatchHeader.size..<BatchHeader.size + length])
        }
    }

    /// Bytes that were on disk and are not, or not as they were written.
    public struct Damage: Error, Hashable, Sendable, CustomStringConvertible {
        /// Where the first bad byte may be.
        public var place: LogOffset
        /// A later batch that says this place was on disk when it was written; nil: nothing of the log can be read.
        public var witness: LogOffset?

        public var description: String {
            guard let witness else {
                return "the checkpoint that opens segment \(place.generation), the log's oldest, is damaged"
            }
            if witness.generation > place.generation + 1 {
                return "the log lacks what lay between \(place) and segment \(witness.generation)"
            }
            return "the log is damaged at \(place): the batch at \(witness) was written after that place was synced"
        }
    }

    public private(set) var control = ControlState()
    public private(set) var batches: [Found] = []
    /// What the whole batches of each segment tell of, by its generation.
    public private(set) var contents: [UInt64: SegmentContent] = [:]
    /// The first numbered record that the log still has of the newest life of each shard's replica.
    private var first: [ShardID: (incarnation: Incarnation, seq: Seq)] = [:]
    /// The first numbered record that the log still has of each shard's replica, in its newest life.
    public var firstSeen: [ShardID: Seq] { first.mapValues(\.seq) }
    /// Behind the last whole batch.
    public private(set) var end = LogOffset.zero
    public private(set) var lastChecksum: UInt32 = 0
    /// Everything before here was on disk, as the log itself says: what is lost behind it looks like a torn tail.
    public private(set) var vouchedThrough = LogOffset.zero
    /// Where the log has lost bytes, in order. What lies behind each is taken; of which shards something may lack is told by
    /// `ShardControl.isLost`.
    public private(set) var damages: [Damage] = []
    /// Where the log stopped being whole; nil = it goes on.
    private var stop: LogOffset?
    /// Whole batches behind `stop` of which no later batch has said that `stop` was synced: remains of a torn tail, if none
    /// comes.
    private var pending: [(header: BatchHeader, records: [UInt8])] = []
    private var oldest: UInt64 = 0
    private let log: UniqueID

    public init(log: UniqueID) { self.log = log }

    /// Why nothing of the log can be used; nil = it can, as far as `damages` and `control` say.
    ///
    /// An older segment is deleted only after the checkpoint that opens the next was synced: the oldest one there must open,
    /// unless it is the first of all.
    public var fault: Damage? {
        guard batches.isEmpty, oldest > 1 else { return nil }
        return Damage(place: LogOffset(generation: oldest, offset: SegmentHeader.firstBatch), witness: nil)
    }

    /// Takes the next segment: its whole file. Generations must be given in ascending order.
    public mutating func take(generation: UInt64, _ bytes: ByteView) {
        let first = LogOffset(generation: generation, offset: SegmentHeader.firstBatch)
        if oldest == 0 {
            oldest = generation
        } else if batches.isEmpty {
            // An older segment is there and does not open.
            stop = stop ?? LogOffset(generation: oldest, offset: SegmentHeader.firstBatch)
        }
        let isNamed = SegmentHeader(bytes).map { $0.log == log && $0.generation == generation } ?? false
        if batches.isEmpty {
            if !isNamed { stop = stop ?? first }
        } else if !isNamed || generation != end.generation + 1 {
            stop = stop ?? end
        }
        var offset = Int(first.offset)
        while offset + BatchHeader.size <= bytes.count {
            let here = LogOffset(generation: generation, offset: UInt64(offset))
            guard let found = batch(bytes, at: here) else {
                stop = stop ?? (batches.isEmpty ? here : end)
                offset += BatchHeader.size
                continue
            }
            take(found, records(bytes, found))
            offset += found.padded
        }
    }

    private mutating func take(_ found: BatchHeader, _ records: ByteView) {
        // Behind the last batch of a full segment some bytes are free.
        let isNext =
            found.start == end
            || found.offset == SegmentHeader.firstBatch && found.generation == end.generation + 1 && stop ?? end == end
        if batches.isEmpty && stop == nil || isNext && pending.isEmpty && found.previousChecksum == lastChecksum
            || Mutant.e3PassesOverTornBatch.isOn
        {
            stop = nil
            return accept(found, records)
        }
        let place = stop ?? end
        stop = place
        guard found.syncedThrough > place else { return pending.append((found, records.array)) }
        damages.append(Damage(place: place, witness: found.start))
        stop = nil
        let vouched = pending
        pending = []
        control.breakOff()
        for (header, bytes) in vouched { bytes.withByteView { chain(header, $0) } }
        chain(found, records)
    }

    /// Takes a batch behind lost bytes; between two of them there may be more of those.
    private mutating func chain(_ found: BatchHeader, _ records: ByteView) {
        if found.previousChecksum != lastChecksum { control.breakOff() }
        accept(found, records)
    }

    private mutating func accept(_ found: BatchHeader, _ records: ByteView) {
        var cursor = RecordCursor(records)
        // Records of a store come in runs: all but the first and the last of one tell nothing new.
        var run: (first: RecordHeader, last: Seq)?
        while let (header, payload) = cursor.next() {
            control.note(header, payload)
            if header.kind == .data, let known = run, header.store == known.first.store {
                run?.last = header.seq
                continue
            }
            end(run, in: found.generation)
            contents[found.generation, default: SegmentContent()].note(header)
            noteFirst(header)
            run = header.kind == .data ? (header, header.seq) : nil
        }
        end(run, in: found.generation)
        batches.append(Found(start: found.start, length: found.length, checksum: found.checksum))
        lastChecksum = found.checksum
        vouchedThrough = max(vouchedThrough, found.syncedThrough)
        end = found.end
    }

    private mutating func end(_ run: (first: RecordHeader, last: Seq)?, in generation: UInt64) {
        guard let run, run.last > run.first.seq else { return }
        contents[generation]?.note(run.first.store, run.last)
    }

    private mutating func noteFirst(_ header: RecordHeader) {
        let known = first[header.shard]
        // Every segment tells of the lives that ended: they say nothing of the one that goes on.
        if let known, header.incarnation < known.incarnation { return }
        if header.kind == .drop { return first[header.shard] = nil }
        if header.kind.isNumbered, known.map({ $0.incarnation < header.incarnation }) ?? true {
            first[header.shard] = (header.incarnation, header.seq)
        }
        // What was cut is not there to begin with.
        if header.kind == .truncate, let known, known.seq >= header.seq { first[header.shard] = nil }
    }

    private func batch(_ bytes: ByteView, at place: LogOffset) -> BatchHeader? {
        guard place.offset < UInt64(bytes.count) else { return nil }
        return BatchHeader(bytes[Int(place.offset)..<bytes.count], log: log, at: place)
    }

    private func records(_ bytes: ByteView, _ found: BatchHeader) -> ByteView {
        let start = Int(found.offset) + BatchHeader.size
        return bytes[start..<start + found.length]
    }

    /// Whether anything that parses as a batch of the last segment lies behind the log's end, or begins there: the rest of a
    /// torn tail, to be overwritten before the log goes on. `bytes` is the whole segment.
    public func hasRemains(in bytes: ByteView) -> Bool {
        var offset = Int(end.offset)
        while offset + BatchHeader.size <= bytes.count {
            if bytes.littleEndian(at: offset, as: UInt32.self) == BatchHeader.magic,
                bytes.littleEndian(at: offset + 8, as: UInt64.self) == log.low,
                bytes.littleEndian(at: offset + 16, as: UInt64.self) == end.generation
            {
                return true
            }
            offset += BatchHeader.size
        }
        return false
    }
}

extension LogBatch {
    /// A batch as it was read from disk: header, records, padding.
    public convenience init(onDisk bytes: ByteView, ticket: UInt64) {
        self.init(capacity: max(bytes.count, BatchHeader.size))
        restore(bytes)
        self.ticket = ticket
    }
}
