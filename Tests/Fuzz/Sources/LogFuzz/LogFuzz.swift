import ClusterModel
import DataCore

/// Records and ops of the node log: no trap, and what is read lies within what was given. The bytes are also written as
/// the payload of a record, which must come back.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = unsafe ByteView(base: start, count: count)
    var cursor = RecordCursor(bytes)
    var total = 0
    while let record = cursor.next() {
        total += RecordHeader.size + record.payload.count
        walkOps(record.payload)
    }
    precondition(total <= bytes.count && (cursor.isDamaged || total == bytes.count))
    walkOps(bytes)
    rewrite(bytes)
    return 0
}

private func walkOps(_ payload: ByteView) {
    var cursor = OpCursor(payload)
    var total = 0
    while let op = cursor.next() {
        switch op {
        case .put(let key, let value, _): total += key.count + value.count
        case .delete(let key): total += key.count
        case .flush, .time: break
        }
    }
    precondition(total <= payload.count)
}

private func rewrite(_ bytes: ByteView) {
    let batch = LogBatch(capacity: 256)
    batch.beginRecord(
        shard: ShardID(rawValue: 1), incarnation: .first, epoch: Epoch(rawValue: 1), seq: Seq(rawValue: 1), kind: .data)
    batch.append(bytes)
    batch.endRecord()
    var cursor = batch.records
    guard let record = cursor.next() else { preconditionFailure("a record that was written is not read") }
    precondition(record.payload == bytes && cursor.next() == nil && !cursor.isDamaged)
}
