/// How keys map to shards.
public enum SchemeKind: String, Hashable, Codable, Sendable, CaseIterable {
    case hash, ring, range, list
    /// Whether the token is a slot, so that stock Redis Cluster clients can route it.
    public var usesSlots: Bool { self == .hash || self == .ring }
}

/// How writes travel from the primary to the other members.
public enum Flow: String, Hashable, Codable, Sendable, CaseIterable {
    /// primary -> every secondary
    case fanout
    /// head -> next -> ... -> tail
    case chain
}

/// When a write counts as committed.
public enum Ack: String, Hashable, Codable, Sendable, CaseIterable {
    /// durable on every member
    case all
    /// durable on more than half of the members
    case majority
    /// durable on the primary
    case one

    /// How many of `members` durable members, the primary counted, commit a record.
    public func needed(of members: Int) -> Int {
        switch self {
        case .all: members
        case .majority: members / 2 + 1
        case .one: 1
        }
    }
}

/// Where reads may be answered.
public enum ReadMode: String, Hashable, Codable, Sendable, CaseIterable {
    /// linearizable, at the primary
    case primary
    /// linearizable, at every member (ack=all only)
    case any
    /// may be stale: the nearest member
    case nearest
    /// may be stale: a secondary
    case secondary
}

/// The replication policy of a keyspace, copied into each of its shards' configurations.
public struct ReplicationPolicy: Hashable, Codable, Sendable {
    /// Wished number of members of each shard, at least 1.
    public var replicas: Int
    public var flow: Flow
    public var ack: Ack
    /// Below this many members a write is refused before execution; 1 ... replicas.
    public var minInSync: Int
    public var read: ReadMode

    public init(replicas: Int, flow: Flow = .fanout, ack: Ack = .all, minInSync: Int? = nil, read: ReadMode = .primary)
    {
        self.replicas = replicas
        self.flow = flow
        self.ack = ack
        self.minInSync = minInSync ?? replicas / 2 + 1
        self.read = read
    }
}

/// The explicit values of one shard of a `list` keyspace.
public struct ListGroup: Hashable, Codable, Sendable {
    /// The group's name, as given in `--values name=a,b`.
    public var name: String
    /// Prefixes (the key up to the separator), sorted.
    public var values: [Key]

    public init(name: String, values: [Key]) {
        self.name = name
        self.values = values
    }
}

/// What a scheme needs to know beyond the shards themselves.
public struct SchemeParameters: Hashable, Codable, Sendable {
    public var kind: SchemeKind
    /// hash: how many shards were asked for.
    public var shards: Int?
    /// ring: virtual nodes of a node of weight 1; 1 ... 4096.
    public var virtualNodes: Int?
    /// range: the first keys of all shards but the first, ascending.
    public var splitAt: [Key]?
    /// list: the groups; a default shard takes the rest.
    public var groups: [ListGroup]?
    /// list: one byte; the prefix ends before its first occurrence (the whole key if it has none). Default `:`.
    public var separator: UInt8?

    public init(
        kind: SchemeKind, shards: Int? = nil, virtualNodes: Int? = nil, splitAt: [Key]? = nil,
        groups: [ListGroup]? = nil, separator: UInt8? = nil
    ) {
        self.kind = kind
        self.shards = shards
        self.virtualNodes = virtualNodes
        self.splitAt = splitAt
        self.groups = groups
        self.separator = separator
    }
}

/// A named set of keys with one sharding scheme and one replication policy.
public struct Keyspace: Hashable, Codable, Sendable, Identifiable {
    public var id: KeyspaceID
    /// `[A-Za-z_][A-Za-z0-9_.-]{0,63}`
    public var name: String
    public var scheme: SchemeParameters
    public var policy: ReplicationPolicy
    /// Free settings: split-bytes, merge-bytes, auto-split, auto-merge; sorted by name when shown.
    public var settings: [String: String]

    public init(
        id: KeyspaceID, name: String, scheme: SchemeParameters, policy: ReplicationPolicy,
        settings: [String: String] = [:]
    ) {
        self.id = id
        self.name = name
        self.scheme = scheme
        self.policy = policy
        self.settings = settings
    }

    /// Whether a name is one that a keyspace may have.
    public static func isWellFormed(name: String) -> Bool {
        let bytes = Array(name.utf8)
        guard let first = bytes.first, bytes.count <= 64 else { return false }
        func letter(_ byte: UInt8) -> Bool { (65...90).contains(byte) || (97...122).contains(byte) || byte == 95 }
        return letter(first)
            && bytes.allSatisfy { letter($0) || (48...57).contains($0) || $0 == 46 || $0 == 45 }
    }
}
