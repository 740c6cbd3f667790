import ClusterModel
internal import DequeModule

/// Which port a client came by.
public enum PortKind: UInt8, Sendable {
    /// Stock Redis Cluster clients: MOVED for keys of other nodes.
    case cluster
    /// Stock single-server clients: any key, by forwarding.
    case gateway
}

/// A client connection, or a session of another node's gateway.
@safe struct Connection: ~Copyable {
    enum Kind {
        case client(PortKind)
        /// Commands forwarded for one of that gateway's connections.
        case session(link: LinkID, session: UInt64)
    }

    /// Why the connection's next command waits; the ones behind it wait with it.
    enum Block {
        case none
        /// So many loads of rows are still under way.
        case rows(Int)
        /// The shard starts here, or no primary is known: until it serves or the time limit comes.
        case serving
        /// Writes wait for LevelDB: the backlog is full.
        case backlog
        /// A walk over stores is under way.
        case scan(UInt64)
        /// Commands to another destination must be answered first.
        case order
        /// A keyspace name is being looked up.
        case lookup
        /// CLIENT PAUSE.
        case pause
        /// WAIT, until enough members are durable.
        case wait
        /// Sessions: their link does not take replies as fast as they come.
        case output
        /// EXEC, a part of which another node runs: until the answer to that forward.
        case exec(UInt64)

        /// Whether its end makes the command run once more; else it is answered from outside.
        var isRetried: Bool {
            switch self {
            case .none, .scan, .wait, .exec: false
            default: true
            }
        }
    }

    /// A reply that is composed but waits, or one that another node will give.
    struct Mark {
        /// Bytes of it in `held`.
        var length: UInt32
        /// Replies merged into this mark: consecutive ones of one replica.
        var count: UInt16
        var isRemote: Bool
        /// Whether it wrote a record: if that record is lost the outcome is unknown.
        var isLogged: Bool
        /// Its record was cut off the log.
        var isLost = false
        var replica: Int32
        /// The record it waits for; 0 = none.
        var seq: UInt64
        /// Remote: the number of the forward. Sessions: the gateway's number of the command.
        var request: UInt64
    }

    enum ReplyMode: UInt8 { case on, off, skipNext, skip }

    /// Raised when the place is used again.
    var use: UInt32 = 0
    var isOpen = false
    var kind = Kind.client(.cluster)
    /// Two reply arenas at an address of their own, since a command that runs holds on to one: `out`, then `held`.
    let arenas: UnsafeMutablePointer<ReplyBuffer>
    var marks = Deque<Mark>()
    /// Whether it is in the engine's list of connections with marks.
    var isWaiting = false
    /// Whether it is in the engine's list of connections with something to send.
    var isDirty = false
    var isClosing = false
    /// Whether the host was told not to read from it.
    var isThrottled = false

    var block = Block.none
    /// When a block ends with an error, ns; 0 = never.
    var blockedUntil: UInt64 = 0
    var blockedSince: UInt64 = 0
    /// Commands behind the blocked one, itself first.
    var queue = CommandQueue()

    /// When SELECT began to look up a name that is not in the map, ns; 0 = no such look-up is under way.
    var lookupSince: UInt64 = 0

    /// Index in the engine's keyspaces; 0 = `default`.
    var keyspace = 0
    var isAuthenticated = false
    var replyMode = ReplyMode.on
    var client = ClientInfo()
    var transaction = Transaction()
    /// Where its unanswered forwarded commands are, one entry a shard (see Gateway).
    var inFlight: [ForwardRoute] = []
    /// Shards it wrote to whose members may lack that though it was acknowledged.
    var written: Set<ShardID> = []
    /// The sessions that other nodes hold for it.
    var sessions: [RemoteSession] = []
    /// Bytes of its forwarded commands that are not answered yet.
    var forwardedBytes = 0
    /// Bytes of other nodes' replies that wait for an earlier one.
    var resultBytes = 0
    /// Replica and seq of its last write, for WAIT.
    var lastWrite: (replica: Int, seq: UInt64) = (-1, 0)
    /// Sessions: the attempt refused last; later commands of it are refused too.
    var refusedAttempt: UInt32?
    /// Sessions: bytes of replies given to the link while it was full.
    var linkBytes = 0
    /// Sessions: the attempt of its last command.
    var sessionAttempt: UInt32 = 0

