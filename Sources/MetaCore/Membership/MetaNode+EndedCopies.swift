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
        for held in state.shards.values where commands.count < Self.batchLimit {
            guard let next = withoutEnded(held) ?? takenBack(held) else { continue }
            commands.append(.reconfigure(expected: held.value.epoch, next))
        }
        return commands
    }

    private func withoutEnded(_ held: Versioned<ShardConfiguration>) -> ShardConfiguration? {
        let members = held.value.members
        guard members.count > 1 else { return nil }
        let kept = members.filter { !hasEnded($0, of: held) && !isOutdated($0, held.id, state) }
        // As long as nobody is there who has all of it they stay: they may be all that is left in the end.
        guard kept.count < members.count, kept.contains(where: { holds($0, held.id) }) else { return nil }
        return goingOn(held.value, with: kept)
    }

    /// The former members, where the only ones of the newest configuration have ended before they knew of it: a proposal
    /// came late whose proposer had died meanwhile, and its next start gave its copy up, since by its log there were others.
    ///
    /// With ack=all those others have all that was committed up to the epoch that the former primary promised, and nothing
    /// was in a later one: each has had this very primary, and none has begun. They have copies for as long as the newest
    /// configuration has fewer members than there are to be copies.
    private func takenBack(_ held: Versioned<ShardConfiguration>) -> ShardConfiguration? {
        let shard = held.value
        guard shard.isHeldByAll, shard.members.allSatisfy({ hasEnded($0, of: held) }), let primary = shard.primary,
            let end = ended(primary, shard.id), end.promised < shard.epoch,
            shard.unsettled.allSatisfy({ $0.members.first == primary }), !isOutdated(primary, shard.id, state)
        else { return nil }
        // One of the configurations with several members is the one that it knew last; which, is not known.
        let several = (shard.unsettled + [shard.electorate]).filter { $0.members.count > 1 }
        let others = several.last?.members.filter { member in
            several.allSatisfy { $0.members.contains(member) } && holds(member, shard.id)
                && !isOutdated(member, shard.id, state)
        }
        return others.flatMap { goingOn(shard, with: $0) }
    }

    /// What its node says of a member that has ended there.
    private func ended(_ member: Member, _ shard: ShardID) -> EndedReplica? {
        guard let node = state.node(member.node) else { return nil }
        return hearing(node)?.ended.first { $0.shard == shard && $0.incarnation == member.incarnation }
    }

    /// Whether a member's node lives, knows the configuration and has no replica by that number.
    private func hasEnded(_ member: Member, of held: Versioned<ShardConfiguration>) -> Bool {
        guard let node = state.node(member.node), isUp(node), let found = hearing(node),
            found.routeVersion >= held.version
        else { return false }
        return found.reports[held.id]?.incarnation != member.incarnation
    }

    private func goingOn(_ shard: ShardConfiguration, with kept: [Member]) -> ShardConfiguration? {
        if kept.first == shard.primary {
            var next = shard.next
            next?.members = kept
            return next
        }
        // Any member has all that was committed. With ack below all they seal each other and find out who has.
        let isHeldByAll = shard.isHeldByAll || shard.policy.ack == .all && isInForce(shard)
        guard isHeldByAll, let heir = kept.first(where: { holds($0, shard.id) }) else { return nil }
        return led(by: heir, of: kept, shard)
    }

    /// Whether a member was heard to know that this epoch's start is committed, and with it all before is by its policy: its
    /// primary may be gone before it could say so. Of a hand-over that says nothing.
    private func isInForce(_ shard: ShardConfiguration) -> Bool {
        shard.members.contains { member in report(of: member, shard.id).map { $0.active >= shard.epoch } ?? false }
    }

    /// Whether a member was heard to have its copy.
    private func holds(_ member: Member, _ shard: ShardID) -> Bool {
        report(of: member, shard) != nil && isUp(member)
    }
}
