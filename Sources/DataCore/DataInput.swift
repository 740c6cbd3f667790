public import ClusterModel

/// Everything a `DataNode` is told. Connections are opened and closed by its own methods, since those give numbers back.
public enum DataInput {
    /// What the node's directory holds; the first input, once.
    case recovered(RecoveredNode)
    /// The commands that all ready sockets delivered in this turn; the views in it are valid for the step alone.
    case commands(CommandBatch)
    /// Batches up to this ticket are as durable as the sync mode makes them.
    case durable(through: UInt64)
    /// Stores now hold all committed records up to a seq; the batches may be used again.
    case applied([Applied], spent: [LogBatch])
    case rows(RowBatch)
    case scanned(Scan)
    case logRead(LogRead)
    case routes(RouteDelta)
    /// The metadata group's answer to `DataEffect.beat`, with the time that came with that.
    case beatAnswered(HeartbeatAnswer, sent: UInt64)
    /// Commands of another node's gateway; the bytes are the payload of a peer frame, valid for the step alone.
    case forwarded(link: LinkID, ByteView)
    /// Replies to commands this node forwarded; likewise.
    case forwardAnswered(from: NodeID, ByteView)
    case linkOpened(LinkID, node: NodeID)
    case linkClosed(LinkID)
    /// So many bytes of replies wait for a link to take them. To be told after each `DataEffect.answer` of more than
    /// `DataNode.reportedBytes`, and again until none wait.
    case linkBacklog(LinkID, bytes: Int)
    /// So many bytes of what the core gave for another node wait for the way there. To be told when they are more than
    /// `DataNode.reportedBytes`, and again until none wait.
    case wayBacklog(NodeID, bytes: Int)
    /// The connection to another node's peer port broke. Commands given to it since the last one answered may or may
    /// not have run; `unsent` says whether the last try never got through, so that nothing was sent.
    case peerLost(NodeID, nothingSent: Bool)
    case released(Release)
    /// What another node's replicas say to those here (`ReplicaBatch`), valid for the step alone.
    case replicated(from: NodeID, ByteView)
    /// The metadata group's answer to a `DataEffect.reconfigure` of that proposal; nil = none came. To be told of each one.
    case reconfigured(ShardID, Proposal, ReconfigureAnswer?)
    /// A store holds a chunk of a snapshot (`DataEffect.install`).
    case installed(StoreID, lesson: UInt64, number: UInt64)
    /// The last beat got no answer.
    case beatFailed
    /// Whether the disk's reserve is reached.
    case diskLow(Bool)
    /// A clean stop begins: say so to the metadata group.
    case stop
    /// Time went on; at least every 100 ms.
    case tick

    /// A store's new `applied`.
    public struct Applied: Sendable {
        public var store: StoreID
        public var epoch: Epoch
        public var seq: Seq
        /// Approximate bytes of the store.
        public var bytes: UInt64

        public init(store: StoreID, epoch: Epoch, seq: Seq, bytes: UInt64) {
            self.store = store
            self.epoch = epoch
            self.seq = seq
            self.bytes = bytes
        }
    }
}

/// What a node finds in its directory at start.
public struct RecoveredNode {
    /// One replica that the log knows and that was not dropped.
    public struct Replica {
        public var shard: ShardID
        public var incarnation: Incarnation
        /// The highest configuration it promised; its epoch is the highest epoch it acted in.
        public var configuration: ShardConfiguration
        /// The lowest epoch it may take part in: above the configuration's where it was sealed (RULES C7).
        public var promised: Epoch
        /// Last record in the log.
        public var lastEpoch: Epoch
        public var last: Seq
        /// What the store holds.
        public var applied: Seq
        /// Where its log has which epochs.
        public var epochs: [EpochStart]
        /// Largest time in its records, ms since 1970 (RULES A13).
        public var time: Int64

        public init(
            shard: ShardID, incarnation: Incarnation, configuration: ShardConfiguration, promised: Epoch = .none,
            lastEpoch: Epoch, last: Seq, applied: Seq, epochs: [EpochStart] = [], time: Int64
        ) {
            self.shard = shard
            self.incarnation = incarnation
            self.configuration = configuration
            self.promised = promised
            self.lastEpoch = lastEpoch
            self.last = last
            self.applied = applied
            self.epochs = epochs
            self.time = time
        }
    }

    /// A replica that must not go on as what it was.
    public struct Lost: Hashable, Sendable {
        public var shard: ShardID
        public var end: ReplicaEnd
        /// One clause for whoever looks into the matter.
        public var why: String
        public var store: StoreID { StoreID(shard: shard, incarnation: end.incarnation) }

        public init(_ shard: ShardID, _ end: ReplicaEnd, why: String) {
            self.shard = shard
            self.end = end
            self.why = why
        }
    }

    public var cluster: UniqueID?
    /// Sorted by shard.
    public var replicas: [Replica]
    /// Replicas that have lost something (RULES E3). Their stores are put aside before the core begins.
    public var lost: [Lost] = []
    /// The last lives of replicas that ended here before.
    public var dropped: [ShardID: ReplicaEnd] = [:]
    /// Whether bytes of the log are lost: then there may have been replicas that nothing is known of.
    public var isDamaged = false
    /// Every batch of the log that holds a record above its replica's `applied`, in order, with tickets from 1 up.
    public var batches: [LogBatch]

    public init(cluster: UniqueID?, replicas: [Replica], batches: [LogBatch]) {
        self.cluster = cluster
        self.replicas = replicas
        self.batches = batches
    }
}
