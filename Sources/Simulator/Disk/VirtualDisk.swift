import ClusterModel
import DataCore

/// A data node's directory on a disk that keeps, at a power cut, what was synced and of the rest what chance leaves.
public final class VirtualDisk {
    let log: VirtualLog
    private var stores: [StoreID: VirtualStore] = [:]
    private var saved: (segments: [VirtualLog.Segment], stores: [StoreID: VirtualStore])?
    /// The cluster the directory belongs to, once it joined one.
    var cluster: UniqueID?

    init(log: UniqueID, segmentBytes: Int) {
        self.log = VirtualLog(log: log, segmentBytes: segmentBytes)
    }

    /// Why a directory cannot be opened.
    struct Unusable: Error, CustomStringConvertible {
        var description: String
    }

    /// What a start finds, as NodeRuntime's StoreRecovery tells it; the store of each replica goes on from what is sure.
    func open(_ node: NodeID) throws(Unusable) -> RecoveredNode {
        let opened: VirtualLog.Opened
        do {
            opened = try log.open()
        } catch {
            throw Unusable(description: "\(error)")
        }
        var replicas: [RecoveredNode.Replica] = []
        var lost: [RecoveredNode.Lost] = []
        var known: [StoreID: Seq] = [:]
        for control in opened.control.all {
            let id = StoreID(shard: control.shard, incarnation: control.incarnation)
            guard let configuration = control.configuration.withByteView({ ShardConfiguration(decoding: $0) }) else {
                continue
            }
            if stores[id] == nil { stores[id] = VirtualStore(usesSlots: configuration.range.isSlots) }
            stores[id]?.reopen()
            let sure = stores[id]?.applied.seq ?? .zero
            let judgement = ReplicaJudgement(
                control, first: opened.first[control.shard], durable: sure, seen: sure, syncsFirst: true)
            guard case .whole(let held) = judgement else {
                guard case .lost(let why) = judgement, configuration.hasOthers(than: node) else {
                    throw Unusable(description: "store \(id): \(judgement), and no other copy is known")
                }
                stores[id] = nil
                lost.append(RecoveredNode.Lost(id, why: why))
                continue
            }
            known[id] = held
            replicas.append(
                RecoveredNode.Replica(
                    shard: control.shard, incarnation: control.incarnation, configuration: configuration,
                    promised: control.promised, lastEpoch: control.lastEpoch, last: control.last, applied: held,
                    epochs: control.epochs, time: 0))
        }
        // A store that the log does not know is put aside before one of its name is made.
        for id in stores.keys.sorted() where known[id] == nil { stores[id] = nil }
        let batches = opened.batches.filter { batch in
            var isNeeded = false
            batch.forEachRecord { header, _ in
                let id = StoreID(shard: header.shard, incarnation: header.incarnation)
                guard let held = known[id] else { return }
                if header.kind.isNumbered && header.seq > held || header.kind == .truncate { isNeeded = true }
            }
            return isNeeded
        }
        for (index, batch) in batches.enumerated() { batch.ticket = UInt64(index + 1) }
        var found = RecoveredNode(cluster: cluster, replicas: replicas, batches: batches)
        found.lost = lost
        found.dropped = opened.control.dropped
        found.isDamaged = !opened.damages.isEmpty || opened.control.all.contains(where: \.isLost)
        return found
    }

    // MARK: Stores

    func openStore(_ id: StoreID, usesSlots: Bool) {
        if stores[id] == nil { stores[id] = VirtualStore(usesSlots: usesSlots) }
    }

    func dropStore(_ id: StoreID) { stores[id] = nil }
    func forgetHints(_ id: StoreID, through last: [UInt8]) { stores[id]?.forgetHints(through: last) }
    func flush() { for id in stores.keys.sorted() { stores[id]?.flush() } }

    /// What each store holds for sure.
    var applied: [StoreID: Seq] { stores.mapValues(\.applied.seq) }

    /// Applies a record. Gives its store's new mark.
    func apply(
        _ id: StoreID, _ header: RecordHeader, _ payload: ByteView, _ marks: inout [StoreID: DataInput.Applied]
    ) {
        guard stores[id] != nil else { return }
        stores[id]?.apply(header, payload)
        guard let applied = stores[id]?.applied else { return }
        marks[id] = DataInput.Applied(store: id, epoch: applied.epoch, seq: applied.seq, bytes: 0)
    }

    /// Rows of a snapshot; after the last chunk the store is durable.
    func install(_ chunk: SnapshotChunk, _ id: StoreID) { stores[id]?.install(chunk) }

    func answer(_ batch: RowBatch) {
        var row = ByteBuffer(capacity: 64)
        for index in batch.items.indices {
            let item = batch.items[index]
            guard let store = stores[item.store] else {
                batch.answer(index, .failed)
                continue
            }
            row.removeAll()
            RowKey.write(batch.key(index), usesSlots: item.usesSlots, to: &row)
            guard let bytes = store[row.view] else {
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
        store.answer(scan)
    }

    /// The data rows of a store; nil if there is no such store.
    func rows(_ id: StoreID) -> [(key: [UInt8], value: [UInt8])]? { stores[id]?.rows }

    /// Data rows of all stores.
    public var rowCount: Int { stores.values.reduce(0) { $0 + $1.rows.count } }  // order-free: a sum

    /// Whether the replica's life that a store was made for goes on here.
    func holds(_ id: StoreID) -> Bool { stores[id] != nil }

    // MARK: Old data

    /// Keeps a copy of everything, as a backup does, while no process has the directory open.
    func save() { saved = (log.segments, stores) }

    /// Puts the copy in place of what is there. False = there is none.
    func restore() -> Bool {
        guard let saved else { return false }
        log.replaceSegments(saved.segments)
        stores = saved.stores
        return true
    }

    // MARK: Losing power

    /// - Parameters:
    ///   - tears: what was not synced may be there in part, or be garbage.
    ///   - keeps: some of it may be there.
    func cutPower(_ chance: inout Chance, tears: Bool, keeps: Bool) {
        log.cutPower(&chance, tears: tears, keeps: keeps)
        for id in stores.keys.sorted() { stores[id]?.cutPower(&chance) }
    }
}
