import ClusterModel

// Members that lack what they had (RULES H1): a directory from a backup, a machine that was set back. They take part again
// once their primary has sent them that; until then nobody goes on by what they hold.
extension MetaNode {
    /// Whether a member may lack what it acknowledged: its directory is older than one that was registered, or it was heard
    /// to have had more.
    func isOutdated(_ member: Member, _ shard: ShardID, _ draft: ClusterState) -> Bool {
        if draft.isOutdated(member, shard) { return true }
        guard report(of: member, shard) != nil, let node = state.node(member.node) else { return false }
        return hearing(node)?.floors[shard] != nil
    }

    /// Whether a node that registers has a directory from before the start that is registered: it does not know of it.
    func isSetBack(_ beat: Heartbeat, _ draft: ClusterState) -> Bool {
        guard let known = draft.node(beat.node.id), known.store == beat.node.store, let starts = beat.starts,
            !Mutant.h1TrustsOldData.isOn, !Mutant.h1ForgetsStarts.isOn
        else { return false }
        return !starts.contains(known.boot)
    }

    /// Refuses that somebody is primary who has lost what he had.
    func checkLog(of wished: ShardConfiguration, _ draft: ClusterState) throws(Objection) {
        guard let primary = wished.members.first, isOutdated(primary, wished.id, draft) else { return }
        throw Objection(
            "the log of \(primary) ends before what it had when it was heard last: it learns from the others first")
    }

    /// The seals whose word counts.
    func trusted(
        _ seals: [ReconfigureRequest.Seal], _ shard: ShardID, _ draft: ClusterState
    ) -> [ReconfigureRequest.Seal] {
        seals.filter { !isOutdated($0.member, shard, draft) }
    }

    /// New epochs for primaries that got none when they registered, with an older directory, and are trusted now: all the
    /// others came back with older ones too.
    func restartedPrimaries() -> [ClusterCommand] {
        var commands: [ClusterCommand] = []
        for held in state.shards.values where commands.count < Self.batchLimit {
            guard let primary = held.value.primary, let node = state.node(primary.node), isUp(node),
                held.value.primaryBoot != node.boot, !isOutdated(primary, held.id, state),
                let next = led(by: node, held.value, state)
            else { continue }
            commands.append(.reconfigure(expected: held.value.epoch, next))
        }
        return commands
    }
}
