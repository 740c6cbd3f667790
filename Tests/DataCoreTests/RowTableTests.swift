import ClusterModel
import Testing

@testable import DataCore

@Suite("Row table") struct RowTableTests {
    /// Puts, removes and evictions at random against a dictionary: what is found is what was put last, whatever splits and
    /// moves happened between.
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func behavesLikeADictionary(seed: UInt64) {
        var chance = Entropy(seed: seed)
        let hash = KeyHash(seed: seed)
        var table = RowTable()
        var model: [[UInt8]: [UInt8]] = [:]
        for step in 0..<60_000 {
            let key = Array("key-\(chance.next() % 9000)".utf8)
            let value = [UInt8](repeating: UInt8(truncatingIfNeeded: step), count: Int(chance.next() % 200))
            key.withByteView { view in
                let tag = hash(view, keyspace: 7)
                if chance.next() % 4 == 0 {
                    table.remove(tag, keyspace: 7, key: view)
                    model[key] = nil
                } else {
                    value.withByteView { bytes in
                        _ = table.put(
                            tag, keyspace: 7, replica: 0, key: view, value: bytes, deadline: 0, seq: UInt64(step),
                            seconds: 0)
                    }
                    model[key] = value
                }
            }
        }
        #expect(table.count == model.count)
        for number in 0..<9000 {
            let key = Array("key-\(number)".utf8)
            key.withByteView { view in
                let found = table.find(hash(view, keyspace: 7), keyspace: 7, key: view)
                #expect(found?.value.array == model[key])
                #expect(table.find(hash(view, keyspace: 8), keyspace: 8, key: view) == nil)
            }
        }
    }

    @Test func aValueMayLieInItsOwnRow() {
        let hash = KeyHash(seed: 1)
        var table = RowTable()
        let key = Array("k".utf8)
        let value = Array(repeating: UInt8(65), count: 300)
        key.withByteView { view in
            let tag = hash(view, keyspace: 1)
            value.withByteView { bytes in
                _ = table.put(tag, keyspace: 1, replica: 0, key: view, value: bytes, deadline: 0, seq: 1, seconds: 0)
            }
            guard let row = table.find(tag, keyspace: 1, key: view) else {
                return #expect(Bool(false), "the row is gone")
            }
            _ = table.put(
                tag, keyspace: 1, replica: 0, key: view, value: row.value[100..<300], deadline: 5, seq: 2, seconds: 0)
            let again = table.find(tag, keyspace: 1, key: view)
            #expect(again?.value.array == Array(value[100..<300]))
            #expect(again?.deadline == 5)
        }
    }

    @Test func evictionSparesRowsThatLevelDBLacks() {
        let hash = KeyHash(seed: 3)
        var table = RowTable()
        for number in 0..<5000 {
            let key = Array("key-\(number)".utf8)
            key.withByteView { view in
                _ = table.put(
                    hash(view, keyspace: 1), keyspace: 1, replica: 0, key: view, value: view, deadline: 0,
                    seq: UInt64(number), seconds: 0)
            }
        }
        for _ in 0..<8 { _ = table.evict(to: 0, steps: 50_000) { $0.seq < 2500 } }
        #expect(table.count == 2500)
        #expect(!table.evict(to: 0, steps: 50_000) { $0.seq < 2500 }, "a round in vain is told")
        _ = table.evict(to: 0, steps: 50_000) { $0.seq < 2600 }
        #expect(table.count == 2400)
        for number in 2500..<2600 {
            let key = Array("key-\(number)".utf8)
            key.withByteView { view in
                _ = table.put(
                    hash(view, keyspace: 1), keyspace: 1, replica: 0, key: view, value: view, deadline: 0,
                    seq: UInt64(number), seconds: 0)
            }
        }
        for number in 2500..<5000 {
            let key = Array("key-\(number)".utf8)
            key.withByteView { #expect(table.find(hash($0, keyspace: 1), keyspace: 1, key: $0) != nil) }
        }
        table.removeAll { _ in true }
        #expect(table.count == 0)
        #expect(table.bytes == 0)
    }
}
