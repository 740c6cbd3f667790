// Requests between data nodes: a gateway's forwarded commands and a shard's hand-over.

/// One command that a gateway sends to the node it believes serves the shard.
///
/// Commands of one gateway connection to one node form a session, executed in order. After the node refused one of them
/// it refuses all of the same `attempt` behind it, so that a re-send keeps the connection's order.
public struct ForwardedCommand: Hashable, Sendable {
    /// The gateway's number for its client connection.
    public var session: UInt64
    /// Raised by the gateway when it re-sends.
    public var attempt: UInt32
    /// The gateway's number for this command; the reply carries it.
    public var request: UInt64
    /// Instead of a request's number: the client is gone, and so is its session. Nothing answers it.
    public static let endsSession: UInt64 = 0
    public var keyspace: KeyspaceID
    public var shard: ShardID
    public var epoch: Epoch
    /// Protocol version of the client, 2 or 3: the reply is written in it.
    public var protocolVersion: UInt8

    public init(
        session: UInt64, attempt: UInt32, request: UInt64, keyspace: KeyspaceID, shard: ShardID, epoch: Epoch,
        protocolVersion: UInt8
    ) {
        self.session = session
        self.attempt = attempt
        self.request = request
        self.keyspace = keyspace
        self.shard = shard
        self.epoch = epoch
        self.protocolVersion = protocolVersion
    }
}

/// The former primary's word that it stopped serving a shard (RULES C13).
public struct Release: Hashable, Codable, Sendable {
    public var shard: ShardID
    /// The epoch the target will serve in.
    public var epoch: Epoch
    public var target: NodeID
    /// Of the releasing process.
    public var boot: BootNonce
    /// The last record of the shard's log here.
    public var lastEpoch: Epoch
    public var lastSeq: Seq
    /// Whether the shard never held a row here, so that a target without its log may start.
    public var isEmpty: Bool

    public init(
        shard: ShardID, epoch: Epoch, target: NodeID, boot: BootNonce, lastEpoch: Epoch, lastSeq: Seq, isEmpty: Bool
    ) {
        self.shard = shard
        self.epoch = epoch
        self.target = target
        self.boot = boot
        self.lastEpoch = lastEpoch
        self.lastSeq = lastSeq
        self.isEmpty = isEmpty
    }
}
