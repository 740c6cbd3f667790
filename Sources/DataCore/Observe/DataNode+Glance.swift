public import ClusterModel

/// What a look at one replica shows, for those who check laws after every step.
public struct ReplicaGlance: Hashable, Sendable {
    public var shard: ShardID
    public var incarnation: Incarnation
    /// The highest epoch it acts in.
    public var epoch: Epoch
    /// Whether it would answer now.
    public var isServing: Bool
    /// Whether it is the primary of that epoch, serving or not.
    public var isPrimary: Bool
    /// Last record logged, durable here, committed, and held by the store.
    public var last: Seq
    public var durable: Seq
    public var commit: Seq
    public var applied: Seq
}

extension DataNode {
    /// Shows every replica that was not dropped, in the order they were made. Nothing is allocated.
    public func glance(now: Tick, _ body: (ReplicaGlance) -> Void) { unsafe engine.pointee.glance(now, body) }

    /// Bytes of log batches that wait for the stores.
    public var backlogBytes: Int { unsafe engine.pointee.backlog }

    /// What is held for commands that are under way, by kind; nothing once every client has its replies.
    public var underWay: [(kind: String, count: Int)] { unsafe engine.pointee.underWay }
}

extension Engine {
    fileprivate var underWay: [(kind: String, count: Int)] {
        let all = [
            ("forwarded commands", gateway.forwards.count), ("divided commands", gateway.gathers.count),
            ("replies of other nodes", gateway.results.count), ("walks", walks.count),
            ("connections with refused commands", gateway.refused.count),
        ]
        return all.filter { $0.1 > 0 }
    }

    /// Whether the look at the clock before the next input ends its serving: as it is done, not as it should be.
    private func isLapsed(_ index: Int, _ now: Tick) -> Bool {
        now.monotonic >= replication.earliestLease && answersUntil(index) <= now.monotonic
            && !Mutant.a1FlagSetByTimer.isOn
    }

    func glance(_ now: Tick, _ body: (ReplicaGlance) -> Void) {
        for index in replicas.indices where replicas[index].state != .dropped {
            let numbers = numbers[index]
            body(
                ReplicaGlance(
                    shard: ShardID(rawValue: numbers.shard), incarnation: Incarnation(rawValue: numbers.incarnation),
                    epoch: replicas[index].configuration.epoch,
                    isServing: numbers.isServing && !isLapsed(index, now),
                    isPrimary: replicas[index].isLeading,
                    last: Seq(rawValue: numbers.last), durable: Seq(rawValue: numbers.durable),
                    commit: Seq(rawValue: numbers.commit), applied: Seq(rawValue: numbers.applied)))
        }
    }
}
