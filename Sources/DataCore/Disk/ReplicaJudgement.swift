public import ClusterModel

/// What a start makes of one replica, from what the log and its store say (RULES C14, E2, E3, E4, H1).
public enum ReplicaJudgement: Hashable, Sendable {
    /// It goes on; the store surely holds everything up to a record, the log all after it.
    case whole(held: Seq)
    /// Without a sync before each answer the log may lose more of its end than the store: that was agreed to. What the store
    /// knows of seqs above the log's is forgotten, since the next records take them again.
    case shortened(held: Seq)
    /// Something that it promised may be missing: it learns anew from the others, under a new incarnation.
    case lost(String, ReplicaEnd)

    /// - Parameters:
    ///   - first: the first numbered record that the log still has of the shard.
    ///   - durable: what the store surely holds; `seen`: what it seems to hold.
    ///   - syncsFirst: whether every answer waits for a sync.
    public init(_ control: ShardControl, first: Seq?, durable: Seq, seen: Seq, syncsFirst: Bool) {
        let begins = first ?? Seq(rawValue: control.last.rawValue &+ 1)
        if control.isLost {
            self = .lost("the log has lost records of it around \(control.last)", control.end)
        } else if durable.rawValue &+ 1 < begins.rawValue {
            self = .lost("its store surely holds records up to \(durable), the log begins at \(begins)", control.end)
        } else if seen > control.last {
            self =
                syncsFirst
                ? .lost(
                    "its store holds record \(seen), the log ends at \(control.last): the log lost its end",
                    control.unknownEnd)
                : .shortened(held: min(durable, control.last))
        } else {
            self = .whole(held: durable)
        }
    }
}

extension ShardConfiguration {
    /// Whether a node other than this one is a member: one that may still have what this one lost. The last copy is never
    /// given up by itself (RULES E2).
    public func hasOthers(than node: NodeID) -> Bool { members.contains { $0.node != node } }
}
