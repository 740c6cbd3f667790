import ClusterModel

// Shards with fewer replicas than their keyspace wishes get learners, one a shard at a time; the shard's primary promotes
// each when it has caught up. Replicas beyond the wish go.
extension MetaNode {
    /// Learners that one node may have to take in at a time.
    static let learnersPerNode = 8

    /// The next configurations of shards that have not as many replicas as they should.
    func missingReplicas() -> [ClusterCommand] {
        if Mutant.h5RebuildsNothing.isOn { return [] }
        var commands: [ClusterCommand] = []
        var learning: [NodeID: Int] = [:]
        for shard in state.shards.values {
            for learner in shard.value.learners { learning[learner.node, default: 0] += 1 }
        }
        let together = lostTogether()
        for entry in state.shards.values where commands.count < Self.batchLimit {
            let shard = entry.value
            let isKept = isKeptUnsettled(shard)
            guard shard.isCopied || shard.members.contains(where: isDraining) || isKept, serves(shard),
                var next = shard.next
            else { continue }
            next.handedOverFrom = nil
            // A learner whose node is gone learns nothing any more.
            next.learners.removeAll { state.node($0.node).map(isLost) ?? true }
            let staying = next.members.count { stays($0) }
            if staying + next.learners.count >= next.policy.replicas {
                if let fewer = withoutSurplus(shard, next) {
                    next = fewer
                } else if !isKept {
                    continue
                }
            } else {
                guard let learner = learner(for: shard, in: next, learning, together) else { continue }
                learning[learner.node, default: 0] += 1
                next.learners = (next.learners + [learner]).sorted()
            }
            commands.append(.reconfigure(expected: shard.epoch, next))
        }
        return commands
    }

    /// Whether the primary was heard to serve in this very epoch: only then the next one may follow.
    func serves(_ shard: ShardConfiguration) -> Bool {
        shard.primary.map { takesPart($0, shard) } ?? false
    }

    /// Whether a member was heard to serve, or to have its primary's log, in this very epoch.
    func takesPart(_ member: Member, _ shard: ShardConfiguration) -> Bool {
        guard isUp(member), let report = report(of: member, shard.id) else { return false }
        return report.epoch == shard.epoch && report.serving
            && (report.role == .primary) == (member == shard.primary)
    }

    /// Whether a member's node is neither lost nor to be emptied. Where fewer than all must acknowledge, lost ones stay
    /// members until others have taken their place.
    private func stays(_ member: Member) -> Bool {
        state.node(member.node).map { !isLost($0) && $0.standing != .draining } ?? false
    }

    /// The configuration without one replica too many; nil = there is none, or too few of those that stay take part.
    private func withoutSurplus(_ shard: ShardConfiguration, _ next: ShardConfiguration) -> ShardConfiguration? {
        let settled = shard.members.filter { stays($0) && takesPart($0, shard) }
        guard settled.count >= shard.policy.replicas else { return nil }
        var fewer = next
        if !shard.learners.isEmpty {
            fewer.learners = []
            return fewer
        }
        let isTooMany = settled.count > shard.policy.replicas
        guard
            let gone = shard.members.last(where: { member in
                member != shard.primary && (isTooMany && settled.contains(member) || isDraining(member))
            })
        else { return nil }
        fewer.members.removeAll { $0 == gone }
        return fewer
    }

    /// Whether a node keeps a copy that was left out, for as long as the configuration before is not settled: it may be asked
    /// how far its log is, and holds back its log's segments. The configuration that follows one that serves settles it.
    private func isKeptUnsettled(_ shard: ShardConfiguration) -> Bool {
        // A learner's promotion is such a configuration.
        guard shard.learners.isEmpty, !Mutant.e8SettlesNothing.isOn else { return false }
        return state.asked(shard).contains { !shard.members.contains($0) && report(of: $0, shard.id) != nil }
    }

    private func isDraining(_ member: Member) -> Bool { state.node(member.node)?.standing == .draining }

    /// Who should take a copy: a node that still has one, which needs the log's end alone; else, once nobody may come back
    /// with his, the least loaded on a host of its own.
    private func learner(
        for shard: ShardConfiguration, in next: ShardConfiguration, _ learning: [NodeID: Int], _ together: [Node]
    ) -> Member? {
        let held = next.members + next.learners
        // A copy that is to go, or that nobody waits for, takes up no host.
        let hosts = held.filter { stays($0) || next.learners.contains($0) }.compactMap { state.node($0.node)?.fate }
        let others = state.members.filter { node in
            node.standing != .draining && !held.contains { $0.node == node.id }
        }
        let present = others.filter {
            isPresent($0) && learning[$0.id, default: 0] < Self.learnersPerNode && !isHeldOff($0, shard.id)
        }
        for node in present {
            guard let report = hearing(node)?.reports[shard.id], report.role != .primary || report.epoch < shard.epoch,
                !hosts.contains(node.fate)
            else { continue }
            return Member(node: node.id, incarnation: report.incarnation)
        }
        let isAwaited = others.contains {
            (!isPresent($0) && !isLost($0) || isHeldOffAtFirst($0, shard.id)) && mayHold($0, shard.id)
        }
        guard !isAwaited, !together.contains(where: { mayHold($0, shard.id) }) else { return nil }
        let zones = held.compactMap { state.node($0.node)?.zone }
        // A node in maintenance takes back what it had, and nothing new.
        let fit = present.filter { node in
            node.standing == .member && !hosts.contains(node.fate) && hearing(node)?.reports[shard.id] == nil
        }
        let best = fit.min { left, right in
            let isNew = (zones.contains(left.zone) ? 1 : 0, zones.contains(right.zone) ? 1 : 0)
            if isNew.0 != isNew.1 { return isNew.0 < isNew.1 }
            let load = (
                Double(state.replicas(on: left.id).all + 1) / left.weight,
                Double(state.replicas(on: right.id).all + 1) / right.weight
            )
            return load.0 != load.1 ? load.0 < load.1 : left.id < right.id
        }
        return best.map { Member(node: $0.id, incarnation: life(in: next.epoch)) }
    }

    /// The number of a replica that begins in an epoch: one that no earlier replica of its shard had, since epochs only rise
    /// (RULES C14).
    func life(in epoch: Epoch) -> Incarnation {
        Mutant.c14ReusesNumbers.isOn ? .first : Incarnation(rawValue: epoch.rawValue)
    }
}

extension Node {
    /// What it shares its fate with: its host, or itself when none is named.
    var fate: String { host.isEmpty ? "node \(id)" : host }
}
