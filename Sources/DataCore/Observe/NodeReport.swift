public import ClusterModel

/// Everything that /metrics and an operator want to know of a data node, at one moment. Counters run from the start of the
/// process or from CONFIG RESETSTAT.
public struct NodeReport: Sendable {
    public struct Command: Sendable {
        /// Lower case; a subcommand's holds its parent's: `client|getname`.
        public var name: String
        public var calls: UInt64
        /// Answered with an error before they ran, and by themselves.
        public var rejected: UInt64
        public var failed: UInt64
        /// ns in all.
        public var nanoseconds: UInt64
        /// Runs by time, not summed up: bucket `i` holds those of at most `latencyBounds[i]`, the last one all longer ones.
        public var latencies: [UInt64]
    }

    public struct Shard: Sendable {
        public var id: ShardID
        public var keyspace: String
        public var epoch: Epoch
        public var isServing: Bool
        /// Last record logged, durable here, committed, and held by the store.
        public var last: Seq
        public var durable: Seq
        public var commit: Seq
        public var applied: Seq
        /// Bytes of the store, approximately.
        public var bytes: UInt64
    }

    public var id: NodeID
    /// ms since 1970.
    public var started: Int64
    /// Those that were called or refused, by name.
    public var commands: [Command]
    /// Upper ends of the latency buckets in µs.
    public var latencyBounds: [UInt64]
    public var totalCommands: UInt64
    public var totalErrors: UInt64
    /// Errors by the word they begin with, sorted.
    public var errors: [(word: String, count: UInt64)]
    /// Clients connected now; opened and refused in all; waiting with a command.
    public var clients: Int
    public var openedConnections: UInt64
    public var rejectedConnections: UInt64
    public var parked: Int
    /// GETs that found a value, and that did not.
    public var hits: UInt64
    public var misses: UInt64
    /// Rows asked of the stores, and keys whose deadline passed.
    public var loads: UInt64
    public var expired: UInt64
    /// Rows in memory and their bytes.
    public var rows: Int
    public var rowBytes: Int
    public var cacheBytes: Int
    /// Bytes and batches that wait for the stores.
    public var backlogBytes: Int
    public var batches: Int
    /// Batches given to the log, and those of them that are durable.
    public var logTicket: UInt64
    public var durableTicket: UInt64
    /// Commands forwarded and not yet answered; sessions of other gateways; configurations learned from other nodes.
    public var forwards: Int
    public var sessions: Int
    public var corrections: UInt64
    public var routeVersion: RouteVersion
    public var isRegistered: Bool
    public var isDiskLow: Bool
    /// Connections whose writes wait because the stores are behind.
    public var stalls: Int
    /// By id.
    public var shards: [Shard]
}

/// What the host knows of its process, for INFO.
public struct ProcessUsage: Sendable {
    public var process: Int
    public var executable: String
    public var system: String
    public var residentBytes: Int
    public var totalMemory: Int
    /// µs of processor time.
    public var userMicros: Int64
    public var systemMicros: Int64

    public init(
        process: Int, executable: String, system: String, residentBytes: Int, totalMemory: Int, userMicros: Int64,
        systemMicros: Int64
    ) {
        self.process = process
        self.executable = executable
        self.system = system
        self.residentBytes = residentBytes
        self.totalMemory = totalMemory
        self.userMicros = userMicros
        self.systemMicros = systemMicros
    }
}
