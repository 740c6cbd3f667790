import ClusterModel

// The route cache: deltas of the metadata group and corrections of other nodes come in, the look-up tables are rebuilt, and
// what they say of this node's own replicas is obeyed.
extension Engine {
    mutating func noteRoutes(_ delta: RouteDelta) {
        if let cluster, cluster != delta.cluster {
            effects.emit(
                note(.error, "a route delta of cluster \(delta.cluster) was dropped: this node is of \(cluster)"))
            return
        }
        switch routes.apply(delta) {
        case .applied:
            cluster = delta.cluster
            mapChanged()
        case .gap: beats.isDue = true
        case .ignored: break
        }
    }

    /// Another node says it holds a newer configuration.
    mutating func noteCorrection(_ configuration: ShardConfiguration) {
        guard routes.correct(configuration) else { return }
        stats.corrections += 1
        mapChanged()
    }

    /// Rebuilds the look-up tables, then adopts the configurations that name this node.
    mutating func mapChanged() {
        for keyspace in routes.keyspaces where keyspaceIndex[keyspace.name] == nil {
            keyspaceIndex[keyspace.name] = keyspaces.count
            keyspaces.append(KeyspaceIndex(name: keyspace.name))
        }
        keyspaceByID.removeAll(keepingCapacity: true)
        for index in keyspaces.indices { rebuild(index) }
        adoptConfigurations()
        linkReplicas()
        resumeParked {
            switch $0 {
            case .serving, .lookup: true
            default: false
            }
        }
        retryForwards()
    }

    private mutating func rebuild(_ index: Int) {
        guard let keyspace = routes.keyspace(named: keyspaces[index].name), let map = routes.map(of: keyspace.id) else {
            keyspaces[index].keyspace = nil
            keyspaces[index].map = nil
            keyspaces[index].entries = []
            keyspaces[index].slots = []
            return
        }
        // Most changes are of members and epochs, and leave every key where it was.
        let isSame = keyspaces[index].map == map
        keyspaces[index].keyspace = keyspace
        keyspaceByID[keyspace.id] = index
        keyspaces[index].map = map
        keyspaces[index].entries = map.ordered.map { id in
            let shard = routes.shard(id)
            return KeyspaceIndex.Entry(
                shard: id, epoch: shard?.epoch ?? .none, primary: shard?.primary?.node, replica: -1)
        }
        if keyspace.scheme.kind.usesSlots {
            if isSame, !keyspaces[index].slots.isEmpty { return }
            keyspaces[index].slots = (0..<Slot.count).map { Int16(truncatingIfNeeded: map.position(ofSlot: $0)) }
        } else {
            keyspaces[index].slots = []
        }
    }

    /// Leads the map's entries to the replicas here that act as their primaries.
    mutating func linkReplicas() {
        for index in keyspaces.indices {
            for entry in keyspaces[index].entries.indices {
                let shard = keyspaces[index].entries[entry].shard
                var replica = -1
                var reader = -1
                if let held = replicaIndex[shard],
                    replicas[held].configuration.epoch >= keyspaces[index].entries[entry].epoch
                {
                    if replicas[held].isLeading, replicas[held].configuration.primary?.node == settings.id {
                        replica = held
                    } else if replicas[held].state == .following,
                        replicas[held].configuration.policy.read != .primary
                    {
                        reader = held
                    }
                }
                keyspaces[index].entries[entry].replica = replica
                keyspaces[index].entries[entry].reader = reader
            }
        }
    }
}
