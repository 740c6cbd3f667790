import ClusterModel

/// The numbers of one replica that every command reads; plain data.
struct ReplicaNumbers {
    var shard: UInt64
    var incarnation: UInt64
    /// The configuration's epoch: the one its records carry.
    var epoch: UInt64
    /// Last record logged.
    var last: UInt64
    /// Last record durable here.
    var durable: UInt64
    /// Last record committed.
    var commit: UInt64
    /// Last record the store holds.
    var applied: UInt64
    /// Last record that flushed the shard: older rows are void.
    var flushed: UInt64
    /// The epoch-start record of the current epoch; nothing is served before it commits (RULES C2).
    var start: UInt64
    /// Largest time logged, ms since 1970 (RULES A13).
    var time: Int64
    /// Whether it passes the serve check.
    var isServing: Bool
    /// Its role was lost: records above `commit` will not be answered from here.
    var isLost: Bool
    var usesSlots: Bool
    /// Whether a record of kind data was ever logged: a shard that never held a row can start elsewhere without its log.
    var hasData: Bool
    /// The ticket of the last batch it has a record in.
    var ticket: UInt64
}

/// One replica this node holds.
struct Replica {
    enum State: Equatable {
        /// Promised and its epoch-start record logged, not yet committed; or waiting for the former primary's release.
        case starting
        case serving
        /// No longer primary here; its store is kept until what follows it is active.
        case stopped
        case dropped
    }

    var store: StoreID
    var configuration: ShardConfiguration
    var state: State
    /// Number of its keyspace, as rows carry it.
    var keyspace: UInt32
    /// The epoch whose epoch-start record is committed here (RULES C7).
    var active: Epoch
    /// Bytes of the store, approximately.
    var bytes: UInt64 = 0
    /// Waits for the former primary's word before it starts (RULES C13).
    var awaitsRelease = false
    /// The epoch of the last record, for the release (RULES C13).
    var lastEpoch: Epoch
}
