public import ClusterModel

/// What a datasrv is started with, checked.
public struct DataHostSettings: Sendable {
    public var id: NodeID
    public var directory: String
    /// Where the ports are bound; port 0 takes any free one.
    public var listen: Address
    public var gateway: Address
    public var peer: Address
    public var http: Address?
    /// How others reach the ports, where that differs.
    public var announce: Address?
    public var announceGateway: Address?
    public var announcePeer: Address?
    public var meta: [Address]
    public var zone = ""
    public var host = ""
    public var weight = 1.0
    public var sync = SyncMode.always
    public var leaseMillis = 1000
    public var cacheBytes = 256 << 20
    public var maxClients = 10_000
    public var gatewayTimeoutMillis = 5000
    /// Shared by all processes of the cluster; nil = none.
    public var secret: [UInt8]?
    /// What clients must AUTH with; nil = none.
    public var password: [UInt8]?
    /// What CONFIG GET shows, by name.
    public var shown: [(name: String, value: String)] = []

    public init(id: NodeID, directory: String, listen: Address, gateway: Address, peer: Address, meta: [Address]) {
        self.id = id
        self.directory = directory
        self.listen = listen
        self.gateway = gateway
        self.peer = peer
        self.meta = meta
    }
}
