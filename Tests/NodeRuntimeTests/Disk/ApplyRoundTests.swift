import ClusterModel
import DataCore
import Testing

@testable import NodeRuntime

@Suite("what a round writes")
struct ApplyRoundTests {
    private let store = StoreID(shard: ShardID(rawValue: 1), incarnation: .first)

    private func bytes(_ text: String, _ body: (ByteView) -> Void) { Array(text.utf8).withByteView(body) }

    /// Rows of a round over one batch, "key=value" or "key-".
    private func rows(usesSlots: Bool, _ fill: (LogBatch) -> Void) -> [String] {
        let batch = LogBatch()
        batch.beginRecord(
            shard: store.shard, incarnation: .first, epoch: Epoch(rawValue: 1), seq: Seq(rawValue: 1), kind: .data)
        fill(batch)
        batch.endRecord()
        let round = ApplyRound()
        batch.forEachRecord { round.take(store, $0, $1) }
        guard let part = round.parts.first else { return [] }
        return part.inRowOrder(usesSlots: usesSlots).map { prefix, place in
            let op = part.ops[place]
            #expect(prefix == RowKey.prefix(op.key, usesSlots: usesSlots))
            return op.isDelete ? "\(op.key.text)-" : "\(op.key.text)=\(op.value.text)"
        }
    }

    private func put(_ batch: LogBatch, _ key: String, _ value: String) {
        bytes(key) { key in bytes(value) { batch.put(key: key, value: $0) } }
    }

    @Test("the last op of each key is left, in the order of the rows", arguments: [false, true])
    func lastOps(usesSlots: Bool) {
        let found = rows(usesSlots: usesSlots) { batch in
            for round in 0..<3 {
                for key in ["common-prefix-b", "common-prefix-a", "common-prefix-ab", "z"] {
                    put(batch, key, "\(round)")
                }
            }
            bytes("common-prefix-a") { batch.delete(key: $0) }
            bytes("z") { batch.delete(key: $0) }
            put(batch, "z", "again")
        }
        let wanted = ["common-prefix-a-", "common-prefix-ab=2", "common-prefix-b=2", "z=again"]
        #expect(usesSlots ? found.sorted() == wanted.sorted() : found == wanted)
    }

    @Test("nothing from before a flush is left")
    func flush() {
        let found = rows(usesSlots: true) { batch in
            put(batch, "a", "1")
            batch.flush()
            put(batch, "b", "2")
        }
        #expect(found == ["b=2"])
    }
}
