import ClusterModel

@testable import DataCore

/// A node's log and stores as of the last sync: what a crash leaves is what was synced, no more.
final class VirtualDisk {
    struct Record {
        var header: RecordHeader
        var payload: [UInt8]
    }

    struct LoggedBatch {
        var ticket: UInt64
        var records: [Record]
    }

    struct Store {
        var rows: [[UInt8]: [UInt8]] = [:]
        var applied: UInt64 = 0
        var usesSlots = true
    }

    /// Batches on disk.
    private(set) var synced: [LoggedBatch] = []
    /// Batches written, not synced.
    private(set) var unsynced: [LoggedBatch] = []
    /// What LevelDB answers from, and what of it is in table files.
    private(set) var stores: [StoreID: Store] = [:]
    private var durableStores: [StoreID: Store] = [:]
    /// Batches of this process in the order of their tickets.
    private(set) var unapplied: [(batch: LogBatch, logged: LoggedBatch)] = []

    func persist(_ batch: LogBatch) {
        var records: [Record] = []
        batch.forEachRecord { header, payload in records.append(Record(header: header, payload: payload.array)) }
        let logged = LoggedBatch(ticket: batch.ticket, records: records)
        unsynced.append(logged)
        unapplied.append((batch, logged))
    }

    /// Syncs the first `count` batches; gives the ticket that is durable now.
    func sync(_ count: Int) -> UInt64? {
        let taken = min(count, unsynced.count)
        guard taken > 0 else { return nil }
        synced += unsynced[..<taken]
        unsynced.removeFirst(taken)
        return synced.last?.ticket
    }

    func openStore(_ id: StoreID, usesSlots: Bool) {
        if stores[id] == nil { stores[id] = Store(usesSlots: usesSlots) }
    }

    func dropStore(_ id: StoreID) {
        stores[id] = nil
        durableStores[id] = nil
    }

    /// Applies the next batches up to a ticket, at most `count`.
    func apply(through ticket: UInt64, _ count: Int) -> (marks: [DataInput.Applied], spent: [LogBatch]) {
        var marks: [StoreID: DataInput.Applied] = [:]
        var spent: [LogBatch] = []
        while let next = unapplied.first, next.batch.ticket <= ticket, spent.count < count {
            for record in next.logged.records where record.header.kind.isNumbered {
                let id = StoreID(shard: record.header.shard, incarnation: record.header.incarnation)
                guard var store = stores[id], record.header.seq.rawValue > store.applied else { continue }
                if record.header.kind == .data { Self.apply(record.payload, to: &store) }
                store.applied = record.header.seq.rawValue
                stores[id] = store
                marks[id] = DataInput.Applied(store: id, epoch: record.header.epoch, seq: record.header.seq, bytes: 0)
            }
            spent.append(next.batch)
            unapplied.removeFirst()
        }
        return (marks.values.sorted { $0.store < $1.store }, spent)
    }

    private static func apply(_ payload: [UInt8], to store: inout Store) {
        payload.withByteView { view in
            var ops = OpCursor(view)
            while let op = ops.next() {
                switch op {
                case .put(let key, let value, let deadline):
                    var stored = ByteBuffer()
                    StoredValue.write(value, deadline: deadline, to: &stored)
                    store.rows[rowKey(key, store.usesSlots)] = stored.view.array
                    if deadline != 0 { store.rows[RowKey.hint(deadline: deadline, key: key.array)] = [] }
                case .delete(let key): store.rows[rowKey(key, store.usesSlots)] = nil
                case .flush: store.rows = [:]
                case .time: break
                }
            }
        }
    }

    static func rowKey(_ key: ByteView, _ usesSlots: Bool) -> [UInt8] {
        var row = ByteBuffer()
        RowKey.write(key, usesSlots: usesSlots, to: &row)
        return row.view.array
    }

    func forgetHints(_ id: StoreID, through: [UInt8]) {
        guard let store = stores[id] else { return }
        for key in store.rows.keys.sorted(by: { $0.lexicographicallyPrecedes($1) })
        where key[0] == RowKey.hintKind && !through.lexicographicallyPrecedes(key) {
            stores[id]?.rows[key] = nil
        }
    }

