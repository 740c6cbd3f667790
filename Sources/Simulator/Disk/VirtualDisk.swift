import ClusterModel
import DataCore

/// A data node's directory on a disk that keeps, at a power cut, what was synced and of the rest what chance leaves.
public final class VirtualDisk {
    let log: VirtualLog
    private var stores: [StoreID: VirtualStore] = [:]
    /// Stores put aside since their replicas had lost something.
    private var givenUp: Set<StoreID> = []
    private var saved: Copy?
    /// The starts it has seen.
    private(set) var starts: [BootNonce] = []
    /// The last start acknowledged what it had not synced, and has not stopped cleanly so far.
    var mayLack = false
    /// The cluster the directory belongs to, once it joined one.
    var cluster: UniqueID?
    var space: DiskSpace
    /// A sync failed: nobody starts on the directory until somebody looked at the disk (RULES E2).
    var isSuspect = false
    /// Whether the next sync of the log fails.
    var failsNextSync = false

    init(log: UniqueID, segmentBytes: Int) {
        self.log = VirtualLog(log: log, segmentBytes: segmentBytes)
        space = DiskSpace(segment: segmentBytes)
    }

    /// A copy of another disk's directory, as somebody makes it while its node runs or not.
    init(copyOf other: VirtualDisk) {
        log = other.log.copy()
        stores = other.stores
        givenUp = other.givenUp
        starts = other.starts
        cluster = other.cluster
        mayLack = other.mayLack
        space = DiskSpace(segment: other.log.segmentBytes)
    }

    /// What somebody keeps of a directory, to put it back later.
    private struct Copy {
        var segments: [VirtualLog.Segment]
        var stores: [StoreID: VirtualStore]
        var starts: [BootNonce]
        var givenUp: Set<StoreID>
    }

    /// Why a directory cannot be opened.
    enum Refusal: Error, CustomStringConvertible {
        case unusable(String)
        case suspect
        /// There is no room for what a start writes.
        case full

        var description: String {
            switch self {
            case .unusable(let why): why
            case .suspect: "a sync failed, and nobody looked at the disk since"
            case .full: "the disk is full"
            }
        }
    }

    /// What a start finds, as NodeRuntime's StoreRecovery tells it; the store of each replica goes on from what is sure.
    func open(_ node: NodeID, boot: BootNonce) throws(Refusal) -> RecoveredNode {
        if isSuspect { throw .suspect }
        space.prepare()
        if mayLack, !Mutant.c16TrustsUnsynced.isOn { starts = [] }
        starts.append(boot)
        let opened: VirtualLog.Opened
        do {
            opened = try log.open()
        } catch {
            throw .unusable("\(error)")
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
            // One that an earlier start gave up, which ended before the log said so, is not made again from the log.
            let judgement =
                givenUp.contains(id)
                ? .lost("an earlier start found that it lacks something", control.unknownEnd)
                : ReplicaJudgement(
                    control, first: opened.first[control.shard], durable: sure, seen: sure, syncsFirst: true)
            guard case .whole(let held) = judgement else {
                guard case .lost(let why, let end) = judgement, configuration.hasOthers(than: node) else {
                    throw .unusable("store \(id): \(judgement), and no other copy is known")
                }
                stores[id] = nil
                givenUp.insert(id)
                lost.append(RecoveredNode.Lost(control.shard, end, why: why))
                continue
            }
            known[id] = held
            replicas.append(
                RecoveredNode.Replica(
                    shard: control.shard, incarnation: control.incarnation, configuration: configuration,
                    promised: control.promised, lastEpoch: control.lastEpoch, last: control.last, applied: held,
                    epochs: control.epochs, time: 0))
        }
        // Each store that is opened begins files of its own; then the log begins a segment.
        _ = space.look()
        guard space.take(replicas.count * Self.openingBytes), roll() else { throw .full }
        // A store that the log does not know is put aside before one of its name is made.
        for id in stores.keys.sorted() where known[id] == nil { stores[id] = nil }
        let needs = StoreNeeds(applied: known)
        let batches = opened.batches.filter { needs.includes($0.records) }
        for (index, batch) in batches.enumerated() { batch.ticket = UInt64(index + 1) }
        var found = RecoveredNode(cluster: cluster, replicas: replicas, batches: batches)
        found.lost = lost
        found.dropped = opened.control.dropped
        found.isDamaged = !opened.damages.isEmpty || opened.control.all.contains(where: \.isLost)
        return found
    }

