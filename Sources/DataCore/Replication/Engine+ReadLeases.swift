import ClusterModel

// Which secondaries may answer reads. With `read=any` a secondary holds a lease for that, given by its primary alone while
// that one passes its own serve check, for exactly its epoch; a primary commits nothing without a former member before that
// one's read lease has surely lapsed (RULES A9). With `read=nearest` and `read=secondary` answers may be old, and no lease
// is needed.
extension Engine {
    // MARK: The primary

    /// Whether a read lease goes with a beat to a follower; notes until when that one may read by it. Only who was heard
    /// just now gets one, so that a silent member's has lapsed soon.
    mutating func givesReads(_ index: Int, _ place: Int, heardAt: UInt64) -> Bool {
        guard replicas[index].configuration.policy.read == .any, numbers[index].isServing,
            !replicas[index].followers[place].isLearner, replicas[index].followers[place].isReconciled,
            now.monotonic - heardAt < settings.leaseMillis * 1_000_000 / 2
        else { return false }
        let until = heardAt + binding(settings.leaseMillis)
        replicas[index].followers[place].readsUntil = max(replicas[index].followers[place].readsUntil, until)
        return true
    }

    /// When the read leases have surely lapsed of members that a former configuration had and this one has not.
    /// - Parameter wasLeader: this process was primary in the configuration before, and knows what it gave.
    func readersGone(
        _ index: Int, _ former: ShardConfiguration, _ followers: [Follower], wasLeader: Bool
    ) -> UInt64 {
        let shard = replicas[index].configuration
        guard shard.policy.read == .any || former.policy.read == .any else { return 0 }
        let isNext = former.epoch.successor == shard.epoch
        if wasLeader, isNext {
            return followers.filter { !shard.members.contains($0.member) }.map(\.readsUntil).max() ?? 0
        }
        // The former primary's lease was waited out, and it needs no other to read.
        let others = former.members.dropFirst().filter { $0.node != settings.id && !shard.members.contains($0) }
        return others.isEmpty && isNext ? 0 : now.monotonic + binding(settings.leaseMillis)
    }

    /// Commits what waited for read leases to lapse.
    mutating func commitWithoutReaders() {
        var isAdvanced = false
        for index in replication.shared
        where replicas[index].readersGone > 0 && replicas[index].readersGone <= now.monotonic {
            replicas[index].readersGone = 0
            isAdvanced = advanceCommit(index) || isAdvanced
        }
        if isAdvanced { commitAdvanced() }
    }

    // MARK: The secondary

    /// A beat gave a read lease that runs from when the grant was sent that it answers.
    mutating func noteReadLease(_ index: Int, until: UInt64) {
        replicas[index].readUntil = max(replicas[index].readUntil, until)
    }

    /// Whether the secondary may answer reads now.
    mutating func updateReading(_ index: Int) {
        numbers[index].mayRead = mayRead(index)
    }

    private func mayRead(_ index: Int) -> Bool {
        let shard = replicas[index].configuration
        guard replicas[index].state == .following, replicas[index].isReconciled,
            replicas[index].active == shard.epoch, shard.member(on: settings.id) != nil
        else { return false }
        switch shard.policy.read {
        case .primary: return false
        case .any: return replicas[index].readUntil > now.monotonic || Mutant.a9ReadsForEver.isOn
        case .nearest, .secondary: return true
        }
    }

    /// When the soonest lease ends that a replica answers by; `max` = it answers by none.
    func answersUntil(_ index: Int) -> UInt64 {
        if numbers[index].isServing { return leaseEnd(index) }
        guard numbers[index].mayRead, replicas[index].configuration.policy.read == .any else { return .max }
        return Mutant.a9ReadsForEver.isOn ? .max : replicas[index].readUntil
    }
}
