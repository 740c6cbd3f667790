public import ClusterModel

/// How a `ClusterClient` finds, trusts and bounds its cluster.
public struct ClusterClientOptions: Sendable {
    /// Addresses of metasrv processes.
    public var meta: [Address]
    /// The keyspace that operations work on; `ClusterClient.using(keyspace:)` gives another.
    public var keyspace: String
    /// The cluster's shared secret, for metasrv; nil = none.
    public var secret: [UInt8]?
    /// The clients' password, for data nodes; nil = none.
    public var password: [UInt8]?
    /// Longest time of one operation with all its tries.
    public var timeout: Duration
    /// Longest time of one connection with its handshake.
    public var connectTimeout: Duration
    /// Longest time of one fetch of routes, all metasrv addresses tried.
    public var routeTimeout: Duration
    /// Pipelined connections to each data node, at least 1.
    public var connectionsPerNode: Int
    /// Waits between tries.
    public var backoff: RetryBackoff
    /// Retries per request in the long run, 0 ... 1.
    public var retryRatio: Double
    /// Retries that may happen at once after a quiet time.
    public var retryReserve: Double

    public init(
        meta: [Address], keyspace: String = "default", secret: [UInt8]? = nil, password: [UInt8]? = nil,
        timeout: Duration = .seconds(5), connectTimeout: Duration = .seconds(2), routeTimeout: Duration = .seconds(3),
        connectionsPerNode: Int = 2, backoff: RetryBackoff = RetryBackoff(), retryRatio: Double = 0.1,
        retryReserve: Double = 500
    ) {
        self.meta = meta
        self.keyspace = keyspace
        self.secret = secret
        self.password = password
        self.timeout = timeout
        self.connectTimeout = connectTimeout
        self.routeTimeout = routeTimeout
        self.connectionsPerNode = max(connectionsPerNode, 1)
        self.backoff = backoff
        self.retryRatio = retryRatio
        self.retryReserve = retryReserve
    }
}
