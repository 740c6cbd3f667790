import ClusterModel

/// The whole brain of a metasrv: the metadata state, its role in the group, and what nodes and operators ask of it.
///
/// One owner, no locks, no clock: the host reads the clocks, feeds one input at a time and runs the effects in their order.
/// After `init` the host gives a first `.tick`; everything else follows from the effects.
public struct MetaNode: Sendable {
    public let settings: MetaSettings
    /// Only what is durable in the log.
    public internal(set) var state: ClusterState

    public init(settings: MetaSettings, snapshot: MetaSnapshot?) {
        self.settings = settings
        state = snapshot?.state ?? ClusterState()
    }
}
