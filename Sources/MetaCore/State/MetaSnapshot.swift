public import ClusterModel

/// The whole metadata state after one position of the log; as JSON it is what the log keeps as a snapshot.
public struct MetaSnapshot: Hashable, Codable, Sendable {
    public var state: ClusterState
    /// The last position it holds.
    public var position: LogPosition { state.position }

    public init(state: ClusterState) { self.state = state }
}
