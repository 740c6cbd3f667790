/// The changes of the shard map between two versions: whole entries, and tombstones of what is gone.
public struct RouteDelta: Hashable, Codable, Sendable {
    public var cluster: UniqueID
    /// The version this delta starts from; 0 = it is the whole map (what is absent does not exist).
    public var since: RouteVersion
    public var version: RouteVersion
    /// Each list is sorted by id.
    public var keyspaces: [Keyspace]
    public var shards: [ShardConfiguration]
    public var nodes: [Node]
    public var droppedKeyspaces: [KeyspaceID]
    public var droppedShards: [ShardID]

    public init(
        cluster: UniqueID, since: RouteVersion, version: RouteVersion, keyspaces: [Keyspace] = [],
        shards: [ShardConfiguration] = [], nodes: [Node] = [], droppedKeyspaces: [KeyspaceID] = [],
        droppedShards: [ShardID] = []
    ) {
        self.cluster = cluster
        self.since = since
        self.version = version
        self.keyspaces = keyspaces
        self.shards = shards
        self.nodes = nodes
        self.droppedKeyspaces = droppedKeyspaces
        self.droppedShards = droppedShards
    }
}

/// The versioned shard map as a route cache holds it: keyspaces, shards with epochs, nodes.
///
/// Two sources feed it: deltas of the metadata group, in version order, and configurations that data nodes hand out as
/// corrections. A correction is taken only if its epoch is higher; it does not raise the version.
public struct RouteTable: Hashable, Sendable {
    /// What became of a delta.
    public enum Outcome: Hashable, Sendable {
        case applied
        /// Nothing new in it.
        case ignored
        /// It starts above this table's version: ask for a delta since `version`.
        case gap
    }

    public private(set) var cluster: UniqueID?
    public private(set) var version: RouteVersion
    /// Sorted by id.
    public private(set) var keyspaces: [Keyspace]
    /// Sorted by id; look-ups go through `shardIDs(of:)` and `locate`.
    public private(set) var shards: [ShardID: ShardConfiguration]
    public private(set) var nodes: [NodeID: Node]
    private var maps: [KeyspaceID: ShardMap]

    public init() {
        cluster = nil
        version = .zero
        keyspaces = []
        shards = [:]
        nodes = [:]
        maps = [:]
    }

    public func keyspace(named name: String) -> Keyspace? { keyspaces.first { $0.name == name } }
    public func keyspace(_ id: KeyspaceID) -> Keyspace? { keyspaces.first { $0.id == id } }
    public func shard(_ id: ShardID) -> ShardConfiguration? { shards[id] }
    public func node(_ id: NodeID) -> Node? { nodes[id] }
    public var sortedNodes: [Node] { nodes.values.sorted { $0.id < $1.id } }
    public var sortedShards: [ShardConfiguration] { shards.values.sorted { $0.id < $1.id } }

    /// The shards of a keyspace in the order of their ranges (list: by id, default last).
    public func shards(of keyspace: KeyspaceID) -> [ShardConfiguration] {
        (maps[keyspace]?.ordered ?? []).compactMap { shards[$0] }
    }

    /// The shard that a key of a keyspace belongs to; nil when the keyspace or that part of it is not in the table.
    public func locate(_ key: [UInt8], in keyspace: KeyspaceID) -> ShardConfiguration? {
        guard let map = maps[keyspace], let id = map.locate(key) else { return nil }
        return shards[id]
    }

    /// The map of one keyspace, for hot paths that keep their own index.
    public func map(of keyspace: KeyspaceID) -> ShardMap? { maps[keyspace] }

    public mutating func apply(_ delta: RouteDelta) -> Outcome {
        if let cluster, cluster != delta.cluster { return .ignored }
        if delta.version <= version, !(delta.since == .zero && version == .zero) { return .ignored }
        if delta.since == .zero {
            let (newer, former) = (shards, maps)
            self = RouteTable()
            maps = former
            keyspaces = delta.keyspaces.sorted { $0.id < $1.id }
            for shard in delta.shards {
                // A correction learned from a data node may be newer than the map of the metadata group.
                if let known = newer[shard.id], known.epoch > shard.epoch {
                    shards[shard.id] = known
                } else {
                    shards[shard.id] = shard
                }
            }
            for node in delta.nodes { nodes[node.id] = node }
        } else {
            guard delta.since <= version else { return .gap }
            for keyspace in delta.keyspaces {
                keyspaces.removeAll { $0.id == keyspace.id }
                keyspaces.append(keyspace)
            }
            keyspaces.removeAll { delta.droppedKeyspaces.contains($0.id) }
            keyspaces.sort { $0.id < $1.id }
            for shard in delta.shards where (shards[shard.id]?.epoch ?? .none) <= shard.epoch {
                shards[shard.id] = shard
            }
            for shard in delta.droppedShards { shards[shard] = nil }
            for node in delta.nodes { nodes[node.id] = node }
        }
        cluster = delta.cluster
        version = delta.version
        rebuildMaps()
        return .applied
    }

    /// Takes a data node's own configuration if it is newer than what is known. Returns whether it was.
    public mutating func correct(_ configuration: ShardConfiguration) -> Bool {
        guard keyspace(configuration.keyspace) != nil else { return false }
        if let known = shards[configuration.id], known.epoch >= configuration.epoch { return false }
        shards[configuration.id] = configuration
        rebuildMaps()
        return true
    }

    private mutating func rebuildMaps() {
        var grouped: [KeyspaceID: [ShardConfiguration]] = [:]
        for shard in shards.values {  // order-free: ShardMap sorts them
            grouped[shard.keyspace, default: []].append(shard)
        }
        let former = maps
        maps = [:]
        for keyspace in keyspaces {
            let own = (grouped[keyspace.id] ?? []).sorted { $0.id < $1.id }
            if let known = former[keyspace.id], known.isMade(of: keyspace, own) {
                maps[keyspace.id] = known
            } else {
                maps[keyspace.id] = ShardMap(keyspace: keyspace, shards: own)
            }
        }
    }
}
