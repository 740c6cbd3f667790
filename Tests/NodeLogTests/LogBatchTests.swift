import ClusterModel
import DataCore
import Testing

@Suite("A batch of records")
struct LogBatchTests {
    @Test("gives back the ops that were put into it, in order, and is reusable")
    func roundTrip() throws {
        let batch = LogBatch(capacity: 64)
        for round in 1...3 {
            batch.removeAll()
            batch.ticket = UInt64(round)
            #expect(batch.isEmpty && batch.recordCount == 0)
            batch.beginRecord(
                shard: ShardID(rawValue: 7), incarnation: .first, epoch: Epoch(rawValue: 3),
                seq: Seq(rawValue: UInt64(round)), kind: .data)
            bytes("key").withByteView { key in
                bytes("value \(round)").withByteView { batch.put(key: key, value: $0, deadline: 99) }
                batch.delete(key: key)
            }
            batch.flush()
            batch.time(-5)
            batch.put(key: .empty, value: .empty)
            batch.endRecord()
            batch.beginRecord(
                shard: ShardID(rawValue: 8), incarnation: .first, epoch: .none, seq: .zero, kind: .promise)
            batch.append(bytes("{}"))
            batch.cancelRecord()
            batch.beginRecord(
                shard: ShardID(rawValue: 9), incarnation: .first, epoch: .none, seq: .zero, kind: .promise)
            batch.append(bytes("{\"epoch\":4}"))
            batch.endRecord()
            #expect(batch.recordCount == 2)

            var seen: [String] = []
            batch.forEachRecord { header, payload in
                seen.append("\(header.kind) \(header.shard) \(header.seq)")
                guard header.kind == .data else {
                    seen.append(payload.text)
                    return
                }
                var ops = OpCursor(payload)
                while let op = ops.next() { seen.append(describe(op)) }
                #expect(!ops.isDamaged)
            }
            #expect(
                seen == [
                    "data 7 \(round)", "put key=value \(round) until 99", "delete key", "flush", "time -5",
                    "put = until 0", "promise 9 0", "{\"epoch\":4}",
                ])
        }
    }

    @Test("is sealed where it lies: others read it meanwhile", arguments: [1, 60, 4000, 4096, 70_000, 1 << 20])
    func staysInPlace(size: Int) {
        for extra in 0..<64 {
            let batch = LogBatch(capacity: 4096)
            batch.beginRecord(shard: .none, incarnation: .first, epoch: .none, seq: .zero, kind: .data)
            [UInt8](repeating: 7, count: size + extra).withByteView { batch.put(key: .empty, value: $0) }
            batch.endRecord()
            batch.finish()
            let (footprint, bytes) = (batch.footprint, batch.byteCount)
            let place = LogOffset(generation: 1, offset: 64)
            _ = batch.seal(
                BatchStamp(
                    log: UniqueID(high: 1, low: 2), place: place, syncedThrough: place, previousChecksum: 0,
                    isCheckpoint: false))
            #expect(batch.footprint == footprint && batch.byteCount == bytes)
        }
    }

    @Test("damaged ops end the cursor and never trap", arguments: 0..<40)
    func damagedOps(cut: Int) {
        let batch = LogBatch()
        batch.beginRecord(shard: .none, incarnation: .first, epoch: .none, seq: .zero, kind: .data)
        bytes("k").withByteView { batch.put(key: $0, value: $0) }
        batch.delete(key: .empty)
        batch.time(1)
        batch.endRecord()
        batch.forEachRecord { _, payload in
            var cutShort = OpCursor(payload[0..<cut])
            var ops = 0
            while cutShort.next() != nil { ops += 1 }
            #expect(ops <= 3)
            for value in [UInt8(0), 5, 0x80, 0xFF] {
                var damaged = payload.array
                guard cut < damaged.count else { continue }
                damaged[cut] = value
                damaged.withByteView { view in
                    var cursor = OpCursor(view)
                    while cursor.next() != nil {}
                }
            }
        }
    }

    /// B8: behind such a number there may be no next one.
    @Test("numbers that were never given end a batch", arguments: [Limits.counters, .max])
    func greatestNumbers(number: UInt64) {
        for place in 0..<3 {
            let batch = LogBatch()
            batch.beginRecord(
                shard: ShardID(rawValue: 1), incarnation: Incarnation(rawValue: place == 0 ? number : 1),
                epoch: Epoch(rawValue: place == 1 ? number : 1), seq: Seq(rawValue: place == 2 ? number : 1),
                kind: .data)
            batch.endRecord()
            var cursor = batch.records
            #expect(cursor.next() == nil)
            #expect(cursor.isDamaged)
        }
    }

    @Test("the record's header keeps every field")
    func header() throws {
        let batch = LogBatch()
        for kind in RecordKind.allCases {
            batch.removeAll()
            batch.beginRecord(
                shard: ShardID(rawValue: .max), incarnation: Incarnation(rawValue: 2),
                epoch: Epoch(rawValue: Limits.counters - 1),
                seq: Seq(rawValue: 77), kind: kind, flags: 200)
            batch.append([1, 2, 3])
            batch.endRecord()
            var cursor = batch.records
            let next = cursor.next()
            let record = try #require(next)
            #expect(
                record.header
                    == RecordHeader(
                        shard: ShardID(rawValue: .max), incarnation: Incarnation(rawValue: 2),
                        epoch: Epoch(rawValue: Limits.counters - 1), seq: Seq(rawValue: 77), kind: kind, flags: 200,
                        length: 3))
            #expect(record.payload.array == [1, 2, 3])
            let end = cursor.next()
            #expect(end == nil)
        }
    }

    private func describe(_ op: LogOp) -> String {
        switch op {
        case .put(let key, let value, let deadline): "put \(key.text)=\(value.text) until \(deadline)"
        case .delete(let key): "delete \(key.text)"
        case .flush: "flush"
        case .time(let wall): "time \(wall)"
        }
    }
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
