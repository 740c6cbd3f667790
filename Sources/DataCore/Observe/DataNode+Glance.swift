public import ClusterModel

/// What a look at one replica shows, for those who check laws after every step.
public struct ReplicaGlance: Hashable, Sendable {
    public var shard: ShardID
    public var incarnation: Incarnation
    /// The highest epoch it acts in.
    public var epoch: Epoch
    /// Whether it passes the serve check now, its leases included.
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
}

extension Engine {
    func glance(_ now: Tick, _ body: (ReplicaGlance) -> Void) {
        for index in replicas.indices where replicas[index].state != .dropped {
            let numbers = numbers[index]
            body(
                ReplicaGlance(
                    shard: ShardID(rawValue: numbers.shard), incarnation: Incarnation(rawValue: numbers.incarnation),
                    epoch: replicas[index].configuration.epoch,
                    isServing: numbers.isServing && (!replicas[index].isShared || leaseEnd(index) > now.monotonic),
                    isPrimary: replicas[index].isLeading,
                    last: Seq(rawValue: numbers.last), durable: Seq(rawValue: numbers.durable),
                    commit: Seq(rawValue: numbers.commit), applied: Seq(rawValue: numbers.applied)))
        }
    }
}
