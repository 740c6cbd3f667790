import ClusterModel

// Hand-over: the former primary of a shard releases it to the new one; until that is seen, the shard is left alone.
extension MetaNode {
    /// Whether nobody waits for a release of this shard any more: the new primary has served in this epoch, or the former
    /// one knows the epoch and holds no replica.
    func isHandedOver(_ shard: ShardConfiguration, _ draft: ClusterState) -> Bool {
        guard let former = shard.handedOverFrom else { return true }
        if let primary = shard.primary, let node = draft.node(primary.node), let found = hearing(node),
            let report = found.reports[shard.id], report.active >= shard.epoch
        {
            return true
        }
        guard let version = draft.shards[shard.id]?.version, let node = draft.node(former), let found = hearing(node)
        else { return false }
        return found.routeVersion >= version && found.reports[shard.id] == nil
    }

    /// A release may be lost with the process that was to take it. When the former primary has let go and the new one has
    /// still not begun, a new epoch lets it begin.
    func finishedHandOvers() -> [ClusterCommand] {
        var commands: [ClusterCommand] = []
        for held in state.shards.values where held.value.handedOverFrom != nil && commands.count < Self.batchLimit {
            var shard = held.value
            guard let primary = shard.primary, let node = state.node(primary.node), isUp(node),
                let found = hearing(node), found.routeVersion >= held.version,
                let report = found.reports[shard.id], report.active < shard.epoch,
                isHandedOver(shard, state), let epoch = shard.epoch.successor
            else { continue }
            let expected = shard.epoch
            shard.epoch = epoch
            shard.handedOverFrom = nil
            shard.primaryBoot = node.boot
            shard.proposal = Proposal(proposer: "metasrv", request: epoch.rawValue)
            commands.append(.reconfigure(expected: expected, shard))
        }
        return commands
    }
}
