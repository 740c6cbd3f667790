public import ClusterModel

/// What a `DataNode` asks of its host. The order of effects is law: one may assume that all before it were started.
public enum DataEffect {
    /// Write the batch behind all earlier ones and make it durable as the sync mode says; then `DataInput.durable`.
    case persist(LogBatch)
    /// So far the records of these stores are committed: apply them in order (`ApplyQueue`), then `DataInput.applied` with
    /// the batches that are done with. Batches up to the ticket are durable: no other may be looked at.
    case apply([CommitMark], durable: UInt64)
    /// Have this store ready before any later effect names it; create it if it is new.
    case openStore(StoreID, usesSlots: Bool)
    /// Close the store, set its directory aside and remove it.
    case dropStore(StoreID)
    /// Forget the expiry hints up to this row key, inclusive: what they were about was looked at.
    case forgetHints(StoreID, through: [UInt8])
    /// Answer the questions in it by `DataInput.rows`.
    case read(RowBatch)
    /// Walk and answer by `DataInput.scanned`.
    case scan(Scan)
    /// Search the log and answer by `DataInput.logRead`.
    case readLog(LogRead)
    /// Deliver commands to another node's peer port, or `DataInput.peerLost`; frames to one node keep their order.
    case forward(to: NodeID, ForwardBatch)
    /// Deliver replies on the link that the commands came by; if it is gone they are dropped.
    case answer(link: LinkID, ForwardReplyBatch)
    case release(to: NodeID, Release)
    /// Deliver messages to the replicas of another node, or `DataInput.peerLost`; in order with all else sent to it.
    case replicate(to: NodeID, ReplicaBatch)
    /// Ask the metadata group for a configuration; then `DataInput.reconfigured`.
    case reconfigure(ReconfigureRequest)
    /// Records of a store above a seq, in batches up to a ticket, are void: never apply them.
    case cut(StoreID, above: Seq, through: UInt64)
    /// Put a snapshot's rows into a store, which is emptied before the first chunk; with the last chunk the store holds
    /// what it stands for, and is durable. Then `DataInput.installed`.
    case install(StoreID, SnapshotChunk)
    /// Send it to the metadata group; the answer comes as `DataInput.beatAnswered`, with the time that is given here, ns.
    case beat(Heartbeat, sent: UInt64)
    /// Send what replies the connection has, then close it.
    case close(ConnectionID)
    /// The connection may be read again (see `DataNode.isReadable`).
    case resumeReading(ConnectionID)
    case note(Note)
    /// A setting of CONFIG SET that the host holds; the core has checked it.
    case setting(name: String, value: String)

    /// A line for the structured log.
    public struct Note: Sendable {
        public enum Level: Sendable { case debug, info, warning, error }
        public var level: Level
        public var text: String
        public var shard: ShardID?
        public var epoch: Epoch?

        public init(_ level: Level, _ text: String, shard: ShardID? = nil, epoch: Epoch? = nil) {
            self.level = level
            self.text = text
            self.shard = shard
            self.epoch = epoch
        }
    }
}

/// The host's number of one inbound peer link; a link that breaks and comes back has another.
public struct LinkID: Hashable, Sendable {
    public let number: UInt64
    public init(number: UInt64) { self.number = number }
}
