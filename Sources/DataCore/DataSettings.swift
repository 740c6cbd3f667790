public import ClusterModel

/// What a data node is started with.
public struct DataSettings: Sendable {
    public var id: NodeID
    public var store: UniqueID
    public var boot: BootNonce
    /// The starts the directory has seen, this one last, at least from the one on that was registered last; nil = not kept.
    public var starts: [BootNonce]?
    /// Cluster, gateway and peer port as others reach them.
    public var address: Address
    public var gateway: Address
    public var peer: Address
    public var zone = ""
    public var host = ""
    public var weight = 1.0
    /// Bytes of rows kept in memory beside those LevelDB does not hold yet.
    public var cacheBytes = 256 << 20
    /// Bytes of memory of log batches that may wait for LevelDB before writes wait.
    public var backlogBytes = 256 << 20
    /// Bytes of memory of log batches kept after LevelDB has them, for replicas that lag a little.
    public var historyBytes = 64 << 20
    /// Bytes that may wait for the way to another node; above, no more records are streamed there before half of them have
    /// gone. What it lacks then it is sent bit by bit, each when the last one is acknowledged.
    public var wayBytes = 64 << 20
    /// How long a command waits for a serving primary before TRYAGAIN is passed on, ms.
    public var gatewayTimeoutMillis: UInt64 = 5000
    /// Length of the leases between replicas, ms.
    public var leaseMillis: UInt64 = 1000
    /// How long a member's disk must have been far slower than the others' before its shards go on without it, ms.
    public var slowAfterMillis: UInt64 = 5000
    public var maxClients = 10_000
    /// What clients must AUTH with; nil = no password.
    public var password: [UInt8]?
    /// Seeds the hash of the row table and everything drawn by chance.
    public var seed: UInt64
    /// What CONFIG GET shows of the host's settings, by name.
    public var shown: [(name: String, value: String)] = []

    public init(
        id: NodeID, store: UniqueID, boot: BootNonce, address: Address, gateway: Address, peer: Address, seed: UInt64
    ) {
        self.id = id
        self.store = store
        self.boot = boot
        self.address = address
        self.gateway = gateway
        self.peer = peer
        self.seed = seed
    }

    /// What the metadata group is told of this node.
    public var node: Node {
        Node(
            id: id, store: store, boot: boot, address: address, gateway: gateway, peer: peer, zone: zone, host: host,
            weight: weight)
    }
}
