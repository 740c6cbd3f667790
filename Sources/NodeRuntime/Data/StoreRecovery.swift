internal import ClusterModel
internal import DataCore
internal import LevelStore

/// From log and stores to what the core is told at start: each store is opened, and the batches are found that hold what
/// it lacks.
struct StoreRecovery {
    let node: RecoveredNode
    let applied: [StoreID: Seq]

    init(_ log: LogReader, _ stores: ShardStores, cluster: UniqueID?) throws {
        var applied: [StoreID: Seq] = [:]
        var replicas: [RecoveredNode.Replica] = []
        for control in log.control.all {
            let bytes = control.configuration
            guard let configuration = bytes.withByteView({ ShardConfiguration(decoding: $0) }) else { continue }
            let store = StoreID(shard: control.shard, incarnation: control.incarnation)
            let usesSlots = if case .slots = configuration.range { true } else { false }
            let isWhole = log.first[control.shard].map { $0 <= Seq(rawValue: 1) } ?? (control.last == .zero)
            try stores.open(store, usesSlots: usesSlots, isNew: isWhole && !stores.holdsDatabase(store))
            guard let database = stores.database(openNow: store) else { continue }
            let held = try ShardStores.applied(database).seq
            if let first = log.first[control.shard], held.rawValue + 1 < first.rawValue {
                throw DiskError(
                    "store \(store) holds records up to \(held), the log begins at \(first): some are lost; restore the "
                        + "directory from a backup")
            }
            guard held <= control.last else {
                throw DiskError(
                    "store \(store) holds record \(held), the log ends at \(control.last): the log lost its end; restore "
                        + "the directory from a backup")
            }
            applied[store] = held
            replicas.append(
                RecoveredNode.Replica(
                    shard: control.shard, incarnation: control.incarnation, configuration: configuration,
                    lastEpoch: control.lastEpoch, last: control.last, applied: held, time: 0))
        }
        let batches = try log.batches { header in
            guard header.kind.isNumbered else { return false }
            let store = StoreID(shard: header.shard, incarnation: header.incarnation)
            guard let held = applied[store] else { return false }
            return header.seq > held
        }
        node = RecoveredNode(cluster: cluster, replicas: replicas.sorted { $0.shard < $1.shard }, batches: batches)
        self.applied = applied
    }
}
