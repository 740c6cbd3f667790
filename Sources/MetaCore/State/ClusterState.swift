public import ClusterModel

/// What is gone from the map since which version.
public struct Tombstone: Hashable, Codable, Sendable {
    public var version: RouteVersion
    public var keyspace: KeyspaceID
    public var shards: [ShardID]
}

/// The metadata state: the shared log applied in order, and nothing else (RULES I4).
public struct ClusterState: Hashable, Codable, Sendable {
    /// nil before the first entry.
    public internal(set) var cluster: UniqueID?
    /// The last position applied.
    public internal(set) var position: LogPosition = .zero
    public internal(set) var term: Term = .zero
    /// `--id` of the term's primary.
    public internal(set) var primaryID = ""
    /// Where the term's primary listens.
    public internal(set) var primary: Address?
    public internal(set) var routeVersion: RouteVersion = .zero
    /// Those removed included, until their name is taken anew.
    public internal(set) var nodes = SortedTable<Versioned<Node>>()
    public internal(set) var keyspaces = SortedTable<Versioned<Keyspace>>()
    public internal(set) var shards = SortedTable<Versioned<ShardConfiguration>>()
    /// Stores of removed nodes, sorted: never accepted again (RULES H1).
    public internal(set) var retiredStores: [UniqueID] = []
    /// Copies whose nodes came back with an older directory, sorted (RULES H1); nil = there are none.
    public internal(set) var outdated: [OutdatedCopy]?
    /// Nodes whose weight an operator set, sorted: a restart does not undo it.
    public internal(set) var fixedWeights: [NodeID] = []
    /// Numbers given so far: never used again.
    public internal(set) var lastKeyspace = KeyspaceID(rawValue: 0)
    public internal(set) var lastShard = ShardID.none
    /// In the order of versions; the oldest are forgotten past `tombstonesKept`.
    public internal(set) var tombstones: [Tombstone] = []
    /// A delta can be given since this version or any later one.
    public internal(set) var deltaFloor: RouteVersion = .zero

    static let tombstonesKept = 256

    public init() {}

    public func keyspace(named name: String) -> Keyspace? {
        keyspaces.values.first { $0.value.name == name }?.value
    }

    public func node(_ id: NodeID) -> Node? { nodes[id]?.value }
    public func shard(_ id: ShardID) -> ShardConfiguration? { shards[id]?.value }

    /// The shards of a keyspace by id.
    public func shards(of keyspace: KeyspaceID) -> [ShardConfiguration] {
        shards.values.filter { $0.value.keyspace == keyspace }.map(\.value)
    }

    /// The registered nodes that were not removed, by id.
    public var members: [Node] { nodes.values.map(\.value).filter { $0.standing != .removed } }

    /// How many replicas a node holds by the configurations: as primary, and in all.
    public func replicas(on node: NodeID) -> (primaries: Int, all: Int) {
        var (primaries, all) = (0, 0)
        for shard in shards.values where shard.value.replica(on: node) != nil {
            all += 1
            if shard.value.primary?.node == node { primaries += 1 }
        }
        return (primaries, all)
    }

    /// The changes since a version: from the entries' own versions and the tombstones if these reach back so far, else the
    /// whole map (`since` 0). Nil before the cluster is founded.
    public func delta(since: RouteVersion) -> RouteDelta? {
        guard let cluster else { return nil }
        let isWhole = since < deltaFloor || since > routeVersion || since == .zero
        let since = isWhole ? .zero : since
        var delta = RouteDelta(cluster: cluster, since: since, version: routeVersion)
        delta.keyspaces = keyspaces.values.filter { isWhole || $0.version > since }.map(\.value)
        delta.shards = shards.values.filter { isWhole || $0.version > since }.map(\.value)
        delta.nodes = nodes.values.filter { isWhole || $0.version > since }.map(\.value)
        if !isWhole {
            let gone = tombstones.filter { $0.version > since }
            delta.droppedKeyspaces = gone.map(\.keyspace).sorted()
            delta.droppedShards = gone.flatMap(\.shards).sorted()
        }
        return delta
    }
}
