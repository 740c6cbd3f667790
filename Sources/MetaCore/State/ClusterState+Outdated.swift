public import ClusterModel

/// A copy of a shard whose node came back with a directory from before what it had acknowledged.
public struct OutdatedCopy: Hashable, Comparable, Codable, Sendable {
    public var shard: ShardID
    public var member: Member

    public static func < (left: OutdatedCopy, right: OutdatedCopy) -> Bool {
        (left.shard, left.member) < (right.shard, right.member)
    }
}

// Copies that lack what they had (RULES H1). They are in the log, since what a metasrv heard of the nodes' logs it forgets
// with its process.
extension ClusterState {
    /// Whether a copy may lack what it acknowledged.
    func isOutdated(_ member: Member, _ shard: ShardID) -> Bool {
        outdated?.contains(OutdatedCopy(shard: shard, member: member)) ?? false
    }

    /// Marks all copies of a node that count, or whose word may still be asked for.
    mutating func markOutdated(on node: NodeID) {
        let all = shards.values.flatMap { held in
            asked(held.value).filter { $0.node == node }.map { OutdatedCopy(shard: held.id, member: $0) }
        }
        setOutdated(Set(all).union(outdated ?? []))
        // The only copy is what there is.
        for held in shards.values where held.value.members.count == 1 { forgetOutdatedIfLed(held.value) }
    }

    /// The copies of a shard that count, or whose word may still be asked for.
    func asked(_ shard: ShardConfiguration) -> [Member] { shard.members + shard.unsettled.flatMap(\.members) }

    /// Forgets, with a new configuration of a shard, copies that count no more, and those that were learners: their primary
    /// has sent them what they lacked.
    mutating func forgetOutdated(_ former: ShardConfiguration, _ next: ShardConfiguration) {
        let asked = asked(next)
        keepOutdated { copy in
            copy.shard != next.id
                || asked.contains(copy.member)
                    && !(former.learners.contains(copy.member) && next.members.contains(copy.member))
        }
        if next.primaryBoot != former.primaryBoot { forgetOutdatedIfLed(next) }
    }

    /// Forgets the copies of a shard that is dropped.
    mutating func forgetOutdated(of shard: ShardID) { keepOutdated { $0.shard != shard } }

    /// Where such a copy leads, all members are such copies, and it has the most of what there is: nobody can teach it.
    private mutating func forgetOutdatedIfLed(_ shard: ShardConfiguration) {
        guard let primary = shard.primary, isOutdated(primary, shard.id),
            shard.members.allSatisfy({ isOutdated($0, shard.id) })
        else { return }
        forgetOutdated(of: shard.id)
    }

    private mutating func keepOutdated(_ isKept: (OutdatedCopy) -> Bool) {
        guard let outdated else { return }
        setOutdated(Set(outdated.filter(isKept)))
    }

    private mutating func setOutdated(_ copies: Set<OutdatedCopy>) { outdated = copies.isEmpty ? nil : copies.sorted() }
}
