import ClusterModel
import DataCore
import Testing

@Suite("What a start does again")
struct StoreNeedsTests {
    private static let first = StoreID(shard: ShardID(rawValue: 1), incarnation: .first)
    private static let second = StoreID(shard: ShardID(rawValue: 1), incarnation: Incarnation(rawValue: 2))
    private static let other = StoreID(shard: ShardID(rawValue: 2), incarnation: .first)

    /// Two segments: six records of one life of shard 1 and three of shard 2, then, behind a checkpoint, four of the next
    /// life of shard 1.
    private static func tape() -> Tape {
        var tape = Tape()
        tape.openSegment()
        for shard in [1, 1, 2, 1, 2, 1, 2, 1, 1] as [UInt64] { tape.write(shard: shard) }
        tape.endLife()
        tape.openSegment()
        for _ in 0..<4 { tape.write() }
        return tape
    }

    private static func records(_ tape: Tape, _ found: LogRecovery.Found) -> [RecordHeader] {
        var headers: [RecordHeader] = []
        tape.segments[Int(found.start.generation) - 1].withByteView { segment in
            var records = found.records(in: segment)
            while let (header, _) = records.next() { headers.append(header) }
        }
        return headers
    }

    @Test("a segment is passed over exactly when no record in it is lacked", arguments: 0...7 as ClosedRange<UInt64>)
    func segments(held: UInt64) {
        let tape = Self.tape()
        let recovery = tape.recover()
        for store in [Self.first, Self.second, Self.other] {
            let needs = StoreNeeds(applied: [store: Seq(rawValue: held)])
            for generation in 1...2 as ClosedRange<UInt64> {
                let lacked = recovery.batches.filter { $0.start.generation == generation }
                    .flatMap { Self.records(tape, $0) }
                    .contains { $0.kind == .data && $0.store == store && $0.seq.rawValue > held }
                #expect(recovery.contents[generation].map(needs.includes) == lacked, "\(store), segment \(generation)")
            }
        }
    }

    @Test("records of lives that ended are nobody's, and a batch that holds one goes all the same")
    func endedLives() {
        let batch = LogBatch()
        for (store, seq) in [(Self.first, 9), (Self.other, 5), (Self.first, 10), (Self.other, 6)] as [(StoreID, UInt64)]
        {
            batch.beginRecord(
                shard: store.shard, incarnation: store.incarnation, epoch: Epoch(rawValue: 1), seq: Seq(rawValue: seq),
                kind: .data)
            batch.endRecord()
        }
        batch.ticket = 1
        batch.generation = 3
        var queue = ApplyQueue(applied: [Self.other: Seq(rawValue: 4)])
        queue.add(batch)
        var applied: [UInt64] = []
        func take() -> Int {
            queue.take(bytes: .max) { store, header, _ in
                #expect(store == Self.other)
                applied.append(header.seq.rawValue)
            }.spent.count
        }
        queue.commit([CommitMark(store: Self.other, seq: Seq(rawValue: 5))], durable: 1)
        #expect(take() == 0 && applied == [5] && queue.generation < 3)
        #expect(queue.awaited == [CommitMark(store: Self.other, seq: Seq(rawValue: 6))])
        queue.commit([CommitMark(store: Self.other, seq: Seq(rawValue: 6))], durable: 1)
        #expect(take() == 1 && applied == [5, 6] && queue.isEmpty && queue.generation == 3)
    }
}
