import ClusterModel
import DataCore
import Testing

/// Records searched for in the log once memory no longer has them.
@Suite struct LogReadTests {
    private static let store = StoreID(shard: ShardID(rawValue: 1), incarnation: .first)

    private func read(
        from: UInt64, through: UInt64, epoch: UInt64 = 1, byteLimit: Int = 1 << 20, place: LogOffset? = nil
    ) -> LogRead {
        LogRead(
            id: 1, store: Self.store, from: Seq(rawValue: from), through: Seq(rawValue: through),
            epochs: [EpochStart(epoch: Epoch(rawValue: epoch), first: Seq(rawValue: 1))], byteLimit: byteLimit,
            place: place)
    }

    /// Searches as a reader does. Returns the seqs found.
    private func search(_ read: LogRead, _ tape: Tape, below end: Int = .max) -> [UInt64] {
        let known = tape.segments.indices.filter { $0 < end }
        let first =
            read.place.map { Int($0.generation) - 1 } ?? known.last { index in
                tape.segments[index].withByteView {
                    read.begins(in: $0, generation: UInt64(index + 1), log: Tape.log)
                } == true
            } ?? 0
        for index in known where index >= first && !read.isComplete {
            if read.place?.generation != UInt64(index + 1) { read.advance(to: UInt64(index + 1)) }
            guard let place = read.place else { continue }
            tape.segments[index].withByteView {
                _ = read.take($0[Int(place.offset)..<$0.count], at: place, log: Tape.log)
            }
        }
        var seqs: [UInt64] = []
        var cursor = RecordCursor(read.records.view)
        while let (header, _) = cursor.next() { seqs.append(header.seq.rawValue) }
        #expect(!cursor.isDamaged)
        #expect(seqs.last ?? read.from.rawValue - 1 == read.last.rawValue)
        return seqs
    }

    @Test func findsRecordsOverSegments() {
        let tape = Tape.filled([4, 4, 4])
        #expect(search(read(from: 3, through: 10), tape) == Array(3...10))
        #expect(search(read(from: 1, through: 12), tape) == Array(1...12))
        #expect(search(read(from: 9, through: 40), tape) == Array(9...12))
    }

    @Test func beginsInTheSegmentThatHasTheFirst() {
        let tape = Tape.filled([4, 4, 4])
        func begins(_ from: UInt64, _ segment: Int) -> Bool? {
            tape.segments[segment].withByteView {
                read(from: from, through: 12).begins(in: $0, generation: UInt64(segment + 1), log: Tape.log)
            }
        }
        #expect(begins(8, 2) == false)
        #expect(begins(8, 1) == true)
        #expect(begins(9, 2) == true)
        // The replica is younger than the log's first segment.
        #expect(begins(1, 0) == true)
        // A segment that was made and not opened.
        #expect(
            [UInt8](repeating: 0, count: 8192).withByteView {
                read(from: 1, through: 2).begins(in: $0, generation: 4, log: Tape.log)
            } == nil)
    }

    @Test func goesOnWhereAPieceEnded() {
        let tape = Tape.filled([4, 4])
        let piece = read(from: 2, through: 8, byteLimit: 200)
        #expect(search(piece, tape) == [2, 3])
        let rest = read(from: 4, through: 8, place: piece.place)
        #expect(search(rest, tape) == Array(4...8))
    }

    @Test func recordsOfACutEpochArePassedOver() {
        let tape = Tape.filled([4])
        #expect(search(read(from: 2, through: 4, epoch: 2), tape) == [])
    }

    @Test func endsAtABatchThatIsNotWhole() {
        var tape = Tape.filled([4, 4])
        tape.segments[1][tape.batches[5].range.lowerBound + 70] ^= 1
        #expect(search(read(from: 3, through: 8), tape) == [3, 4, 5])
    }

    @Test func whatIsGoneIsNotFound() {
        var tape = Tape.filled([4, 4])
        tape.segments[0] = [UInt8](repeating: 0, count: tape.segments[0].count)
        #expect(search(read(from: 3, through: 8), tape) == [])
    }
}
