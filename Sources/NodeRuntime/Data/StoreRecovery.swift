internal import ClusterModel
internal import DataCore
internal import LevelStore

/// From log and stores to what the core is told at start: each store is opened, and the batches are found that hold what
/// it lacks.
struct StoreRecovery {
    let node: RecoveredNode
    let applied: [StoreID: Seq]

    init(
        _ log: LogReader, _ stores: ShardStores, directory: NodeDirectory, sync: SyncMode,
        _ times: StartTimes = StartTimes()
    ) throws {
        var applied: [StoreID: Seq] = [:]
        var replicas: [RecoveredNode.Replica] = []
        var lost: [RecoveredNode.Lost] = []
        for control in log.control.all {
            let store = StoreID(shard: control.shard, incarnation: control.incarnation)
            let bytes = control.configuration
            guard let configuration = bytes.withByteView({ ShardConfiguration(decoding: $0) }) else {
                // Whether others have a copy is told by the map alone: the core ends it by that.
                continue
            }
            switch try Self.judge(control, configuration, log, stores, sync) {
            case .whole(let held), .shortened(let held):
                applied[store] = held
                replicas.append(
                    RecoveredNode.Replica(
                        shard: control.shard, incarnation: control.incarnation, configuration: configuration,
                        promised: control.promised, lastEpoch: control.lastEpoch, last: control.last, applied: held,
                        epochs: control.epochs, time: 0))
            case .lost(let why, let end):
                guard configuration.hasOthers(than: directory.identity.node) else {
                    throw Self.refusal(directory, store, log.damages, why)
                }
                try stores.giveUp(store)
                lost.append(RecoveredNode.Lost(control.shard, end, why: why))
            }
        }
        times.note("\(applied.count) stores")
        let batches = try log.batches(StoreNeeds(applied: applied))
        times.note("\(batches.count) batches to do again")
        var node = RecoveredNode(
            cluster: directory.identity.cluster, replicas: replicas.sorted { $0.shard < $1.shard }, batches: batches)
        node.lost = lost
        node.dropped = log.control.dropped
        node.isDamaged = !log.damages.isEmpty || log.control.all.contains(where: \.isLost)
        self.node = node
        self.applied = applied
    }

    /// The last copy of something is never given up by itself (RULES E2).
    private static func refusal(
        _ directory: NodeDirectory, _ store: StoreID, _ damages: [LogRecovery.Damage], _ why: String
    ) -> DiskError {
        let place = damages.first.map { "\($0); " } ?? ""
        return DiskError(
            "\(directory.path): \(place)store \(store): \(why); no other copy of this shard is known, so the node does not "
                + "start: restore the directory from a backup, or retire the node and accept the loss")
    }

    /// Opens a replica's store and compares it with the log.
    private static func judge(
        _ control: ShardControl, _ configuration: ShardConfiguration, _ log: LogReader, _ stores: ShardStores,
        _ sync: SyncMode
    ) throws -> ReplicaJudgement {
        let store = StoreID(shard: control.shard, incarnation: control.incarnation)
        if control.isLost {
            return ReplicaJudgement(control, first: nil, durable: .zero, seen: .zero, syncsFirst: true)
        }
        if stores.wasGivenUp(store) {
            return .lost(
                "an earlier start found that it lacks something; what its store holds lies beside", control.unknownEnd)
        }
        let first = log.first[control.shard]
        let isWhole = (first ?? Seq(rawValue: control.last.rawValue &+ 1)) <= Seq(rawValue: 1)
        do {
            try open(store, usesSlots: configuration.range.isSlots, isWhole: isWhole, stores)
        } catch {
            guard stores.isDamaged(store) else { throw error }
            return .lost("\(error)", control.end)
        }
        guard let database = stores.database(openNow: store) else {
            throw DiskError("store \(store) was closed while it was looked at")
        }
        let durable = try ShardStores.durable(database).seq
        let seen = max(durable, try ShardStores.applied(database).seq)
        let judgement = ReplicaJudgement(
            control, first: first, durable: durable, seen: seen, syncsFirst: sync == .always)
        if case .shortened(let held) = judgement {
            try ShardStores.cut(database, applied: (control.lastEpoch, control.last), durable: held)
        }
        return judgement
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
