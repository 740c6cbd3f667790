// What a data node and the primary metasrv say to each other: META.HEARTBEAT, one JSON document each way.

/// What a replica does in its configuration.
public enum ReplicaRole: String, Hashable, Codable, Sendable { case primary, secondary, learner }

/// What a data node reports of one replica it holds.
public struct ShardReport: Hashable, Codable, Sendable {
    public var id: ShardID
    /// The highest epoch this replica has persisted.
    public var epoch: Epoch
    public var incarnation: Incarnation
    public var role: ReplicaRole
    /// Whether it passes the serve check now (a primary), or takes part in replication (others).
    public var serving: Bool
    /// The epoch whose epoch-start record is committed here (RULES C7).
    public var active: Epoch
    public var last: Seq
    /// The epoch of the record `last`; nil = a node that does not say.
    public var lastEpoch: Epoch?
    public var commit: Seq
    public var applied: Seq
    /// Bytes in the store, approximately.
    public var bytes: UInt64

    public init(
        id: ShardID, epoch: Epoch, incarnation: Incarnation, role: ReplicaRole, serving: Bool, active: Epoch,
        last: Seq, lastEpoch: Epoch? = nil, commit: Seq, applied: Seq, bytes: UInt64
    ) {
        self.id = id
        self.epoch = epoch
        self.incarnation = incarnation
        self.role = role
        self.serving = serving
        self.active = active
        self.last = last
        self.lastEpoch = lastEpoch
        self.commit = commit
        self.applied = applied
        self.bytes = bytes
    }
}

/// A replica whose life ended at its node: nobody acts by that number again (RULES C14).
public struct EndedReplica: Hashable, Codable, Sendable {
    public var shard: ShardID
    public var incarnation: Incarnation
    /// The highest epoch that it promised: in no later one has it acted.
    public var promised: Epoch

    public init(shard: ShardID, incarnation: Incarnation, promised: Epoch) {
        self.shard = shard
        self.incarnation = incarnation
        self.promised = promised
    }
}

/// A data node's beat to the metadata group; its first one is its registration.
public struct Heartbeat: Hashable, Codable, Sendable {
    /// The cluster this node's directory belongs to; nil on a new directory.
    public var cluster: UniqueID?
    /// What the node says of itself; its `standing` is ignored.
    public var node: Node
    /// The version of its route cache; the answer carries what is newer.
    public var routeVersion: RouteVersion
    /// Sorted by id.
    public var shards: [ShardReport]
    /// True in the last beat of a clean stop: this boot serves nothing from here on, so that its successor need not be
    /// held off (RULES H2).
    public var leaving: Bool?
    /// Until the node is registered: the starts its directory has seen, oldest first and this one last, at least from the one
    /// on that was registered last. A directory that does not know the registered start is an older one (RULES H1). Nil = a
    /// node that does not keep its starts.
    public var starts: [BootNonce]?
    /// Replicas of the route cache that ended here, by shard; nil = none.
    public var ended: [EndedReplica]?

    public init(
        cluster: UniqueID?, node: Node, routeVersion: RouteVersion, shards: [ShardReport], leaving: Bool? = nil,
        starts: [BootNonce]? = nil, ended: [EndedReplica]? = nil
    ) {
        self.cluster = cluster
        self.node = node
        self.routeVersion = routeVersion
        self.shards = shards
        self.leaving = leaving
        self.starts = starts
        self.ended = ended
    }
}

/// The metadata primary's answer to a beat.
public struct HeartbeatAnswer: Hashable, Codable, Sendable {
    public var cluster: UniqueID
    public var term: Term
    /// What changed since the beat's route version; nil when nothing did.
    public var delta: RouteDelta?
    /// Why the node is not accepted (another cluster, a name taken by another store, removed); nil when it is.
    public var refusal: String?
    /// With a refusal: it holds only for about so many milliseconds (another boot of the same store may still live,
    /// RULES H2), so beat again. Nil = it holds until an operator changes something.
    public var retryAfterMillis: UInt64?
    /// What the wall shows there, ms since 1970: for a node that leads alone it is the only other (RULES A13). Nil = a metasrv
    /// that does not say.
    public var wall: Int64?

    public init(
        cluster: UniqueID, term: Term, delta: RouteDelta?, refusal: String? = nil, retryAfterMillis: UInt64? = nil,
        wall: Int64? = nil
    ) {
        self.cluster = cluster
        self.term = term
        self.delta = delta
        self.refusal = refusal
        self.retryAfterMillis = retryAfterMillis
        self.wall = wall
    }
}

/// META.STATUS
public struct MetaStatus: Hashable, Codable, Sendable {
    public enum Role: String, Hashable, Codable, Sendable { case primary, standby }
    public var cluster: UniqueID?
    public var id: String
    public var role: Role
    public var term: Term
    public var position: LogPosition
    public var routeVersion: RouteVersion
    /// Where the primary listens, as far as this process knows.
    public var primary: Address?

    public init(
        cluster: UniqueID?, id: String, role: Role, term: Term, position: LogPosition, routeVersion: RouteVersion,
        primary: Address?
    ) {
        self.cluster = cluster
        self.id = id
        self.role = role
        self.term = term
        self.position = position
        self.routeVersion = routeVersion
        self.primary = primary
    }
}

/// META.RECONFIGURE: a compare-and-set of one shard's configuration.
public struct ReconfigureRequest: Hashable, Codable, Sendable {
    /// The epoch the proposer saw; refused unless it is still the shard's.
    public var expected: Epoch
    /// The wished configuration; its epoch is `expected` + 1.
    public var configuration: ShardConfiguration
    /// With ack below all, when a primary is to be replaced: the replicas that were sealed for it, and how far their logs
    /// are (RULES C7).
    public var seals: [Seal]?
    /// The proposer knows that `expected` was active, so that earlier configurations need no seals.
    public var isActive: Bool?
    /// The members that are left out answer, and lack more than their primary's log has, or have no copy any more: they are
    /// not merely cut off, and fewer than min-in-sync may stay.
    public var leavesBehind: Bool?

    /// A replica that has promised not to take part in the epoch `expected` any more, and the end of its durable log.
    public struct Seal: Hashable, Codable, Sendable {
        public var member: Member
        public var lastEpoch: Epoch
        public var last: Seq

        public init(member: Member, lastEpoch: Epoch, last: Seq) {
            self.member = member
            self.lastEpoch = lastEpoch
            self.last = last
        }

        /// Whether its log is as long as another's: by epoch first.
        public func covers(_ other: Seal) -> Bool { (lastEpoch, last) >= (other.lastEpoch, other.last) }
    }

    public init(
        expected: Epoch, configuration: ShardConfiguration, seals: [Seal]? = nil, isActive: Bool? = nil,
        leavesBehind: Bool? = nil
    ) {
        self.expected = expected
        self.configuration = configuration
        self.seals = seals
        self.isActive = isActive
        self.leavesBehind = leavesBehind
    }
}

/// The answer to META.RECONFIGURE.
public struct ReconfigureAnswer: Hashable, Codable, Sendable {
    /// Whether the shard's configuration is now the wished one (also when an earlier try of the same proposal won).
    public var accepted: Bool
    /// The shard's configuration as it is now.
    public var current: ShardConfiguration?
    /// Why not.
    public var refusal: String?

    public init(accepted: Bool, current: ShardConfiguration?, refusal: String? = nil) {
        self.accepted = accepted
        self.current = current
        self.refusal = refusal
    }
}
