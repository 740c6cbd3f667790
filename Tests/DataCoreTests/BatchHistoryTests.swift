import ClusterModel
import Testing

@testable import DataCore

/// What is kept in memory for replicas that lag (RULES I19).
@Suite("The history of batches") struct BatchHistoryTests {
    private static func batch(_ seq: UInt64, value: Int, capacity: Int) -> LogBatch {
        let batch = LogBatch(capacity: capacity)
        batch.beginRecord(
            shard: ShardID(rawValue: 1), incarnation: .first, epoch: Epoch(rawValue: 1), seq: Seq(rawValue: seq),
            kind: .data)
        [UInt8](repeating: 1, count: value).withByteView { batch.put(key: $0[0..<1], value: $0) }
        batch.endRecord()
        return batch
    }

    private static func seqs(_ history: BatchHistory) -> [UInt64] {
        var seqs: [UInt64] = []
        history.forEach(0, above: 0) { note in
            note.batch.forEachRecord { header, payload in
                #expect(payload.count > 100)
                seqs.append(header.seq.rawValue)
            }
            return true
        }
        return seqs
    }

    /// Batches are made with room for many commands; few come at a time where little is written.
    @Test func itIsBoundedByTheMemoryItTakes() {
        var history = BatchHistory()
        let limit = 1 << 20
        for seq in 1...4000 {
            let batch = Self.batch(UInt64(seq), value: 100, capacity: 64 << 10)
            let note = Engine.BatchNote(
                batch: batch, touched: [Engine.Touched(replica: 0, seq: UInt64(seq))])
            let free = history.keep(note, limit: limit)
            #expect(free.contains { $0 === batch }, "its memory is there for the next one")
        }
        var bytes = 0
        history.forEach(0, above: 0) { note in
            bytes += note.batch.footprint
            return true
        }
        #expect(bytes <= limit)
        let seqs = Self.seqs(history)
        #expect(seqs.count > 1000, "small batches take little memory")
        #expect(seqs == Array(UInt64(4001 - seqs.count)...4000))
    }

    /// One that is full is kept as it is, and comes back when it falls out.
    @Test func aFullBatchIsNotCopied() {
        var history = BatchHistory()
        let first = Self.batch(1, value: 60_000, capacity: 64 << 10)
        func note(_ batch: LogBatch, _ seq: UInt64) -> Engine.BatchNote {
            Engine.BatchNote(batch: batch, touched: [Engine.Touched(replica: 0, seq: seq)])
        }
        #expect(history.keep(note(first, 1), limit: 100_000).isEmpty)
        let free = history.keep(note(Self.batch(2, value: 60_000, capacity: 64 << 10), 2), limit: 100_000)
        #expect(free.count == 1 && free[0] === first)
        #expect(Self.seqs(history) == [2])
    }
}