    init() {
        unsafe arenas = UnsafeMutablePointer<ReplyBuffer>.allocate(capacity: 2)
        unsafe arenas.initialize(to: ReplyBuffer())
        unsafe (arenas + 1).initialize(to: ReplyBuffer(capacity: 16))
    }

    deinit {
        unsafe arenas.deinitialize(count: 2)
        unsafe arenas.deallocate()
    }

    /// Replies that may be sent.
    @inline(__always) var out: ReplyBuffer {
        unsafeAddress { unsafe UnsafePointer(arenas) }
        unsafeMutableAddress { unsafe arenas }
    }

    /// Replies behind `marks`, in their order.
    @inline(__always) var held: ReplyBuffer {
        unsafeAddress { unsafe UnsafePointer(arenas + 1) }
        unsafeMutableAddress { unsafe arenas + 1 }
    }

    @inline(__always) var isBlocked: Bool {
        if case .none = block { return false }
        return true
    }

    /// Whether its commands are dropped from here on: it is to be closed, or one turn's replies passed the output bound.
    @inline(__always) var takesNoMore: Bool {
        unsafe isClosing || arenas.pointee.bytes.count > Limits.outputBytes
    }

    @inline(__always) var isSession: Bool {
        if case .session = kind { return true }
        return false
    }

    @inline(__always) var isGateway: Bool {
        if case .client(.gateway) = kind { return true }
        return false
    }
}

/// What CLIENT commands show and set.
struct ClientInfo {
    /// Unique in this process, from 1.
    var id: UInt64 = 0
    /// `host:port` of the client and of the port it came by.
    var address = ""
    var local = ""
    var name: [UInt8] = []
    var libraryName: [UInt8] = []
    var libraryVersion: [UInt8] = []
    /// ms since 1970.
    var opened: Int64 = 0
    var lastCommand: Int64 = 0
    /// Name of the command last run.
    var command: CommandID?
    var isReadonly = false
    var isNoEvict = false
    var isNoTouch = false
}

/// An open MULTI, and what WATCH watches.
struct Transaction: ~Copyable {
    /// Between MULTI and EXEC or DISCARD.
    var isOpen = false
    /// A queued command was refused: EXEC answers EXECABORT.
    var isAborted = false
    var queue = CommandQueue()
    /// The shard all its keys lie in, once one was named.
    var shard: ShardID?
    /// What each queued SELECT named, decided when it was queued, since the keys behind it were located by that: index of a
    /// keyspace, or nil if there was none of that name.
    var selections: [Int?] = []
    /// Index of the keyspace of the next command that is queued; nil = the connection's own.
    var keyspace: Int?
    /// Index of the keyspace that `shard` or `watchShard` is of.
    var shardKeyspace: Int?
    /// Watched keys, with the keyspace number they were named in.
    var watched: [WatchedKey] = []
    /// A watched key was written, or expired.
    var isDirty = false
    /// Gateway: keys that the session at the primary watches for it (RULES G4).
    var watchCount = 0
    var watchShard: ShardID?

    struct WatchedKey: Hashable {
        var keyspace: UInt32
        var key: Key
    }
}

/// A session that a node holds for a connection here.
struct RemoteSession {
    var node: NodeID
    var number: UInt64
    /// What the next command to it says; higher each time that refused ones go there again.
    var attempt: UInt32 = 0
}

/// Where forwarded commands of one shard went: later ones go the same way until all are answered.
struct ForwardRoute {
    var shard: ShardID
    /// nil = executed here.
    var node: NodeID?
    var count: Int
}
