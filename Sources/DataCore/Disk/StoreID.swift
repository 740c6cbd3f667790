public import ClusterModel

/// One LevelDB of this node: the life of a shard's replica that it was made for. After a split several shards share it.
public struct StoreID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var shard: ShardID
    public var incarnation: Incarnation

    @inline(__always) public init(shard: ShardID, incarnation: Incarnation) {
        self.shard = shard
        self.incarnation = incarnation
    }

    public static func < (left: StoreID, right: StoreID) -> Bool {
        (left.shard, left.incarnation) < (right.shard, right.incarnation)
    }
    /// The name of its directory: `<shard>-<incarnation>`.
    public var description: String { "\(shard)-\(incarnation)" }
}
