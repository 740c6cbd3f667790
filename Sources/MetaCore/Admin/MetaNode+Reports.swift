import ClusterModel

// What operators are shown: the durable state, and what was heard of the nodes in this term.
extension MetaNode {
    func report(_ request: AdminRequest) -> AdminAnswer {
        switch request {
        case .listKeyspaces: return .keyspaces(items: state.keyspaces.values.map { info($0.value) })
        case .listShards(let name):
            guard let name else {
                return .shards(items: state.keyspaces.values.flatMap { shardInfos(of: $0.value) })
            }
            guard let keyspace = state.keyspace(named: name) else {
                return .failed(code: .notFound, message: "no such keyspace: \(name)")
            }
            return .shards(items: shardInfos(of: keyspace))
        case .listNodes: return .nodes(items: nodeInfos)
        default: return .status(clusterStatus)
        }
    }

    /// The node that serves a shard now, as far as its beats tell.
    private func servingPrimary(_ shard: ShardConfiguration) -> NodeID? {
        guard let primary = shard.primary, let node = state.node(primary.node), isUp(node),
            let report = hearing(node)?.reports[shard.id], report.serving, report.role == .primary
        else { return nil }
        return primary.node
    }

    private func upMembers(_ shard: ShardConfiguration) -> Int {
        shard.members.count { member in state.node(member.node).map { isUp($0) } ?? false }
    }

    func serviceState(_ shard: ShardConfiguration) -> ServiceState {
        guard servingPrimary(shard) != nil else { return .down }
        return upMembers(shard) >= shard.policy.replicas ? .serving : .degraded
    }

    func info(_ keyspace: Keyspace) -> KeyspaceInfo {
        let states = state.shards(of: keyspace.id).map { serviceState($0) }
        let worst: ServiceState =
            states.contains(.down) ? .down : states.contains(.degraded) ? .degraded : .serving
        return KeyspaceInfo(keyspace: keyspace, shards: states.count, state: worst)
    }

    /// In the order of their ranges.
    func shardInfos(of keyspace: Keyspace) -> [ShardInfo] {
        let shards = state.shards(of: keyspace.id)
        return ShardMap(keyspace: keyspace, shards: shards).ordered.compactMap { id in
            guard let shard = state.shard(id) else { return nil }
            let holder = shard.primary.flatMap { state.node($0.node) }.flatMap { hearing($0) }
            return ShardInfo(
                configuration: shard, keyspace: keyspace.name, primary: servingPrimary(shard),
                state: serviceState(shard), bytes: holder?.reports[id]?.bytes ?? 0)
        }
    }

    private var nodeInfos: [NodeInfo] {
        var held: [NodeID: (primaries: Int, all: Int)] = [:]
        for shard in state.shards.values {
            for replica in shard.value.members + shard.value.learners {
                held[replica.node, default: (0, 0)].all += 1
            }
            if let primary = shard.value.primary { held[primary.node, default: (0, 0)].primaries += 1 }
        }
        return state.nodes.values.map { entry in
            let node = entry.value
            let standing: NodeInfo.State =
                switch node.standing {
                case .removed: .removed
                case .draining where isUp(node): .draining
                default: isUp(node) ? .up : .down
                }
            let found = hearing(node)
            return NodeInfo(
                node: node, state: standing, primaries: held[node.id]?.primaries ?? 0,
                replicas: held[node.id]?.all ?? 0, bytes: found?.bytes ?? 0,
                routeVersion: found?.routeVersion ?? .zero)
        }
    }

    private var clusterStatus: ClusterStatus {
        let members = state.members
        let up = members.count { isUp($0) }
        let shards = state.shards.values.map(\.value)
        let states = shards.map { serviceState($0) }
        let serving = states.count { $0 != .down }
        let short = shards.count { upMembers($0) < $0.policy.replicas }
        let spare = shards.map { shard in
            serviceState(shard) == .down ? 0 : max(0, upMembers(shard) - max(1, shard.policy.minInSync))
        }
        let tolerance = spare.min() ?? max(0, up - 1)
        let health: ClusterStatus.Health =
            states.contains(.down) ? .down : states.contains(.degraded) || short > 0 ? .degraded : .healthy
        return ClusterStatus(
            health: health, faultTolerance: tolerance,
            nodes: ClusterStatus.Nodes(up: up, down: members.count - up),
            shards: ClusterStatus.Shards(total: shards.count, serving: serving, underReplicated: short),
            meta: ClusterStatus.Meta(primary: settings.listen, standbys: []), routeVersion: state.routeVersion,
            warnings: warnings(members, up: up, tolerance: tolerance))
    }

    private func warnings(_ members: [Node], up: Int, tolerance: Int) -> [String] {
        var warnings: [String] = []
        if members.isEmpty { warnings.append("no node is registered: start a datasrv") }
        if members.count == 1 { warnings.append("there is one node: nothing survives its loss") }
        for node in members where !isUp(node) { warnings.append("node \(node.id) is down") }
        let together = lostTogether().map(\.id.rawValue).sorted()
        if !together.isEmpty {
            warnings.append(
                "nodes \(together.joined(separator: ", ")) were lost together: their copies are made elsewhere only when one of "
                    + "them is removed (shardctl node remove N)")
        }
        for node in members where node.standing == .maintenance { warnings.append("node \(node.id) is in maintenance") }
        for node in members where node.standing == .draining { warnings.append("node \(node.id) is draining") }
        if state.keyspaces.count == 0 {
            warnings.append("there is no keyspace: shardctl keyspace create default")
        } else if tolerance == 0 {
            warnings.append("fault tolerance is 0: some shards have no spare copy")
        }
        return warnings
    }
}
