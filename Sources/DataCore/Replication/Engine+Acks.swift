import ClusterModel

// How far replicas are: what is durable here is told to the primary, what is durable at all moves the commit point.
extension Engine {
    /// A secondary's records are durable here: told at the end of the turn.
    mutating func acknowledge(_ index: Int) {
        guard replicas[index].isReconciled, !replicas[index].isSealed,
            let primary = replicas[index].configuration.primary
        else { return }
        replication.acks[primary.node, default: []].append(reconciled(index))
    }

    func reconciled(_ index: Int) -> Reconciled {
        Reconciled(
            shard: ShardID(rawValue: numbers[index].shard), epoch: Epoch(rawValue: numbers[index].epoch),
            incarnation: Incarnation(rawValue: numbers[index].incarnation),
            last: Seq(
                rawValue: Mutant.e1AcknowledgesUnsynced.isOn
                    ? numbers[index].last : min(numbers[index].durable, numbers[index].last)))
    }

    mutating func noteAcks(_ acks: ReplicaAcks, from node: NodeID) {
        var isAdvanced = false
        for ack in acks.acks {
            guard let (index, place) = follower(ack, node), replicas[index].followers[place].isReconciled else {
                continue
            }
            isAdvanced = raise(index, place, durable: ack.last.rawValue) || isAdvanced
            if Mutant.a5AckCountsAsGrant.isOn {
                replicas[index].followers[place].grantUntil = now.monotonic + settings.leaseMillis * 1_000_000
                updateServing(index)
            }
        }
        if isAdvanced { commitAdvanced() }
    }

    /// The replica here that is primary in the epoch named, and which of its followers speaks (RULES C14).
    func follower(_ ack: Reconciled, _ node: NodeID) -> (Int, Int)? {
        guard let index = replicaIndex[ack.shard], replicas[index].isLeading,
            numbers[index].epoch == ack.epoch.rawValue,
            let place = replicas[index].followers.firstIndex(where: {
                $0.member.node == node && $0.member.incarnation == ack.incarnation
            })
        else { return nil }
        return (index, place)
    }

    /// A follower has more: the commit point may rise, and more may be sent. Returns whether it rose.
    mutating func raise(_ index: Int, _ place: Int, durable: UInt64) -> Bool {
        // What was never written here is durable nowhere.
        guard durable > replicas[index].followers[place].acked, durable <= numbers[index].last else { return false }
        endLesson(index, place)
        replicas[index].followers[place].acked = durable
        // Sent again and acknowledged meanwhile.
        if durable > replicas[index].followers[place].sent { replicas[index].followers[place].sent = durable }
        resend(index, place)
        return advanceCommit(index)
    }

    /// The last record that is durable here and on as many members as the policy wants; 0 = not known of enough. A learner
    /// whose promotion is asked for is counted with the members and without it (RULES C6); an epoch begins by the policies
    /// of all configurations that may still be in force (RULES C0).
    func agreed(_ index: Int) -> UInt64 {
        let shard = replicas[index].configuration
        let ack = numbers[index].commit < numbers[index].start ? strictest(shard) : shard.policy.ack
        guard ack != .all else { return agreedByAll(index) }
        var acked: [UInt64] = []
        var promoting: [UInt64] = []
        for follower in replicas[index].followers where follower.counts {
            let known = follower.isReconciled ? follower.acked : 0
            if follower.isLearner { promoting.append(known) } else { acked.append(known) }
        }
        let own = Mutant.c12CommitsBeforeOwnSync.isOn ? numbers[index].last : numbers[index].durable
        let now = Self.reached(by: ack.needed(of: acked.count + 1) - 1, of: acked)
        guard !promoting.isEmpty else { return min(own, now) }
        acked += promoting
        return min(own, now, Self.reached(by: ack.needed(of: acked.count + 1) - 1, of: acked))
    }

    private func agreedByAll(_ index: Int) -> UInt64 {
        var agreed = Mutant.c12CommitsBeforeOwnSync.isOn ? numbers[index].last : numbers[index].durable
        for follower in replicas[index].followers where follower.counts {
            guard follower.isReconciled else { return 0 }
            agreed = min(agreed, follower.acked)
            if Mutant.d2CountsFirstHopAlone.isOn { return agreed }
        }
        return agreed
    }

    /// What so many of the followers have reached; all of it if none is needed.
    private static func reached(by count: Int, of acked: [UInt64]) -> UInt64 {
        count <= 0 ? .max : acked.sorted(by: >)[count - 1]
    }

    private func strictest(_ shard: ShardConfiguration) -> Ack {
        let all = shard.unsettled.map(\.ack) + [shard.policy.ack]
        return all.contains(.all) ? .all : all.contains(.majority) ? .majority : .one
    }

    /// Tells followers of commit points that no record will carry soon.
    mutating func tellCommits() {
        var parts: [NodeID: [RecordStream.Part]] = [:]
        for index in replication.shared where replicas[index].isLeading {
            let commit = numbers[index].commit
            for place in replicas[index].followers.indices {
                let follower = replicas[index].followers[place]
                guard follower.isReconciled, follower.lesson == nil, follower.toldCommit < commit else { continue }
                replicas[index].followers[place].toldCommit = commit
                let end = follower.sent
                parts[follower.member.node, default: []].append(
                    RecordStream.Part(
                        shard: ShardID(rawValue: numbers[index].shard), epoch: numbers[index].epoch, commit: commit,
                        previousEpoch: replicas[index].epoch(of: end).rawValue, previous: end, last: end))
            }
        }
        for node in parts.keys.sorted() {
            guard let own = parts[node] else { continue }
            outbox(node).append(.records) { RecordStream.begin(own, in: &$0) }
        }
    }
}
