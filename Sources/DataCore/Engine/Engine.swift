import ClusterModel
internal import DequeModule

/// All state of a data node, owned by `DataNode` behind one pointer: no exclusivity check, no reference count on the way
/// of a command. Its methods are spread over this target's folders by what they do.
@safe struct Engine: ~Copyable {
    var settings: DataSettings
    var entropy: Entropy
    let hash: KeyHash
    /// The moment of this step. Its wall is the time by which deadlines are given: see `PeerClocks`.
    private(set) var now = Tick(monotonic: 0, wall: 0)
    /// What this machine's wall says, ms since 1970.
    private(set) var ownWall: Int64 = 0
    /// The time by which deadlines are over, ms since 1970.
    private(set) var expiryWall: Int64 = 0
    var clocks = PeerClocks()
    /// It was said that the wall here is off.
    var wallIsOff = false
    var effects = Effects<DataEffect>()
    var stats: Statistics
    /// What the host said of its process last.
    var usage: ProcessUsage?

    // Rows and replicas
    var rows = RowTable()
    /// Hot numbers by replica index; `replicas` has the rest. An index is never used again.
    var numbers: [ReplicaNumbers] = []
    var replicas: [Replica] = []
    var replicaIndex: [ShardID: Int] = [:]

    // Log
    var batch = LogBatch()
    /// Batches written and not yet applied, in order of their tickets.
    var unapplied = Deque<BatchNote>()
    /// Batches of `unapplied` that are durable.
    var durableBatches = 0
    var syncPace = SyncPace()
    /// It was said that the log stands still.
    var logStands = false
    /// Replicas of which the applier may take more, perhaps twice.
    var raised: [Int] = []
    var nextTicket: UInt64 = 1
    /// Replicas with a record in `batch`.
    var touched: [Touched] = []
    var spentBatches: [LogBatch] = []
    /// Former primaries' last words to this node.
    var releases: [ShardID: Release] = [:]
    /// The last life of each shard's replica that ended here.
    var dropped: [ShardID: ReplicaEnd] = [:]
    /// No row of the table may go before a store has more or an answer comes.
    var evictionRests = false
    /// The log was damaged: the first map may name copies here that nothing is known of any more.
    var distrustsMap = false
    /// A replica began to serve in this step: commands that wait for it are tried again at its end.
    var servingChanged = false
    /// Bytes of batches not yet applied, the current one left out.
    var backlog = 0
    var isDiskLow = false

    // Loads
    var reads = RowBatch()
    var spentReads: [RowBatch] = []
    var nextLoad: UInt64 = 1
    var loads: [UInt64: [ConnectionID]] = [:]
    var walks: [UInt64: Walk] = [:]
    var nextWalk: UInt64 = 1
    /// Walks were added in this turn.
    var walksChanged = false

    var expiry = ExpiryCycle()

    // Connections
    var connections = Slab<Connection>()
    var freeConnections: [Int] = []
    /// Places of connections that have marks.
    var waiting: [Int] = []
    /// Places of connections that have something to send.
    var dirty: [Int] = []
    /// Places of blocked connections whose block ends with time or with a change of the map.
    var parked: [Int] = []
    var clients = 0
    var nextClientID: UInt64 = 1
    var clientPause = ClientPause()
    /// Connections that CLIENT UNBLOCK named in this turn.
    var unblocked: [(connection: ConnectionID, isError: Bool)] = []
    var watchers: [Transaction.WatchedKey: [ConnectionID]] = [:]

    // Routes
    var routes = RouteTable()
    /// By index; 0 is `default`, present or not.
    var keyspaces = Slab<KeyspaceIndex>()
    var keyspaceByID: [KeyspaceID: Int] = [:]
    var keyspaceIndex: [String: Int] = ["default": 0]
    var cluster: UniqueID?
    var beats = MetaBeats()

    var replication = ReplicationState()

    // Gateway
    var gateway = GatewayState()

    /// Buffers that a command may use while it runs.
    var scratch = ByteBuffer(capacity: 1024)
    /// A reply arena for what answers nobody.
    let spare: UnsafeMutablePointer<ReplyBuffer>
    var views: [ByteView] = []

    init(settings: DataSettings) {
        unsafe spare = UnsafeMutablePointer<ReplyBuffer>.allocate(capacity: 1)
        unsafe spare.initialize(to: ReplyBuffer(capacity: 16))
        self.settings = settings
        var entropy = Entropy(seed: settings.seed)
        hash = KeyHash(seed: entropy.next())
        self.entropy = entropy
        stats = Statistics()
        keyspaces.append(KeyspaceIndex(name: "default"))
        numbers.reserveCapacity(64)
        touched.reserveCapacity(64)
    }

    deinit {
        unsafe spare.deinitialize(count: 1)
        unsafe spare.deallocate()
    }

    /// A batch that was persisted.
    struct BatchNote {
        var batch: LogBatch
        var touched: [Touched]
        /// When it was handed to the log, ns.
        var handedOver: UInt64
        /// Bytes of memory it took when this was noted.
        var bytes: Int

        init(batch: LogBatch, touched: [Touched], handedOver: UInt64 = 0) {
            self.batch = batch
            self.touched = touched
            self.handedOver = handedOver
            bytes = batch.footprint
        }
    }

    /// The last record a replica has in a batch.
    struct Touched {
        var replica: Int32
        var seq: UInt64
    }

    struct ClientPause {
        /// ns; 0 = no pause.
        var until: UInt64 = 0
        /// Only writes wait.
        var isWriteOnly = false
    }

    /// A step begins.
    @inline(__always) mutating func begin(_ tick: Tick) {
        ownWall = tick.wall
        expiryWall = clocks.expiryTime(tick)
        now = Tick(monotonic: tick.monotonic, wall: clocks.time(tick))
    }

    func note(_ level: DataEffect.Note.Level, _ text: String, replica: Int? = nil) -> DataEffect {
        guard let replica else { return .note(DataEffect.Note(level, text)) }
        return .note(
            DataEffect.Note(
                level, text, shard: replicas[replica].configuration.id, epoch: replicas[replica].configuration.epoch))
    }
}
