public import ClusterModel

/// Judges the segments of a log, oldest first: what is whole, where the log ends, and whether what is missing at the end
/// was never promised (a torn tail) or is damage (RULES E3).
public struct LogRecovery {
    /// One whole batch.
    public struct Found: Sendable {
        public var start: LogOffset
        /// Bytes of header, records and padding.
        public var size: Int
        public var checksum: UInt32
    }

    /// Why a log must not be used as it is.
    public struct Damage: Error, Hashable, Sendable, CustomStringConvertible {
        /// Where the first bad byte may be.
        public var place: LogOffset
        /// A later batch that says this place was on disk when it was written; nil: a whole segment is missing.
        public var witness: LogOffset?

        public var description: String {
            if place.offset == SegmentHeader.firstBatch, witness == nil {
                return "the checkpoint that opens segment \(place.generation), the log's oldest, is damaged"
            }
            guard let witness else { return "the log lacks the segment before \(place.generation)" }
            return "the log is damaged at \(place): the batch at \(witness) was written after that place was synced"
        }
    }

    public private(set) var control = ControlState()
    public private(set) var batches: [Found] = []
    /// The first numbered record of each shard that the log still has.
    public private(set) var firstSeen: [ShardID: Seq] = [:]
    /// Behind the last whole batch.
    public private(set) var end = LogOffset.zero
    public private(set) var lastChecksum: UInt32 = 0
    /// Where the log first stopped being whole; nil = it goes on.
    private var stop: LogOffset?
    private var generation: UInt64 = 0
    private let log: UniqueID

    public init(log: UniqueID) { self.log = log }

    /// Takes the next segment: its whole file. Generations must be given in ascending order.
    public mutating func take(generation: UInt64, _ bytes: ByteView) throws(Damage) {
        guard let header = SegmentHeader(bytes), header.log == log, header.generation == generation else {
            // A file whose header was never synced holds nothing that was promised.
            return try end(at: generation)
        }
        if stop == nil, self.generation > 0, generation != self.generation + 1 {
            throw Damage(place: LogOffset(generation: generation, offset: 0), witness: nil)
        }
        let first = LogOffset(generation: generation, offset: SegmentHeader.firstBatch)
        if let stop { return try look(for: stop, in: bytes, from: first) }
        guard let opening = batch(bytes, at: first), self.generation == 0 || opening.previousChecksum == lastChecksum
        else {
            try end(at: generation)
            return try look(for: stop ?? first, in: bytes, from: first)
        }
        self.generation = generation
        walk(bytes, from: first)
        // The rest of a segment may be free: whether it should be is told by what comes later.
        try look(for: end, in: bytes, from: end)
    }

    /// A segment that does not open ends the log, unless it is the oldest of several lives: an older segment is deleted only
    /// after the checkpoint that opens the next was synced.
    private mutating func end(at generation: UInt64) throws(Damage) {
        if self.generation > 0 {
            stop = stop ?? end
        } else if generation > 1, stop == nil {
            throw Damage(place: LogOffset(generation: generation, offset: SegmentHeader.firstBatch), witness: nil)
        } else {
            stop = LogOffset(generation: 1, offset: SegmentHeader.firstBatch)
        }
    }

    /// Takes whole batches that chain.
    private mutating func walk(_ bytes: ByteView, from first: LogOffset) {
        var place = first
        while let found = batch(bytes, at: place) {
            if !(batches.isEmpty || found.previousChecksum == lastChecksum || Mutant.e3PassesOverTornBatch.isOn) {
                break
            }
            var cursor = RecordCursor(records(bytes, found))
            while let (header, payload) = cursor.next() {
                control.note(header, payload)
                if header.kind.isNumbered, firstSeen[header.shard] == nil { firstSeen[header.shard] = header.seq }
                if header.kind == .drop { firstSeen[header.shard] = nil }
                // What was cut is not there to begin with.
                if header.kind == .truncate, let first = firstSeen[header.shard], first >= header.seq {
                    firstSeen[header.shard] = nil
                }
            }
            batches.append(Found(start: place, size: found.padded, checksum: found.checksum))
            lastChecksum = found.checksum
            place = found.end
            end = place
            if Mutant.e3PassesOverTornBatch.isOn { place = next(bytes, from: place) ?? place }
        }
        end = place
    }

    /// The next whole batch of the segment, torn ones passed over.
    private func next(_ bytes: ByteView, from place: LogOffset) -> LogOffset? {
        var place = place
        while place.offset + UInt64(BatchHeader.size) <= UInt64(bytes.count) {
            if batch(bytes, at: place) != nil { return place }
            place.offset += UInt64(BatchHeader.size)
        }
        return nil
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

    /// Looks for a batch behind `place` that says `place` was synced: then what is missing there is damage, not a tail.
    private func look(for place: LogOffset, in bytes: ByteView, from first: LogOffset) throws(Damage) {
        var offset = Int(first.offset)
        while offset + BatchHeader.size <= bytes.count {
            let here = LogOffset(generation: first.generation, offset: UInt64(offset))
            if let found = batch(bytes, at: here) {
                if found.syncedThrough > place { throw Damage(place: place, witness: here) }
                offset += found.padded
            } else {
                offset += BatchHeader.size
            }
        }
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
