import ClusterModel

// Members whose copies have ended at their own nodes (RULES C14, E2, E3): the map still counts them, and nobody will ever
// answer by their number. No primary serves that waits for their grants, and with few members the others may not leave them
// out, since for all they know they are merely cut off (RULES C17). The metadata group knows better.
extension MetaNode {
    /// The next configurations of shards that have such members. One of them may have fewer than min-in-sync: it reads, and
    /// writes once another copy has taken their place.
    func withoutEndedCopies() -> [ClusterCommand] {
        if Mutant.e3KeepsEndedMembers.isOn { return [] }
        var commands: [ClusterCommand] = []
        for held in state.shards.values where held.value.members.count > 1 && commands.count < Self.batchLimit {
            let kept = held.value.members.filter { !hasEnded($0, of: held) && !isOutdated($0, held.id, state) }
            // As long as nobody is there who has all of it they stay: they may be all that is left in the end.
            guard kept.count < held.value.members.count, kept.contains(where: { holds($0, held.id) }),
                let next = goingOn(held.value, with: kept)
            else { continue }
            commands.append(.reconfigure(expected: held.value.epoch, next))
        }
        return commands
    }

    /// Whether a member's node lives, knows the configuration and has no replica by that number.
    private func hasEnded(_ member: Member, of held: Versioned<ShardConfiguration>) -> Bool {
        guard let node = state.node(member.node), isUp(node), let found = hearing(node),
            found.routeVersion >= held.version
        else { return false }
        return found.reports[held.id]?.incarnation != member.incarnation
    }

    private func goingOn(_ shard: ShardConfiguration, with kept: [Member]) -> ShardConfiguration? {
        guard var next = shard.next else { return nil }
        next.members = kept
        if next.primary == shard.primary { return next }
        // Any member has all that was committed, and begins when what it granted has lapsed (RULES A7). With ack below all
        // they seal each other and find out who has.
        guard shard.isHeldByAll, let heir = kept.first(where: { holds($0, shard.id) }), let node = state.node(heir.node)
        else { return nil }
        next.members = [heir] + kept.filter { $0 != heir }
        next.primaryBoot = node.boot
        next.handedOverFrom = nil
        return next
    }

    /// Whether a member was heard to have its copy.
    private func holds(_ member: Member, _ shard: ShardID) -> Bool {
        report(of: member, shard) != nil && isUp(member)
    }
}
