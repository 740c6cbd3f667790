public import ClusterModel

/// What a run is to be whatever its seed draws: kinds of trouble that it has or has not, and how its world is built.
public struct Favour: Sendable {
    /// Kinds of trouble that it has.
    public var faults: [FaultClass]
    /// Whether it has those alone.
    public var isPure: Bool
    public var nodes: Int?
    public var metas: Int?
    public var replicas: Int?
    public var flow: Flow?
    public var minInSync: Int?
    public var read: ReadMode?
    public var ack: Ack?
    /// ms.
    public var lease: UInt64?

    public init(
        _ faults: [FaultClass] = [], isPure: Bool = false, nodes: Int? = nil, metas: Int? = nil, replicas: Int? = nil,
        flow: Flow? = nil, minInSync: Int? = nil, read: ReadMode? = nil, ack: Ack? = nil, lease: UInt64? = nil
    ) {
        self.read = read
        self.ack = ack
        self.minInSync = minInSync
        self.faults = faults
        self.isPure = isPure
        self.nodes = nodes
        self.metas = metas
        self.replicas = replicas
        self.flow = flow
        self.lease = lease
    }

    /// The same with no other kinds of trouble.
    static func only(
        _ faults: FaultClass..., metas: Int? = nil, replicas: Int? = nil, flow: Flow? = nil, minInSync: Int? = nil,
        read: ReadMode? = nil, ack: Ack? = nil, lease: UInt64? = nil
    ) -> Favour {
        Favour(
            faults, isPure: true, metas: metas, replicas: replicas, flow: flow, minInSync: minInSync, read: read,
            ack: ack, lease: lease)
    }

    /// The kinds that it has not.
    var without: Set<FaultClass> {
        isPure ? Set(FaultClass.allCases).subtracting(faults) : []
    }

    func apply(to settings: inout WorldSettings) {
        if let nodes { settings.nodes = nodes }
        if let metas { settings.metas = metas }
        if let replicas {
            settings.keyspace.replicas = replicas
            settings.keyspace.minInSync = replicas / 2 + 1
        }
        if let ack {
            settings.keyspace.ack = ack
            if ack != .all { settings.keyspace.read = .primary }
        }
        if let read {
            settings.keyspace.read = read
            // Members that may lack what was committed cannot answer such reads: a keyspace with both is refused.
            if read == .any { settings.keyspace.ack = .all }
        }
        if let minInSync { settings.keyspace.minInSync = minInSync }
        if let flow { settings.keyspace.flow = flow }
        if let lease { settings.leaseMillis = lease }
    }
}
