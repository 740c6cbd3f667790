public import ClusterModel

/// How a world is built: machines, limits, speeds. Times in ns unless said.
public struct WorldSettings: Sendable {
    public var seed: UInt64
    public var nodes = 3
    public var metas = 1
    public var keyspace = KeyspaceWish(name: "default", scheme: SchemeParameters(kind: .hash, shards: 6), replicas: 1)

    // Of data nodes
    public var cacheBytes = 1 << 20
    public var backlogBytes = 1 << 24
    public var historyBytes = 1 << 24
    public var wayBytes = 1 << 24
    /// Bytes that clients ask for in one turn of a node at most.
    var mostPerTurn = 64 << 10
    public var segmentBytes = 1 << 20
    /// ms.
    public var gatewayTimeoutMillis: UInt64 = 5000
    public var leaseMillis: UInt64 = 1000
    /// Those of the nodes, where they differ.
    public var leases: [UInt64] = []
    /// ms.
    public var slowAfterMillis: UInt64 = 5000
    public var syncDelay: ClosedRange<UInt64> = 100_000...2_000_000
    /// That stores take for what they are given at a time.
    var storeDelay: ClosedRange<UInt64> = 1_000_000...10_000_000

    /// ns between two syncs of a log whose batches count as durable once they are written; nil = they are synced before.
    public var syncInterval: UInt64?

    /// Commands of one connection in one turn, as NodeRuntime's reactor takes them.
    public var commandsPerTurn = 1024
    /// Batches that the log writer takes at a time.
    public var batchesPerSync = Int.max

    // Of the metadata group
    public var snapshotEvery: UInt64 = 1024
    /// ms.
    public var downAfter: UInt64 = 30_000
    /// ms.
    public var backOff: UInt64 = 5000
    public var logDelay: ClosedRange<UInt64> = 200_000...5_000_000

    /// A packet's time on its way, and what may be added.
    public var delay: UInt64 = 100_000
    public var jitter: UInt64 = 300_000

    public init(seed: UInt64) { self.seed = seed }
}
