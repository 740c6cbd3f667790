public import ClusterModel

/// What a metasrv is started with, checked.
public struct MetaHostSettings: Sendable {
    public var id: String
    public var listen: Address
    /// Where others reach it, where that differs.
    public var announce: Address?
    public var http: Address?
    /// Directory of the file log.
    public var log: String
    public var takeoverMillis = 3000
    public var downAfterMillis = 30_000
    /// Shared by all processes of the cluster; nil = none.
    public var secret: [UInt8]?

    public init(id: String, listen: Address, log: String) {
        self.id = id
        self.listen = listen
        self.log = log
    }
}
