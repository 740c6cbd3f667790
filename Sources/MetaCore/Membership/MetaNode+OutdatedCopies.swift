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

    /// The next configurations of shards all of whose members came back with less than they may have had: an operator has
    /// put the whole shard back, or its machines lost their power before their logs were synced (RULES C16). There is nobody
    /// to learn from, so that the one with the longest log leads, once each of them was heard.
    func revivals() -> [ClusterCommand] {
        var commands: [ClusterCommand] = []
        for held in state.shards.values where commands.count < Self.batchLimit {
            guard let next = revived(held) else { continue }
            commands.append(.reconfigure(expected: held.value.epoch, next))
        }
        return commands
    }

    private func revived(_ held: Versioned<ShardConfiguration>) -> ShardConfiguration? {
        let shard = held.value
        // Nobody waits for a node that an operator has removed, whatever it had.
        let awaited = shard.members.filter { state.node($0.node).map { $0.standing != .removed } ?? false }
        guard !awaited.isEmpty, awaited.allSatisfy({ state.isOutdated($0, held.id) && isUp($0) }) else {
            return nil
        }
        // A copy that has ended since leaves the members: its node was heard, and says nothing of it.
        let copies = awaited.compactMap { member in report(of: member, held.id).map { (member, $0) } }
        let longest = copies.max { left, right in
            (left.1.lastEpoch ?? .none, left.1.last) < (right.1.lastEpoch ?? .none, right.1.last)
        }
        guard let best = Mutant.c16KeepsPrimary.isOn ? copies.first : longest else { return nil }
        return led(by: best.0, of: copies.map(\.0), shard)
    }
}
