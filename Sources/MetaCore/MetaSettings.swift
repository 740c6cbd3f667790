public import ClusterModel

/// What a metasrv is started with; times in milliseconds.
public struct MetaSettings: Hashable, Sendable {
    /// `--id`
    public var id: String
    /// Where others reach this process: `--announce`, else `--listen`.
    public var listen: Address
    /// Drawn at random at each start; marks this process's log entries.
    public var writer: UniqueID
    /// Drawn at random; the cluster's identity if this process founds it.
    public var newCluster: UniqueID
    /// Seed of all chance within the core.
    public var seed: UInt64
    /// `--takeover`: a primary that adds nothing to the log for so long is taken to be dead.
    public var takeover: UInt64
    /// `--down-after`: a node that is silent for so long is down.
    public var downAfter: UInt64
    /// How long after its last beat a boot of a data node may still live (RULES H2): another boot of the same store is
    /// held off so long.
    public var rivalAfter: UInt64
    /// How long a node that a shard's primary does not reach is not tried again after the first probe of it failed; twice as
    /// long each further time, up to twelve times as long (RULES H3).
    public var backOff: UInt64
    /// Entries between two snapshots.
    public var snapshotEvery: UInt64

    public init(
        id: String, listen: Address, writer: UniqueID, newCluster: UniqueID, seed: UInt64, takeover: UInt64 = 3000,
        downAfter: UInt64 = 30_000, rivalAfter: UInt64 = 2500, backOff: UInt64 = 5000, snapshotEvery: UInt64 = 1024
    ) {
        self.id = id
        self.listen = listen
        self.writer = writer
        self.newCluster = newCluster
        self.seed = seed
        self.takeover = takeover
        self.downAfter = downAfter
        self.rivalAfter = rivalAfter
        self.backOff = backOff
        self.snapshotEvery = snapshotEvery
    }

    /// How often a primary shows in the log that it lives.
    var beatEvery: UInt64 { max(50, takeover / 6) }
    /// How often a standby reads the log.
    var readEvery: UInt64 { max(25, min(200, takeover / 12)) }
}
