public import ClusterModel

/// A search of the node log for records that memory no longer has, which the core asks of a reader, with its answer: what a
/// replica that comes back is sent (RULES C5, D1).
///
/// The reader begins at `place`, or, if it is nil, at the newest segment whose opening checkpoint says that the first record
/// wanted comes later (`begins`). It hands over what the segments hold from there on, in ascending order (`take`), until
/// `isComplete`.
public final class LogRead {
    /// The core's number of this search.
    public let id: UInt64
    public let store: StoreID
    /// The first and the last record wanted.
    public let from: Seq
    public let through: Seq
    /// Which epoch the replica's log has at which seq: what was cut from it is passed over.
    public let epochs: [EpochStart]
    /// Stop once so many bytes of records were found.
    public let byteLimit: Int
    /// Where the search goes on; nil = the reader looks for the place.
    public private(set) var place: LogOffset?

    /// Whole records, headers included, without a gap from `from` on.
    public private(set) var records = ByteBuffer(capacity: 64 << 10)
    /// The last record found; the one before `from` if none was.
    public private(set) var last: Seq
    /// Why the log could not be read to the end; nil = it was.
    public var fault: String?

    /// - Precondition: `from` is above 0.
    public init(
        id: UInt64, store: StoreID, from: Seq, through: Seq, epochs: [EpochStart], byteLimit: Int, place: LogOffset?
    ) {
        self.id = id
        self.store = store
        self.from = from
        self.through = through
        self.epochs = epochs
        self.byteLimit = byteLimit
        self.place = place
        last = Seq(rawValue: from.rawValue - 1)
    }

    /// Whether nothing more is wanted.
    public var isComplete: Bool { last >= through || records.count >= byteLimit }

    /// Whether the first record wanted lies behind the start of a segment, as far as the checkpoint that opens it tells.
    /// - Parameter segment: the segment's file, or so much of it that the checkpoint is whole.
    /// - Returns: nil if there is no such checkpoint.
    public func begins(in segment: ByteView, generation: UInt64, log: UniqueID) -> Bool? {
        let start = LogOffset(generation: generation, offset: SegmentHeader.firstBatch)
        guard segment.count > Int(start.offset),
            let opening = BatchHeader(segment[Int(start.offset)..<segment.count], log: log, at: start)
        else { return nil }
        let first = Int(start.offset) + BatchHeader.size
        var cursor = RecordCursor(segment[first..<first + opening.length])
        while let (header, _) = cursor.next() {
            guard header.shard == store.shard, header.incarnation == store.incarnation else { continue }
            return header.seq < from
        }
        // The replica is younger than the segment.
        return true
    }

    /// Takes whole batches from the front of `bytes`, which lie at `place` of the log.
    /// - Returns: how many bytes were taken; the batch behind them is not whole, or no batch, or not needed.
    public func take(_ bytes: ByteView, at place: LogOffset, log: UniqueID) -> Int {
        var taken = 0
        while !isComplete {
            let here = LogOffset(generation: place.generation, offset: place.offset + UInt64(taken))
            guard let found = BatchHeader(bytes[taken..<bytes.count], log: log, at: here),
                taken + found.padded <= bytes.count
            else { break }
            var cursor = RecordCursor(bytes[taken + BatchHeader.size..<taken + BatchHeader.size + found.length])
            while let (header, whole) = cursor.nextWhole() {
                guard header.kind.isNumbered, header.shard == store.shard, header.incarnation == store.incarnation,
                    header.seq.rawValue == last.rawValue + 1, header.seq <= through,
                    header.epoch == epochs.last(where: { $0.first <= header.seq })?.epoch
                else { continue }
                records.append(whole)
                last = header.seq
            }
            taken += found.padded
            self.place = found.end
        }
        return taken
    }

    /// Goes on with the next segment.
    public func advance(to generation: UInt64) {
        place = LogOffset(generation: generation, offset: SegmentHeader.firstBatch)
    }
}
