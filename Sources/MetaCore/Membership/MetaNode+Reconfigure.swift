import ClusterModel

// META.RECONFIGURE: a compare-and-set of one shard's members (RULES B10, C0, C4, C13, C17).
extension MetaNode {
    func judgeReconfigure(_ request: ReconfigureRequest, _ draft: ClusterState) -> Judgement {
        let wished = request.configuration
        guard let current = draft.shard(wished.id) else {
            return refuse(nil, "shard \(wished.id) does not exist")
        }
        if current.proposal == wished.proposal, current.epoch == wished.epoch {
            // An earlier try of the same proposal has won; its answer was lost (RULES B10).
            guard wished.members.map(\.node) == current.members.map(\.node) else {
                return refuse(current, "request \(wished.proposal.request) of \(wished.proposal.proposer) was another")
            }
            return Judgement(answer: .reconfigured(wished.id))
        }
        guard request.expected == current.epoch else {
            return refuse(current, "the epoch of shard \(wished.id) is \(current.epoch), not \(request.expected)")
        }
        guard let next = current.epoch.successor, wished.epoch == next else {
            return refuse(current, "the epoch after \(current.epoch) is its successor, not \(wished.epoch)")
        }
        if let fault = fault(of: wished, current, draft) ?? unsafety(of: wished, current, draft) {
            return refuse(current, fault)
        }
        return Judgement(
            commands: [.reconfigure(expected: current.epoch, completed(wished, current, draft))],
            answer: .reconfigured(wished.id))
    }

    private func refuse(_ current: ShardConfiguration?, _ reason: String) -> Judgement {
        .answer(.reconfigure(ReconfigureAnswer(accepted: false, current: current, refusal: reason)))
    }

    /// What no configuration of this shard may be.
    private func fault(
        of wished: ShardConfiguration, _ current: ShardConfiguration, _ draft: ClusterState
    ) -> String? {
        if wished.keyspace != current.keyspace || wished.range != current.range {
            return "a reconfiguration changes members, not the keyspace or the range"
        }
        if wished.policy != current.policy { return "the policy is changed by 'shardctl keyspace set'" }
        if wished.members.isEmpty { return "a shard has at least one member" }
        if wished.proposal.proposer == "metasrv" { return "a proposer goes by another name than metasrv" }
        let replicas = wished.members + wished.learners
        if replicas.count > 64 { return "a shard has at most 64 replicas" }
        if Set(replicas.map(\.node)).count != replicas.count { return "a node holds at most one replica of a shard" }
        for replica in replicas {
            guard let node = draft.node(replica.node), node.standing != .removed else {
                return "node \(replica.node) is not registered"
            }
        }
        return nil
    }

    /// What would take a healthy shard down (RULES C13, C17).
    private func unsafety(
        of wished: ShardConfiguration, _ current: ShardConfiguration, _ draft: ClusterState
    ) -> String? {
        let reached = wished.members.filter { draft.node($0.node).map { isUp($0) } ?? false }
        let needed = min(wished.policy.minInSync, wished.members.count)
        guard let primary = wished.members.first, reached.contains(primary) else {
            return "node \(wished.members[0].node), the wished primary, is not up"
        }
        if reached.count < needed {
            return "\(reached.count) of the wished members are up, below the \(needed) that must be in sync"
        }
        guard let former = current.primary, former.node != primary.node else { return nil }
        if let giver = current.handedOverFrom, !hasBegun(current, draft) {
            // Given back, what was kept needs no hand-over to end. Before the giver has said so it may let go of the very
            // replica that it would be given back, and its number is never used again (RULES C15).
            if giver == primary.node, hasKept(current, giver, draft) == true { return nil }
            // A shard that is passed on before it has served is served by nobody.
            if draft.node(former.node).map({ isUp($0) }) == true {
                return "shard \(current.id) is still being handed over from \(giver) to \(former.node): try again"
            }
        }
        if current.member(on: primary.node) == nil, draft.node(former.node).map({ isUp($0) }) != true {
            return "node \(primary.node) holds no copy, and node \(former.node), which does, is not up to give it"
        }
        return nil
    }

    /// Fills in what the metadata group alone decides: the lives of new replicas, the primary's boot, the hand-over.
    private func completed(
        _ wished: ShardConfiguration, _ current: ShardConfiguration, _ draft: ClusterState
    ) -> ShardConfiguration {
        var next = wished
        func life(_ member: Member) -> Member {
            if let known = current.replica(on: member.node) { return known }
            // Given back by a node that took nothing: its former store is still there under its own number.
            if current.handedOverFrom == member.node, hasKept(current, member.node, draft) == true,
                let node = draft.node(member.node), let report = hearing(node)?.reports[wished.id]
            {
                return Member(node: member.node, incarnation: report.incarnation)
            }
            // A number no earlier replica of this shard had, since epochs only rise (RULES C15).
            return Member(node: member.node, incarnation: Incarnation(rawValue: wished.epoch.rawValue))
        }
        next.members = wished.members.map(life)
        next.learners = wished.learners.map(life).sorted()
        guard let primary = next.primary, let node = draft.node(primary.node) else { return next }
        next.primaryBoot = node.boot
        if let former = current.primary, former.node != primary.node {
            next.handedOverFrom = former.node
        } else {
            next.handedOverFrom = isHandedOver(current, draft) ? nil : current.handedOverFrom
        }
        return next
    }
}
