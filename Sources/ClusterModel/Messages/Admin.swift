// META.ADMIN: what an operator's tool asks of the primary metasrv, one JSON document each way.
//
// A request is one object with one key, its verb: `{"createKeyspace":{"name":"default",...}}`, `{"listNodes":{}}`.
// An answer has the same form: `{"nodes":{"items":[...]}}`, `{"failed":{"code":"refused","message":"..."}}`.

/// One request of META.ADMIN.
public enum AdminRequest: Hashable, Codable, Sendable {
    /// Answered by `keyspaceCreated` once it is durable in the log; its shards serve a little later (poll `listShards`).
    /// With `plan` nothing is changed and the answer is `done`: what would be created. So in all that change something.
    case createKeyspace(KeyspaceWish, plan: Bool)
    /// Settings by the names of `keyspace set`: flow, ack, min-in-sync, read, replicas, split-bytes, merge-bytes,
    /// auto-split, auto-merge. Answered by `done`.
    case setKeyspace(name: String, settings: [String: String], plan: Bool)
    /// Answered by `done`; gateways refuse the keyspace once they report a route version of at least the answer's.
    case dropKeyspace(name: String, plan: Bool)
    case listKeyspaces
    /// All shards, or those of one keyspace.
    case listShards(keyspace: String?)
    case listNodes
    /// The document of `shardctl status`; `meta.standbys` is empty, since standbys say nothing to the primary: the
    /// asker fills it in from META.STATUS of the addresses it knows.
    case status
    /// The newest `count` entries of the shared log, oldest first; at most 1024.
    case logTail(count: Int)
    case setWeight(node: NodeID, weight: Double, plan: Bool)
    case setMaintenance(node: NodeID, on: Bool, plan: Bool)
    /// Empties a node: its roles and copies go to others, and it is given none. Answered by `done` once that is durable; the
    /// copies follow (poll `listNodes` until it holds none). Off takes the wish back.
    case setDraining(node: NodeID, on: Bool, plan: Bool)
    /// Hands the role of a shard's primary to another of its members (RULES C13). Answered by `done` once it is durable; it
    /// serves a little later (poll `listShards`).
    case promote(shard: ShardID, to: NodeID, plan: Bool)
    /// Retires a node that is down and holds no replica, or is lost and has the last copy of nothing; its store is never
    /// accepted again, its name is free.
    case removeNode(node: NodeID, plan: Bool)

    private enum CreateKeyspaceCodingKeys: String, CodingKey {
        case _0 = "keyspace"
        case plan
    }
}

/// What `keyspace create` asks for; nil = the default.
public struct KeyspaceWish: Hashable, Codable, Sendable {
    public var name: String
    /// hash without `shards`: 16; ring without `virtualNodes`: 32; list without `separator`: `:`.
    public var scheme: SchemeParameters
    public var replicas: Int?
    public var flow: Flow?
    public var ack: Ack?
    public var minInSync: Int?
    public var read: ReadMode?

    public init(
        name: String, scheme: SchemeParameters, replicas: Int? = nil, flow: Flow? = nil, ack: Ack? = nil,
        minInSync: Int? = nil, read: ReadMode? = nil
    ) {
        self.name = name
        self.scheme = scheme
        self.replicas = replicas
        self.flow = flow
        self.ack = ack
        self.minInSync = minInSync
        self.read = read
    }
}

/// Why an admin request was not done; nothing was changed.
public enum AdminErrorCode: String, Hashable, Codable, Sendable, CaseIterable {
    /// A malformed request or value: shardctl's exit 1.
    case usage
    /// Against a safety rule or what exists: exit 3.
    case refused
    /// No such keyspace, shard or node: exit 3.
    case notFound
    /// Not now, try again: exit 2.
    case unavailable

    /// The exit code of shardctl that tells this.
    public var exitCode: Int32 {
        switch self {
        case .usage: 1
        case .refused, .notFound: 3
        case .unavailable: 2
        }
    }
}

/// One answer of META.ADMIN.
public enum AdminAnswer: Hashable, Codable, Sendable {
    case failed(code: AdminErrorCode, message: String)
    /// Durable; `routeVersion` is the map's version that holds it (for a plan: the version it was made on). `summary`
    /// says in one line what was, or would be, done.
    case done(routeVersion: RouteVersion, summary: String)
    /// `shards` are the new shards in the order of their ranges.
    case keyspaceCreated(routeVersion: RouteVersion, keyspace: KeyspaceInfo, shards: [ShardInfo])
    case keyspaces(items: [KeyspaceInfo])
    case shards(items: [ShardInfo])
    case nodes(items: [NodeInfo])
    case status(ClusterStatus)
    case log(items: [LogEntryInfo])

