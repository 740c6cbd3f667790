import ClusterModel

// Hand-over: the former primary of a shard releases it to the new one; until that is seen, the shard is left alone.
extension MetaNode {
    /// Whether nobody waits for a release of this shard any more: the new primary has served in this epoch, or the former
    /// one knows the epoch and holds no replica.
    func isHandedOver(_ shard: ShardConfiguration, _ draft: ClusterState) -> Bool {
        guard let former = shard.handedOverFrom else { return true }
        return hasBegun(shard, draft) || hasKept(shard, former, draft) == false
    }

    /// The configuration in which one of some members leads the others without the former primary's word: it begins when what
    /// it granted has lapsed (RULES A7).
    func led(by heir: Member, of members: [Member], _ shard: ShardConfiguration) -> ShardConfiguration? {
        guard let node = state.node(heir.node), var next = shard.next else { return nil }
        next.members = [heir] + members.filter { $0 != heir }
        next.primaryBoot = node.boot
        next.handedOverFrom = nil
        return next
    }

    /// Whether the primary was heard to have served in this very epoch.
    func hasBegun(_ shard: ShardConfiguration, _ draft: ClusterState) -> Bool {
        guard let primary = shard.primary, let node = draft.node(primary.node),
            let report = hearing(node)?.reports[shard.id]
        else { return false }
        return report.active >= shard.epoch
    }

    /// Whether a node that was to give a shard away knows of that and still holds its replica; nil = it was not heard
    /// since, and may let go at any moment.
    func hasKept(_ shard: ShardConfiguration, _ former: NodeID, _ draft: ClusterState) -> Bool? {
        guard let version = draft.shards[shard.id]?.version, let node = draft.node(former), let found = hearing(node),
            found.routeVersion >= version
        else { return nil }
        return found.reports[shard.id] != nil
    }

    /// A release may be lost with the process that was to take it. When the former primary has let go and the new one has
    /// still not begun, a new epoch lets it begin.
    func finishedHandOvers() -> [ClusterCommand] {
        var commands: [ClusterCommand] = []
        for held in state.shards.values where held.value.handedOverFrom != nil && commands.count < Self.batchLimit {
            let shard = held.value
            // With ack below all the new one alone may lack what was committed: that ends by a take-over with seals.
            guard shard.policy.ack == .all, let primary = shard.primary, let node = state.node(primary.node),
                isUp(node),
                let found = hearing(node), found.routeVersion >= held.version,
                let report = found.reports[shard.id], report.active < shard.epoch,
                isHandedOver(shard, state), var next = shard.next
            else { continue }
            next.handedOverFrom = nil
            next.primaryBoot = node.boot
            commands.append(.reconfigure(expected: shard.epoch, next))
        }
        return commands
    }
}
