/// One replica, named by its node and the life of its store on it (RULES C0, C14).
public struct Member: Hashable, Comparable, Codable, Sendable, CustomStringConvertible {
    public var node: NodeID
    public var incarnation: Incarnation

    public init(node: NodeID, incarnation: Incarnation) {
        self.node = node
        self.incarnation = incarnation
    }

    public static func < (left: Member, right: Member) -> Bool {
        (left.node, left.incarnation) < (right.node, right.incarnation)
    }
    public var description: String { "\(node)/\(incarnation)" }
}

/// Who asked for a configuration, so that a retry finds its own success (RULES B10).
public struct Proposal: Hashable, Codable, Sendable {
    /// A node id, or `metasrv`.
    public var proposer: String
    public var request: UInt64
    public init(proposer: String, request: UInt64) {
        self.proposer = proposer
        self.request = request
    }
}

/// A shard's range, policy and ordered replicas, stamped with an epoch (RULES C0). One content per (shard, epoch),
/// for ever.
public struct ShardConfiguration: Hashable, Codable, Sendable, Identifiable {
    public var id: ShardID
    public var keyspace: KeyspaceID
    public var epoch: Epoch
    public var range: ShardRange
    public var policy: ReplicationPolicy
    /// In chain order; the first is the primary (chain: head). Empty = no replica is known to hold the data.
    public var members: [Member]
    /// Sorted.
    public var learners: [Member]
    public var proposal: Proposal
    /// The boot of the primary's process this epoch was made for (RULES C11): another boot needs another epoch.
    public var primaryBoot: BootNonce
    /// The primary of the previous configuration when it hands its role over (RULES C13); nil when the primary did not
    /// change, or when the former one is known dead.
    public var handedOverFrom: NodeID?

    public init(
        id: ShardID, keyspace: KeyspaceID, epoch: Epoch, range: ShardRange, policy: ReplicationPolicy,
        members: [Member], learners: [Member] = [], proposal: Proposal, primaryBoot: BootNonce,
        handedOverFrom: NodeID? = nil
    ) {
        self.id = id
        self.keyspace = keyspace
        self.epoch = epoch
        self.range = range
        self.policy = policy
        self.members = members
        self.learners = learners
        self.proposal = proposal
        self.primaryBoot = primaryBoot
        self.handedOverFrom = handedOverFrom
    }

    public var primary: Member? { members.first }
    public func member(on node: NodeID) -> Member? { members.first { $0.node == node } }
    public func replica(on node: NodeID) -> Member? { member(on: node) ?? learners.first { $0.node == node } }
}
