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

/// The members of one configuration and how many of them hold a committed record: who has to be heard before another
/// primary may be chosen (RULES C7).
public struct Electorate: Hashable, Codable, Sendable {
    public var members: [Member]
    public var ack: Ack

    public init(members: [Member], ack: Ack) {
        self.members = members
        self.ack = ack
    }

    /// How many members a primary needs the grants of, itself counted, and how many of them commit an epoch.
    public var leaseQuorum: Int { ack == .all ? members.count : members.count / 2 + 1 }
    /// How many members must be sealed: so many that one of them has every committed record (`one`: what was not copied yet
    /// may be lost) and one of them is needed by any other primary's lease (RULES A10).
    public var sealQuorum: Int { members.count - leaseQuorum + 1 }

    /// Whether those who are sealed are enough of this configuration.
    public func isSealed(by sealed: [Member]) -> Bool {
        members.count { sealed.contains($0) } >= (Mutant.c7SealsTooFew.isOn ? 1 : sealQuorum)
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
    /// The configurations before this one, from the last that is known to have been active on: with ack below all any of
    /// them may have committed what the members of this one alone do not know, until this one is active (RULES C7).
    public var unsettled: [Electorate] = []

    public init(
        id: ShardID, keyspace: KeyspaceID, epoch: Epoch, range: ShardRange, policy: ReplicationPolicy,
        members: [Member], learners: [Member] = [], proposal: Proposal, primaryBoot: BootNonce,
        handedOverFrom: NodeID? = nil, unsettled: [Electorate] = []
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
        self.unsettled = unsettled
    }

    /// `unsettled` may be missing: documents from before it was there.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        id = try fields.decode(ShardID.self, forKey: .id)
        keyspace = try fields.decode(KeyspaceID.self, forKey: .keyspace)
        epoch = try fields.decode(Epoch.self, forKey: .epoch)
        range = try fields.decode(ShardRange.self, forKey: .range)
        policy = try fields.decode(ReplicationPolicy.self, forKey: .policy)
        members = try fields.decode([Member].self, forKey: .members)
        learners = try fields.decode([Member].self, forKey: .learners)
        proposal = try fields.decode(Proposal.self, forKey: .proposal)
        primaryBoot = try fields.decode(BootNonce.self, forKey: .primaryBoot)
        handedOverFrom = try fields.decodeIfPresent(NodeID.self, forKey: .handedOverFrom)
        unsettled = try fields.decodeIfPresent([Electorate].self, forKey: .unsettled) ?? []
    }

    public var electorate: Electorate { Electorate(members: members, ack: policy.ack) }

    /// The configurations of which members must be sealed before another primary takes over with ack below all. Each member
    /// of one with ack=all has all that was committed before in such ones: of a row of them that comes first the last counts
    /// alone, and nobody who left in the course of it is needed any more.
    public var electorates: [Electorate] {
        let all = unsettled + [electorate]
        return Array(all.dropFirst(max(all.prefix { $0.ack == .all }.count - 1, 0)))
    }

    /// Whether a member that was one of several before may still be asked how far its log is.
    public func mayAsk(_ former: Member) -> Bool {
        unsettled.contains { $0.members.count > 1 && $0.members.contains(former) }
    }

    /// Whether there are, or are to be, several replicas of it: then a primary lives by the others' leases.
    public var isCopied: Bool { policy.replicas > 1 || members.count + learners.count > 1 }
    /// Whether every member has all that was committed: each that may have been asked for its word was (ack all).
    public var isHeldByAll: Bool { policy.ack == .all && unsettled.allSatisfy { $0.ack == .all } }
    public var primary: Member? { members.first }
    public func member(on node: NodeID) -> Member? { members.first { $0.node == node } }
    public func replica(on node: NodeID) -> Member? { member(on: node) ?? learners.first { $0.node == node } }
}