    private enum StatusCodingKeys: String, CodingKey {
        case _0 = "document"
    }
}

/// How well something serves.
public enum ServiceState: String, Hashable, Codable, Sendable, CaseIterable { case serving, degraded, down }

/// One row of `keyspace ls`, the fields of the contract first.
public struct KeyspaceInfo: Hashable, Codable, Sendable {
    public var name: String
    public var scheme: SchemeKind
    /// How many shards it has now.
    public var shards: Int
    public var replicas: Int
    public var flow: Flow
    public var ack: Ack
    public var minInSync: Int
    public var read: ReadMode
    /// The worst of its shards: down when one of them is.
    public var state: ServiceState
    public var id: KeyspaceID
    public var parameters: SchemeParameters
    public var settings: [String: String]

    public init(keyspace: Keyspace, shards: Int, state: ServiceState) {
        self.name = keyspace.name
        self.scheme = keyspace.scheme.kind
        self.shards = shards
        self.replicas = keyspace.policy.replicas
        self.flow = keyspace.policy.flow
        self.ack = keyspace.policy.ack
        self.minInSync = keyspace.policy.minInSync
        self.read = keyspace.policy.read
        self.state = state
        self.id = keyspace.id
        self.parameters = keyspace.scheme
        self.settings = keyspace.settings
    }
}

/// One end of a shard's range as JSON shows it: a slot number, a key in base64, or null for unbounded (and for lists).
public enum ShardBound: Hashable, Codable, Sendable {
    case slot(UInt16)
    case key(Key)
    case unbounded

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .unbounded
        } else if let slot = try? container.decode(UInt16.self) {
            self = .slot(slot)
        } else {
            self = .key(try container.decode(Key.self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .slot(let number): try container.encode(number)
        case .key(let key): try container.encode(key)
        case .unbounded: try container.encodeNil()
        }
    }
}

/// One row of `shard ls`, the fields of the contract first.
public struct ShardInfo: Hashable, Codable, Sendable {
    public var id: ShardID
    /// The keyspace's name.
    public var keyspace: String
    public var from: ShardBound
    /// Exclusive.
    public var to: ShardBound
    public var epoch: Epoch
    public var flow: Flow
    public var ack: Ack
    /// The primary that serves now; nil, and null in JSON, when none does.
    public var primary: NodeID?
    /// In chain order, the primary first.
    public var members: [NodeID]
    public var learners: [NodeID]
    public var state: ServiceState
    /// Approximate bytes at the primary.
    public var bytes: UInt64
    /// Of a list keyspace: the values; empty for its default shard. Nil for other schemes.
    public var values: [Key]?

    public init(
        configuration: ShardConfiguration, keyspace: String, primary: NodeID?, state: ServiceState, bytes: UInt64
    ) {
        id = configuration.id
        self.keyspace = keyspace
        switch configuration.range {
        case .slots(let first, let end):
            from = .slot(first)
            to = .slot(end)
        case .keys(let first, let end):
            from = first.map { .key($0) } ?? .unbounded
            to = end.map { .key($0) } ?? .unbounded
        case .values(let listed, _):
            from = .unbounded
            to = .unbounded
            values = listed
        }
        epoch = configuration.epoch
        flow = configuration.policy.flow
        ack = configuration.policy.ack
        self.primary = primary
        members = configuration.members.map(\.node)
        learners = configuration.learners.map(\.node)
        self.state = state
        self.bytes = bytes
    }

    private enum CodingKeys: String, CodingKey {
        case id, keyspace, from, to, epoch, flow, ack, primary, members, learners, state, bytes, values
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(keyspace, forKey: .keyspace)
        try container.encode(from, forKey: .from)
        try container.encode(to, forKey: .to)
        try container.encode(epoch, forKey: .epoch)
        try container.encode(flow, forKey: .flow)
        try container.encode(ack, forKey: .ack)
        // Not encodeIfPresent: the contract says null, not absent.
        try container.encode(primary, forKey: .primary)
        try container.encode(members, forKey: .members)
        try container.encode(learners, forKey: .learners)
        try container.encode(state, forKey: .state)
        try container.encode(bytes, forKey: .bytes)
        try container.encodeIfPresent(values, forKey: .values)
    }
}