    // MARK: Stores

    /// Makes a store. False = the disk is full.
    func openStore(_ id: StoreID, usesSlots: Bool) -> Bool {
        guard stores[id] == nil else { return true }
        guard space.take(Self.openingBytes) else { return false }
        stores[id] = VirtualStore(usesSlots: usesSlots)
        return true
    }

    func dropStore(_ id: StoreID) { stores[id] = nil }

    /// False = the disk is full, as below.
    func forgetHints(_ id: StoreID, through last: [UInt8]) -> Bool {
        guard stores[id] != nil else { return true }
        guard space.take(Self.rowBytes) else { return false }
        stores[id]?.forgetHints(through: last)
        return true
    }

    /// Everything applied comes into table files.
    func flush() -> Bool {
        for id in stores.keys.sorted() {
            // What it takes the place of goes only then.
            guard space.has((stores[id]?.changed ?? 0) * Self.rowBytes) else { return false }
            stores[id]?.flush()
        }
        return true
    }

    /// The log goes on in another segment.
    func roll() -> Bool {
        guard space.takeSegment() else { return false }
        log.roll()
        return true
    }

    /// Segments of the log before this one hold nothing that is still needed.
    func releaseLog(below generation: UInt64) { space.giveSegments(log.release(below: generation)) }

    /// Bytes of the files that an opened store begins, and of a row beside its payload.
    private static let openingBytes = 512
    private static let rowBytes = 64

    /// What each store holds for sure.
    var applied: [StoreID: Seq] { stores.mapValues(\.applied.seq) }

    /// Applies a record. Gives its store's new mark.
    func apply(
        _ id: StoreID, _ header: RecordHeader, _ payload: ByteView, _ marks: inout [StoreID: DataInput.Applied]
    ) -> Bool {
        guard stores[id] != nil else { return true }
        guard space.take(payload.count + Self.rowBytes) else { return false }
        stores[id]?.apply(header, payload)
        guard let applied = stores[id]?.applied else { return true }
        marks[id] = DataInput.Applied(store: id, epoch: applied.epoch, seq: applied.seq, bytes: 0)
        return true
    }

    /// Rows of a snapshot; after the last chunk the store is durable.
    func install(_ chunk: SnapshotChunk, _ id: StoreID) -> Bool {
        let bytes = chunk.rows.reduce(Self.rowBytes) { $0 + $1.key.count + $1.value.count }
        guard space.take(bytes) else { return false }
        stores[id]?.install(chunk)
        return true
    }

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

    var storeIDs: [StoreID] { stores.keys.sorted() }

    // MARK: Old data

    /// The last start is registered.
    func forgetFormerStarts() {
        starts = starts.suffix(1)
        isSetBack = false
    }

    /// Whether it is an older one since its last registered start: nobody knows yet.
    private(set) var isSetBack = false

    /// Keeps a copy of everything, as a backup does, while no process has the directory open.
    func save() { saved = Copy(segments: log.segments, stores: stores, starts: starts, givenUp: givenUp) }

    var hasSaved: Bool { saved != nil }

    /// Puts the copy in place of what is there. False = there is none.
    func restore() -> Bool {
        guard let saved else { return false }
        log.replaceSegments(saved.segments)
        stores = saved.stores
        starts = saved.starts
        givenUp = saved.givenUp
        isSetBack = true
        return true
    }

    // MARK: Trouble

    /// Somebody makes room and looks at what a failed sync has left.
    func mend() {
        space.clear()
        isSuspect = false
        failsNextSync = false
    }

    // MARK: Losing power

    /// - Parameters:
    ///   - tears: what was not synced may be there in part, or be garbage.
    ///   - keeps: some of it may be there.
    func cutPower(_ chance: inout Chance, tears: Bool, keeps: Bool) {
        log.cutPower(&chance, tears: tears, keeps: keeps)
        for id in stores.keys.sorted() { stores[id]?.cutPower(&chance) }
        failsNextSync = false
    }

    /// A sync of the log, that may fail: of what it was to write all, some or nothing is on the disk, and no later sync
    /// writes what is not. Whether it went well.
    func syncLog(_ chance: inout Chance) -> Bool {
        let fails = failsNextSync
        failsNextSync = false
        if fails { log.loseUnsynced(&chance) }
        guard !fails || Mutant.e2GoesOnAfterFailedSync.isOn else { return false }
        log.noteSynced()
        return true
    }
}
