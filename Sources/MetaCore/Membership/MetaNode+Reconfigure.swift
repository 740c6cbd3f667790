import ClusterModel

// META.RECONFIGURE: a compare-and-set of one shard's members (RULES B10, C0, C4, C13, C17).
extension MetaNode {
    func judgeReconfigure(_ request: ReconfigureRequest, _ draft: ClusterState) -> Judgement {
        let wished = request.configuration
        guard let current = draft.shard(wished.id) else {
            return refuse(nil, "shard \(wished.id) does not exist")
        }
        if current.proposal == wished.proposal, current.epoch == wished.epoch, !Mutant.b10RefusesOwnSuccess.isOn {
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
        if let fault = fault(of: wished, current, draft) { return refuse(current, fault) }
        do throws(Objection) {
            var judged = current
            if request.isActive == true || hasBegun(current, draft) { judged.unsettled = [] }
            try checkLog(of: wished, draft)
            let change =
                if let seals = request.seals {
                    try ProposedChange.sealed(wished, trusted(seals, wished.id, draft), of: judged)
                } else {
                    try ProposedChange(wished, of: judged, leavesBehind: request.leavesBehind == true)
                }
            try check(change, wished, current, draft)
            return Judgement(
                commands: [.reconfigure(expected: current.epoch, completed(wished, change, current, draft))],
                answer: .reconfigured(wished.id))
        } catch {
            return refuse(current, error.text)
        }
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
            // One that was removed while it was lost is a member until another has taken its place.
            if current.replica(on: replica.node) == replica { continue }
            guard let node = draft.node(replica.node), node.standing != .removed else {
                return "node \(replica.node) is not registered"
            }
        }
        return nil
    }

    /// Refuses what would take a healthy shard down (RULES C13, C17).
    private func check(
        _ change: ProposedChange, _ wished: ShardConfiguration, _ current: ShardConfiguration, _ draft: ClusterState
    ) throws(Objection) {
        guard let primary = wished.members.first, let former = current.primary else { return }
        func isUp(_ id: NodeID) -> Bool { draft.node(id).map { self.isUp($0) } ?? false }
        guard isUp(primary.node) else { throw Objection("node \(primary.node), the wished primary, is not up") }
        switch change {
        case .removal, .promotion, .takeOver: break
        case .handOver:
            if draft.node(primary.node)?.standing == .maintenance {
                throw Objection("node \(primary.node) is in maintenance")
            }
            if current.handedOverFrom != nil, !hasBegun(current, draft), isUp(former.node) { throw moving(current) }
        case .reassignment:
            if let giver = current.handedOverFrom, !hasBegun(current, draft) {
                // Given back, what was kept needs no hand-over to end. Before the giver has said so it may let go of the
                // very replica that it would be given back, and its number is never used again (RULES C15).
                if giver == primary.node, hasKept(current, giver, draft) == true { return }
                // A shard that is passed on before it has served is served by nobody.
                if isUp(former.node) { throw moving(current) }
            }
            guard isUp(former.node) else {
                throw Objection(
                    "node \(primary.node) holds no copy, and node \(former.node), which does, is not up to give it")
            }
        }
    }

    private func moving(_ current: ShardConfiguration) -> Objection {
        Objection(
            "shard \(current.id) is still being handed over from \(current.handedOverFrom?.rawValue ?? "") to "
                + "\(current.primary?.node.rawValue ?? ""): try again")
    }

    /// Fills in what the metadata group alone decides: the lives of new replicas, the primary's boot, the hand-over.
    private func completed(
        _ wished: ShardConfiguration, _ change: ProposedChange, _ current: ShardConfiguration, _ draft: ClusterState
    ) -> ShardConfiguration {
        var next = wished
        func life(_ member: Member) -> Member {
            if let known = current.replica(on: member.node) { return known }
            // One that an earlier configuration had and that holds what others may lack.
            if change == .takeOver { return member }
            // Given back by a node that took nothing: its former store is still there under its own number.
            if current.handedOverFrom == member.node, hasKept(current, member.node, draft) == true,
                let node = draft.node(member.node), let report = hearing(node)?.reports[wished.id]
            {
                return Member(node: member.node, incarnation: report.incarnation)
            }
            return Member(node: member.node, incarnation: self.life(in: wished.epoch))
        }
        next.members = wished.members.map(life)
        next.learners = wished.learners.map(life).sorted()
        guard let primary = next.primary, let node = draft.node(primary.node) else { return next }
        next.primaryBoot = node.boot
        next.handedOverFrom =
            switch change {
            // It waits for nobody: its own grants to the former primary have lapsed (RULES A7).
            case .takeOver: nil
            case .removal, .promotion: isHandedOver(current, draft) ? nil : current.handedOverFrom
            case .reassignment: current.primary?.node
            case .handOver:
                current.primary.flatMap { draft.node($0.node) }.flatMap { isUp($0) ? $0.id : nil }
            }
        return next
    }
}
