internal import ClusterModel
internal import DataCore
internal import LevelStore

/// From log and stores to what the core is told at start: each store is opened, and the batches are found that hold what
/// it lacks.
struct StoreRecovery {
    let node: RecoveredNode
    let applied: [StoreID: Seq]

    init(_ log: LogReader, _ stores: ShardStores, cluster: UniqueID?, sync: SyncMode) throws {
        var applied: [StoreID: Seq] = [:]
        var replicas: [RecoveredNode.Replica] = []
        for control in log.control.all {
            let bytes = control.configuration
            guard let configuration = bytes.withByteView({ ShardConfiguration(decoding: $0) }) else { continue }
            let store = StoreID(shard: control.shard, incarnation: control.incarnation)
            // The first record that the log still has of the shard, or the one that would come next.
            let begins = log.first[control.shard] ?? Seq(rawValue: control.last.rawValue &+ 1)
            try Self.open(store, usesSlots: configuration.range.isSlots, isWhole: begins <= Seq(rawValue: 1), stores)
            guard let database = stores.database(openNow: store) else { continue }
            var held = try ShardStores.durable(database).seq
            guard held.rawValue &+ 1 >= begins.rawValue else {
                throw DiskError(
                    "store \(store) surely holds records up to \(held), the log begins at \(begins): some are lost; "
                        + "restore the directory from a backup")
            }
            let seen = max(held, try ShardStores.applied(database).seq)
            if seen > control.last {
                guard sync != .always else {
                    throw DiskError(
                        "store \(store) holds record \(seen), the log ends at \(control.last): the log lost its end; "
                            + "restore the directory from a backup")
                }
                // Without a sync before each answer the log may lose more of its end than the store: that was agreed to.
                // What the store knows of seqs above is forgotten, since the next records take them again.
                held = min(held, control.last)
                try ShardStores.cut(database, applied: (control.lastEpoch, control.last), durable: held)
            }
            applied[store] = held
            replicas.append(
                RecoveredNode.Replica(
                    shard: control.shard, incarnation: control.incarnation, configuration: configuration,
                    promised: control.promised, lastEpoch: control.lastEpoch, last: control.last, applied: held,
                    epochs: control.epochs, time: 0))
        }
        let batches = try log.batches { header in
            guard header.kind.isNumbered || header.kind == .truncate else { return false }
            let store = StoreID(shard: header.shard, incarnation: header.incarnation)
            guard let held = applied[store] else { return false }
            // A cut voids records of batches before it.
            return header.seq > held || header.kind == .truncate
        }
        node = RecoveredNode(cluster: cluster, replicas: replicas.sorted { $0.shard < $1.shard }, batches: batches)
        self.applied = applied
    }

    /// Opens a store. One that LevelDB refuses is made again if the log has every record of its life (RULES E4).
    private static func open(
        _ store: StoreID, usesSlots: Bool, isWhole: Bool, _ stores: ShardStores
    ) throws(DiskError) {
        do {
            try stores.open(store, usesSlots: usesSlots, isNew: isWhole && !stores.holdsDatabase(store))
        } catch {
            guard isWhole, stores.isDamaged(store) else { throw error }
            try stores.setAside(store)
            try stores.open(store, usesSlots: usesSlots, isNew: true)
        }
    }
}
