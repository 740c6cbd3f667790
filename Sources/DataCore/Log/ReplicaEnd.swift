public import ClusterModel

/// How a life of a replica ended (RULES C14): what its `drop` record says.
public struct ReplicaEnd: Hashable, Sendable {
    public var incarnation: Incarnation
    /// The highest epoch that it promised; it never acted in a later one. Nil = not known, since bytes of the log are lost
    /// that may have told of one.
    public var promised: Epoch?

    public init(_ incarnation: Incarnation, promised: Epoch?) {
        self.incarnation = incarnation
        self.promised = promised
    }

    init(_ header: RecordHeader) {
        incarnation = header.incarnation
        promised = header.epoch == .none ? nil : header.epoch
    }
}

extension ShardControl {
    /// The end of this life, if it ends here. Epochs never fall from record to record: behind lost bytes the next record of
    /// this replica tells that no later epoch was promised among them.
    /// - Precondition: the log's end is there.
    public var end: ReplicaEnd { ReplicaEnd(incarnation, promised: isDoubtful ? nil : max(promised, lastEpoch)) }
    /// The same where it is not known what this life promised last.
    public var unknownEnd: ReplicaEnd { ReplicaEnd(incarnation, promised: nil) }
}
