public import ClusterModel

extension ClusterState {
    /// Why an entry cannot follow the entries before it.
    public enum Misfit: Error, Hashable, Sendable, CustomStringConvertible {
        /// Not the next position.
        case position(expected: LogPosition, found: LogPosition)
        /// The first entry does not found a cluster.
        case notFounded

        public var description: String {
            switch self {
            case .position(let expected, let found): "position \(found) came where \(expected) was due"
            case .notFounded: "the log does not begin with the founding of a cluster"
            }
        }
    }

    /// Applies the entry of the next position. Commands of an older term than the newest are void; so are those that do
    /// not fit the state (a compare-and-set on another epoch, for one): every metasrv judges them alike.
    /// - Parameter look: is shown the state after each command; nil = nobody looks.
    public mutating func apply(_ record: LogRecord, look: ((ClusterState) -> Void)? = nil) throws(Misfit) {
        guard let next = position.successor, record.position == next else {
            throw .position(expected: position.successor ?? position, found: record.position)
        }
        if cluster == nil {
            guard case .found? = record.entry.commands.first else { throw .notFounded }
        }
        position = next
        for command in record.entry.commands {
            apply(command, term: record.entry.term)
            look?(self)
        }
    }

    /// Applies one command of an entry of `term`. Returns whether it had its effect.
    @discardableResult
    mutating func apply(_ command: ClusterCommand, term: Term) -> Bool {
        switch command {
        case .found(let cluster):
            guard self.cluster == nil else { return false }
            self.cluster = cluster
            return true
        case .takeOver(let next, let id, let listen):
            guard next > self.term else { return false }
            self.term = next
            primaryID = id
            primary = listen
            return true
        default: break
        }
        guard term == self.term, let version = routeVersion.successor else { return false }
        let isDone = change(command, version: version)
        if isDone { routeVersion = version }
        return isDone
    }

    /// Changes the map; false = the command is void and nothing was changed.
    private mutating func change(_ command: ClusterCommand, version: RouteVersion) -> Bool {
        switch command {
        case .found, .takeOver, .beat: return false
        case .register(let node, let configurations, let isSetBack):
            guard !retiredStores.contains(node.store), canReplaceAll(configurations) else { return false }
            if nodes[node.id]?.value.store != node.store { fixedWeights.removeAll { $0 == node.id } }
            if isSetBack == true { markOutdated(on: node.id) }
            nodes[node.id] = Versioned(node, version: version)
            replace(configurations, version: version)
        case .updateNode(let node):
            guard let known = nodes[node.id]?.value, known.store == node.store else { return false }
            if known.weight != node.weight, !fixedWeights.contains(node.id) {
                fixedWeights.append(node.id)
                fixedWeights.sort()
            }
            if node.standing == .removed, !retiredStores.contains(node.store) {
                retiredStores.append(node.store)
                retiredStores.sort()
            }
            nodes[node.id] = Versioned(node, version: version)
        case .createKeyspace(let keyspace, let new):
            guard keyspace.id > lastKeyspace, self.keyspace(named: keyspace.name) == nil,
                new.allSatisfy({ $0.id > lastShard && $0.keyspace == keyspace.id })
            else { return false }
            lastKeyspace = keyspace.id
            keyspaces[keyspace.id] = Versioned(keyspace, version: version)
            for shard in new {
                lastShard = max(lastShard, shard.id)
                shards[shard.id] = Versioned(shard, version: version)
            }
        case .updateKeyspace(let keyspace, let configurations):
            guard keyspaces[keyspace.id] != nil, canReplaceAll(configurations) else { return false }
            keyspaces[keyspace.id] = Versioned(keyspace, version: version)
            replace(configurations, version: version)
        case .dropKeyspace(let id):
            guard keyspaces[id] != nil else { return false }
            drop(id, version: version)
        case .reconfigure(let expected, let configuration):
            guard shard(configuration.id)?.epoch == expected, canReplaceAll([configuration]) else { return false }
            replace([configuration], version: version)
        }
        return true
    }

    /// Whether each is the next epoch of a shard that exists.
    private func canReplaceAll(_ configurations: [ShardConfiguration]) -> Bool {
        configurations.allSatisfy { wished in
            guard let known = shard(wished.id), known.keyspace == wished.keyspace else { return false }
            return known.epoch.successor == wished.epoch
        }
    }

    private mutating func replace(_ configurations: [ShardConfiguration], version: RouteVersion) {
        for shard in configurations {
            if outdated != nil, let former = self.shard(shard.id) { forgetOutdated(former, shard) }
            shards[shard.id] = Versioned(shard, version: version)
        }
    }

    private mutating func drop(_ id: KeyspaceID, version: RouteVersion) {
        let gone = shards(of: id).map(\.id)
        for shard in gone {
            shards[shard] = nil
            forgetOutdated(of: shard)
        }
        keyspaces[id] = nil
        tombstones.append(Tombstone(version: version, keyspace: id, shards: gone))
        if tombstones.count > Self.tombstonesKept { deltaFloor = tombstones.removeFirst().version }
    }
}
