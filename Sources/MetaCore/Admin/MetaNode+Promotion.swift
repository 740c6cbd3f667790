import ClusterModel

// `shard promote`: an operator names the member that is to be primary (RULES C13).
extension MetaNode {
    func promote(
        _ id: ShardID, _ target: NodeID, _ isPlan: Bool, _ draft: ClusterState
    ) throws(AdminRefusal) -> Judgement {
        guard let shard = draft.shard(id), let former = shard.primary else {
            throw AdminRefusal(.notFound, "no such shard: \(id)")
        }
        guard draft.node(target) != nil else { throw .noNode(target) }
        if former.node == target {
            let summary = "node \(target) is the primary of shard \(id)"
            return .answer(.admin(.done(routeVersion: draft.routeVersion, summary: summary)))
        }
        guard let member = shard.member(on: target) else {
            let isLearner = shard.replica(on: target) != nil
            throw .refused("node \(target) \(isLearner ? "still learns" : "has no copy of") shard \(id)")
        }
        guard draft.node(target)?.standing == .member else {
            throw .refused("node \(target) is in maintenance or draining: it takes no role")
        }
        guard let next = handedOver(shard, to: member, draft) else {
            throw AdminRefusal(
                .unavailable, "shard \(id) does not serve just now, or node \(target) does not follow it: try again")
        }
        return outcome(
            .reconfigure(expected: shard.epoch, next), isPlan, draft,
            "make node \(target) the primary of shard \(id) in place of node \(former.node)")
    }

    /// The configuration in which another member is primary; nil unless the shard is served in this very epoch and that
    /// member takes part in it, so that the role is given away only to one who can go on.
    func handedOver(
        _ shard: ShardConfiguration, to member: Member, _ draft: ClusterState
    ) -> ShardConfiguration? {
        // One with an older directory follows, and may lack yet what the primary is to give it (RULES H1).
        guard member != shard.primary, serves(shard), isHandedOver(shard, draft), takesPart(member, shard),
            !isOutdated(member, shard.id, draft), let taker = draft.node(member.node), var next = shard.next
        else { return nil }
        next.members = [member] + shard.members.filter { $0 != member }
        next.primaryBoot = taker.boot
        next.handedOverFrom = shard.primary?.node
        return next
    }
}
