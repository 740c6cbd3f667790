import ClusterModel

// Shards with fewer replicas than their keyspace wishes get learners, one a shard at a time; the shard's primary promotes
// each when it has caught up.
extension MetaNode {
    /// Learners that one node may have to take in at a time.
    static let learnersPerNode = 8
    /// ms of silence after which a node may be on its way back with the copies it had.
    static let absence: UInt64 = 2000

    /// The next configurations of shards that lack replicas.
    func missingReplicas() -> [ClusterCommand] {
        if Mutant.h5RebuildsNothing.isOn { return [] }
        var commands: [ClusterCommand] = []
        var learning: [NodeID: Int] = [:]
        for shard in state.shards.values {
            for learner in shard.value.learners { learning[learner.node, default: 0] += 1 }
        }
        for entry in state.shards.values where commands.count < Self.batchLimit {
            let shard = entry.value
            guard shard.policy.replicas > 1, serves(shard), var next = shard.next else { continue }
            // A learner whose node is gone learns nothing any more.
            next.learners.removeAll { learner in state.node(learner.node).map { !isUp($0) } ?? true }
            guard next.members.count + next.learners.count < next.policy.replicas,
                let learner = learner(for: shard, in: next, learning)
            else { continue }
            learning[learner.node, default: 0] += 1
            next.learners = (next.learners + [learner]).sorted()
            next.handedOverFrom = nil
            commands.append(.reconfigure(expected: shard.epoch, next))
        }
        return commands
    }

    /// Whether the primary was heard to serve in this very epoch: only then the next one may follow.
    func serves(_ shard: ShardConfiguration) -> Bool {
        guard let primary = shard.primary, let node = state.node(primary.node), isUp(node),
            let report = hearing(node)?.reports[shard.id]
        else { return false }
        return report.epoch == shard.epoch && report.serving && report.role == .primary
    }

    /// Who should take a copy: a node that still has one, which needs the log's end alone; else, once nobody may come back
    /// with his, the least loaded on a host of its own.
    private func learner(
        for shard: ShardConfiguration, in next: ShardConfiguration, _ learning: [NodeID: Int]
    ) -> Member? {
        let held = next.members + next.learners
        let hosts = held.compactMap { state.node($0.node)?.fate }
        let others = state.members.filter { node in
            node.standing == .member && !held.contains { $0.node == node.id }
        }
        let present = others.filter { isPresent($0) && learning[$0.id, default: 0] < Self.learnersPerNode }
        for node in present {
            guard let report = hearing(node)?.reports[shard.id], report.role != .primary || report.epoch < shard.epoch,
                !hosts.contains(node.fate)
            else { continue }
            return Member(node: node.id, incarnation: report.incarnation)
        }
        guard !others.contains(where: { isUp($0) && !isPresent($0) }) else { return nil }
        let zones = held.compactMap { state.node($0.node)?.zone }
        let fit = present.filter { !hosts.contains($0.fate) && hearing($0)?.reports[shard.id] == nil }
        let best = fit.min { left, right in
            let isNew = (zones.contains(left.zone) ? 1 : 0, zones.contains(right.zone) ? 1 : 0)
            if isNew.0 != isNew.1 { return isNew.0 < isNew.1 }
            let load = (
                Double(state.replicas(on: left.id).all + 1) / left.weight,
                Double(state.replicas(on: right.id).all + 1) / right.weight
            )
            return load.0 != load.1 ? load.0 < load.1 : left.id < right.id
        }
        // A number no earlier replica of this shard had, since epochs only rise (RULES C15).
        return best.map { Member(node: $0.id, incarnation: Incarnation(rawValue: next.epoch.rawValue)) }
    }

    /// Whether a node was heard just now, so that what it reports is what it has.
    private func isPresent(_ node: Node) -> Bool {
        guard isUp(node), let found = hearing(node) else { return false }
        return elapsed(since: found.last) < Self.absence && found.routeVersion == state.routeVersion
    }
}

extension Node {
    /// What it shares its fate with: its host, or itself when none is named.
    var fate: String { host.isEmpty ? "node \(id)" : host }
}