/// One row of `node ls`, the fields of the contract first.
public struct NodeInfo: Hashable, Codable, Sendable {
    public enum State: String, Hashable, Codable, Sendable { case up, down, draining, removed }

    public var id: NodeID
    public var uuid: UniqueID
    public var state: State
    public var address: Address
    public var gateway: Address
    public var zone: String
    public var host: String
    public var weight: Double
    /// Shards whose configuration names it as primary.
    public var primaries: Int
    /// Every copy held, primaries and learners included.
    public var replicas: Int
    public var bytes: UInt64
    public var peer: Address
    public var maintenance: Bool
    /// The version of the node's route cache by its last beat of this term; 0 when none was heard.
    public var routeVersion: RouteVersion

    public init(
        node: Node, state: State, primaries: Int, replicas: Int, bytes: UInt64, routeVersion: RouteVersion
    ) {
        id = node.id
        uuid = node.store
        self.state = state
        address = node.address
        gateway = node.gateway
        zone = node.zone
        host = node.host
        weight = node.weight
        self.primaries = primaries
        self.replicas = replicas
        self.bytes = bytes
        peer = node.peer
        maintenance = node.standing == .maintenance
        self.routeVersion = routeVersion
    }
}

/// One row of `task ls`.
public struct TaskInfo: Hashable, Codable, Sendable {
    public enum State: String, Hashable, Codable, Sendable { case running, paused, done, failed, cancelled }
    public var id: UInt64
    public var kind: String
    public var state: State
    public var step: String
    /// 0 ... 1.
    public var progress: Double
    public var why: String

    public init(id: UInt64, kind: String, state: State, step: String, progress: Double, why: String) {
        self.id = id
        self.kind = kind
        self.state = state
        self.step = step
        self.progress = progress
        self.why = why
    }
}

/// The document of `shardctl status`.
public struct ClusterStatus: Hashable, Codable, Sendable {
    public enum Health: String, Hashable, Codable, Sendable { case healthy, degraded, down }

    public struct Nodes: Hashable, Codable, Sendable {
        public var up: Int
        public var down: Int
        public init(up: Int, down: Int) {
            self.up = up
            self.down = down
        }
    }

    public struct Shards: Hashable, Codable, Sendable {
        public var total: Int
        public var serving: Int
        public var underReplicated: Int
        public init(total: Int, serving: Int, underReplicated: Int) {
            self.total = total
            self.serving = serving
            self.underReplicated = underReplicated
        }
    }

    public struct Meta: Hashable, Codable, Sendable {
        /// nil, and null in JSON, when no primary answers.
        public var primary: Address?
        public var standbys: [Address]
        public init(primary: Address?, standbys: [Address]) {
            self.primary = primary
            self.standbys = standbys
        }

        private enum CodingKeys: String, CodingKey { case primary, standbys }

        public func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(primary, forKey: .primary)
            try container.encode(standbys, forKey: .standbys)
        }
    }

    public var health: Health
    /// How many nodes may be lost now, whichever they are, with every shard still serving.
    public var faultTolerance: Int
    public var nodes: Nodes
    public var shards: Shards
    public var tasks: [TaskInfo]
    public var meta: Meta
    public var routeVersion: RouteVersion
    public var warnings: [String]

    public init(
        health: Health, faultTolerance: Int, nodes: Nodes, shards: Shards, tasks: [TaskInfo] = [], meta: Meta,
        routeVersion: RouteVersion, warnings: [String] = []
    ) {
        self.health = health
        self.faultTolerance = faultTolerance
        self.nodes = nodes
        self.shards = shards
        self.tasks = tasks
        self.meta = meta
        self.routeVersion = routeVersion
        self.warnings = warnings
    }
}

/// One entry of `meta log`.
public struct LogEntryInfo: Hashable, Codable, Sendable {
    public var position: LogPosition
    public var term: Term
    /// Milliseconds since 1970-01-01 UTC by the writer's clock: for people, decides nothing.
    public var wall: Int64
    public var command: ClusterCommand

    public init(position: LogPosition, term: Term, wall: Int64, command: ClusterCommand) {
        self.position = position
        self.term = term
        self.wall = wall
        self.command = command
    }
}
