/// What a scheme looks at in a key.
public enum Token: Hashable, Sendable {
    /// hash, ring
    case slot(Slot)
    /// range
    case key(Key)
    /// list: the prefix up to the separator
    case value(Key)
}

/// A node as placement sees it.
public struct Site: Hashable, Sendable {
    public var node: NodeID
    /// Relative share, above 0.
    public var weight: Double
    public var zone: String
    /// Nodes on one host share its fate.
    public var host: String

    public init(node: NodeID, weight: Double = 1, zone: String = "", host: String? = nil) {
        self.node = node
        self.weight = weight
        self.zone = zone
        self.host = host ?? node.rawValue
    }

    /// A node that was told of no host shares its fate with no other.
    public init(of node: Node) {
        self.init(node: node.id, weight: node.weight, zone: node.zone, host: node.host.isEmpty ? nil : node.host)
    }
}

/// A shard as a scheme wants it: what it covers and which nodes hold it, the primary first.
public struct PlannedShard: Hashable, Sendable {
    public var range: ShardRange
    public var members: [NodeID]

    public init(range: ShardRange, members: [NodeID] = []) {
        self.range = range
        self.members = members
    }
}

/// Why parameters do not make a scheme; one sentence for the operator.
public struct SchemeProblem: Error, Hashable, Sendable, CustomStringConvertible {
    public var description: String
    public init(_ description: String) { self.description = description }
}

/// How keys map to shards, and shards to nodes (DESIGN 4).
public protocol Scheme: Sendable {
    /// With all defaults filled in.
    var parameters: SchemeParameters { get }
    /// Checks the parameters and fills in the defaults.
    init(_ parameters: SchemeParameters) throws(SchemeProblem)
    func token(of key: [UInt8]) -> Token
    /// The placement wanted on these nodes, in the order of ranges (list: the default last). `current` is what there is
    /// now, empty for a new keyspace: of that as little as possible moves. Fewer members than `replicas` when there are
    /// fewer hosts; none when there is no site.
    func placement(on sites: [Site], replicas: Int, current: [PlannedShard]) throws(SchemeProblem) -> [PlannedShard]
}

extension Scheme {
    /// The first of `shards` that covers the token; nil when none does.
    public func shard(of token: Token, in shards: [PlannedShard]) -> Int? {
        switch token {
        case .slot(let slot): shards.firstIndex { $0.range.contains(slot: slot.number) }
        case .key(let key): shards.firstIndex { $0.range.contains(key: key) }
        case .value(let value):
            shards.firstIndex {
                if case .values(let listed, _) = $0.range { return listed.contains(value) }
                return false
            } ?? shards.firstIndex { $0.range.isDefaultList }
        }
    }
}

extension SchemeParameters {
    /// The scheme of these parameters.
    public func scheme() throws(SchemeProblem) -> any Scheme {
        switch kind {
        case .hash: try HashScheme(self)
        case .ring: try RingScheme(self)
        case .range: try RangeScheme(self)
        case .list: try ListScheme(self)
        }
    }

    /// Refuses parameters that belong to other schemes, by the names of their flags.
    func allow(
        shards mayShards: Bool = false, virtualNodes mayVirtual: Bool = false, splitAt maySplit: Bool = false,
        groups mayGroup: Bool = false
    ) throws(SchemeProblem) {
        let flags: [(name: String, isWrong: Bool)] = [
            ("--shards", shards != nil && !mayShards), ("--vnodes", virtualNodes != nil && !mayVirtual),
            ("--split-at", splitAt != nil && !maySplit), ("--values", groups != nil && !mayGroup),
            ("--separator", separator != nil && !mayGroup),
        ]
        if let wrong = flags.first(where: { $0.isWrong }) {
            throw SchemeProblem("a \(kind.rawValue) keyspace takes no \(wrong.name)")
        }
    }
}
