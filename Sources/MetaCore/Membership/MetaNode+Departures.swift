import ClusterModel

// Nodes that are in maintenance or are emptied give the primary's role away, where another member can take it (RULES C13).
extension MetaNode {
    /// The next configurations of shards whose primary is to leave.
    func departures() -> [ClusterCommand] {
        var commands: [ClusterCommand] = []
        for entry in state.shards.values where commands.count < Self.batchLimit {
            let shard = entry.value
            guard let primary = shard.primary, let node = state.node(primary.node), node.standing != .member else {
                continue
            }
            let heirs = shard.members.filter { state.node($0.node)?.standing == .member }
            for heir in heirs {
                guard let next = handedOver(shard, to: heir, state) else { continue }
                commands.append(.reconfigure(expected: shard.epoch, next))
                break
            }
        }
        return commands
    }

    /// `node drain` and `node undrain`. Refused where the copies could go nowhere.
    func setDraining(
        _ id: NodeID, _ isOn: Bool, _ isPlan: Bool, _ draft: ClusterState
    ) throws(AdminRefusal) -> Judgement {
        guard isOn else {
            return try update(id, isPlan, draft, "stop emptying node \(id)") { $0.standing = .member }
        }
        let hosts = Set(draft.members.filter { $0.standing == .member && $0.id != id && isUp($0) }.map(\.fate))
        for entry in draft.shards.values where entry.value.replica(on: id) != nil {
            let shard = entry.value
            guard hosts.count >= shard.policy.replicas else {
                throw .refused(
                    "shard \(shard.id) is to have \(counted(shard.policy.replicas, "replica")), each on a host of its own, and without node "
                        + "\(id) there are \(hosts.count): start another node first, or lower replicas")
            }
        }
        let held = draft.replicas(on: id).all
        return try update(id, isPlan, draft, "empty node \(id) of its \(counted(held, "replica"))") {
            $0.standing = .draining
        }
    }
}
