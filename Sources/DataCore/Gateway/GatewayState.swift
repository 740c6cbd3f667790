import ClusterModel
internal import DequeModule

/// What a gateway has under way, and the sessions of other gateways here.
struct GatewayState {
    var nextRequest: UInt64 = 1
    /// Forwarded commands by request number, until their reply is given.
    var forwards: [UInt64: Forward] = [:]
    /// Replies that came and wait for their turn, by the number in their mark.
    var results: [UInt64: [UInt8]] = [:]
    var gathers: [UInt64: Gather] = [:]
    /// Time limits in the order they come: all are equally long.
    var limits = Deque<(at: UInt64, request: UInt64)>()
    /// When reads that were sent to a secondary go to the primary instead, in the order they come.
    var readLimits = Deque<(at: UInt64, request: UInt64)>()
    /// Connections with a refused forward, to be sent again.
    var refused: Set<Int> = []
    /// Commands of this turn by node.
    var outgoing: [NodeID: ForwardBatch] = [:]
    /// Replies of this turn by link.
    var answers: [LinkID: ForwardReplyBatch] = [:]

    /// Bytes of replies that their link has not taken yet, where there are many.
    var backlogs: [LinkID: Int] = [:]

    var sessions: [SessionKey: Int] = [:]

    struct SessionKey: Hashable {
        var link: LinkID
        var session: UInt64
    }

    /// The link by which a node's gateway reaches its own shards: nothing of it leaves the process.
    static let loopback = LinkID(number: 0)
}

/// One command that another node (or this one, by the loopback) is to run for a connection here.
final class Forward {
    enum Sink {
        /// Its reply is the reply of the connection's command.
        case mark
        /// Its reply has the replies of those commands of an EXEC that were sent along, by place in the EXEC.
        case transaction([Bool])
        /// It is a part of a command that was divided.
        case gather(UInt64, part: Int)
    }

    let request: UInt64
    let connection: ConnectionID
    /// Index of its keyspace.
    let keyspace: Int
    let shard: ShardID
    var node: NodeID
    /// How often it was sent again.
    var attempt: UInt32 = 0
    let isWrite: Bool
    let protocolVersion: UInt8
    let sink: Sink
    /// Position of a key among the arguments, to locate it anew; 0 = it names its shard itself.
    let keyPosition: Int
    var arguments = CommandQueue()
    /// Not executed where it was sent; waits to be sent again.
    var isRefused = false
    /// ns; not sent again before.
    var notBefore: UInt64 = 0

    init(
        request: UInt64, connection: ConnectionID, keyspace: Int, shard: ShardID, node: NodeID, isWrite: Bool,
        protocolVersion: UInt8, sink: Sink, keyPosition: Int
    ) {
        self.request = request
        self.connection = connection
        self.keyspace = keyspace
        self.shard = shard
        self.node = node
        self.isWrite = isWrite
        self.protocolVersion = protocolVersion
        self.sink = sink
        self.keyPosition = keyPosition
    }
}