    /// LevelDB writes its memory to table files.
    func flush() { durableStores = stores }

    /// Power cut: what was not synced is gone; of the stores either what was flushed or a later state is left.
    func crash(keepsStores: Bool) {
        unsynced = []
        unapplied = []
        if !keepsStores {
            for id in stores.keys.sorted() {
                stores[id] = durableStores[id] ?? Store(usesSlots: stores[id]?.usesSlots ?? true)
            }
        }
    }

    /// What a start finds.
    func recovered(cluster: UniqueID?) -> RecoveredNode {
        var control = ControlState()
        for batch in synced {
            for record in batch.records { record.payload.withByteView { control.note(record.header, $0) } }
        }
        var replicas: [RecoveredNode.Replica] = []
        for shard in control.all {
            let id = StoreID(shard: shard.shard, incarnation: shard.incarnation)
            guard let configuration = shard.configuration.withByteView({ ShardConfiguration(decoding: $0) }) else {
                continue
            }
            replicas.append(
                RecoveredNode.Replica(
                    shard: shard.shard, incarnation: shard.incarnation, configuration: configuration,
                    lastEpoch: shard.lastEpoch, last: shard.last, applied: Seq(rawValue: stores[id]?.applied ?? 0),
                    time: 0))
        }
        var batches: [LogBatch] = []
        for logged in synced where logged.records.contains(where: { isNeeded($0.header) }) {
            let batch = LogBatch()
            for record in logged.records {
                batch.beginRecord(
                    shard: record.header.shard, incarnation: record.header.incarnation, epoch: record.header.epoch,
                    seq: record.header.seq, kind: record.header.kind)
                batch.append(record.payload)
                batch.endRecord()
            }
            batch.ticket = UInt64(batches.count + 1)
            batches.append(batch)
            unapplied.append((batch, LoggedBatch(ticket: batch.ticket, records: logged.records)))
        }
        return RecoveredNode(cluster: cluster, replicas: replicas, batches: batches)
    }

    private func isNeeded(_ header: RecordHeader) -> Bool {
        guard header.kind.isNumbered,
            let store = stores[StoreID(shard: header.shard, incarnation: header.incarnation)]
        else { return false }
        return header.seq.rawValue > store.applied
    }

    // MARK: Reading

    func answer(_ batch: RowBatch) {
        for index in batch.items.indices {
            let item = batch.items[index]
            guard let store = stores[item.store] else {
                batch.answer(index, .failed)
                continue
            }
            guard let bytes = store.rows[Self.rowKey(batch.key(index), item.usesSlots)] else {
                batch.answer(index, .absent)
                continue
            }
            bytes.withByteView { view in
                guard let stored = StoredValue(view) else { return batch.answer(index, .failed) }
                batch.answer(index, value: stored.value, deadline: stored.deadline)
            }
        }
    }

    func answer(_ scan: Scan) {
        guard let store = stores[scan.store] else {
            scan.isFailed = true
            return
        }
        let inside = store.rows.keys.filter { key in
            !key.lexicographicallyPrecedes(scan.from)
                && (scan.to.map { key.lexicographicallyPrecedes($0) } ?? true)
        }.sorted { $0.lexicographicallyPrecedes($1) }
        var group: [UInt8] = []
        for key in scan.isReverse ? inside.reversed() : inside {
            let prefix = Array((key + [UInt8](repeating: 0, count: 16))[..<scan.groupPrefix])
            if scan.count >= scan.limit, scan.groupPrefix == 0 || prefix != group {
                scan.next = scan.isReverse ? key + [0] : key
                return
            }
            group = prefix
            key.withByteView { row in
                (store.rows[key] ?? []).withByteView { bytes in
                    if scan.isRaw { return scan.add(key: row, value: .empty) }
                    guard let name = RowKey.key(of: row, usesSlots: scan.usesSlots), let stored = StoredValue(bytes),
                        stored.deadline == 0 || stored.deadline > scan.now
                    else { return }
                    scan.add(key: name, value: stored.value)
                }
            }
        }
        scan.isComplete = true
    }
}
