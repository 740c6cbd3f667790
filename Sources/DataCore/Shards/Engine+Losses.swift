import ClusterModel

// A start that finds something lost: the replicas it concerns end here, the others remove them and have them learn anew
// (RULES C14, E3).
extension Engine {
    /// A replica has lost something that it may have promised.
    mutating func endLost(_ lost: RecoveredNode.Lost) {
        effects.emit(
            .note(
                DataEffect.Note(
                    .error, "\(lost.why): this copy is set aside, it learns anew from the others",
                    shard: lost.store.shard)))
        noteDropped(lost.shard, lost.end)
        effects.emit(.dropStore(lost.store))
    }

    /// Logs the end of a replica's life here.
    mutating func noteDropped(_ shard: ShardID, _ end: ReplicaEnd) {
        if dropped[shard].map({ $0.incarnation < end.incarnation }) ?? true { dropped[shard] = end }
        batch.drop(shard, end)
    }

    /// The lives of replicas that ended here and that the map, as it is known here, still has.
    var endedReplicas: [EndedReplica] {
        dropped.keys.sorted().compactMap { shard in
            guard let end = dropped[shard], let promised = end.promised,
                routes.shard(shard)?.replica(on: settings.id)?.incarnation == end.incarnation
            else { return nil }
            return EndedReplica(shard: shard, incarnation: end.incarnation, promised: promised)
        }
    }

    /// The log has lost bytes, and with them perhaps all that told of some replica: a copy that the map says is here and is
    /// not has ended, the only one of its shard too. Were it made again, an empty one would go by its name.
    mutating func endUnknownReplicas() {
        distrustsMap = false
        if Mutant.e3MakesUnknownReplicas.isOn { return }
        for shard in routes.sortedShards where replicaIndex[shard.id] == nil {
            guard let own = shard.replica(on: settings.id),
                dropped[shard.id].map({ $0.incarnation < own.incarnation }) ?? true
            else { continue }
            noteDropped(shard.id, ReplicaEnd(own.incarnation, promised: nil))
            guard !shard.hasOthers(than: settings.id) else { continue }
            effects.emit(
                .note(
                    DataEffect.Note(
                        .error,
                        "the damaged log tells nothing of this shard and no other copy is known: it stays closed here, "
                            + "its store is kept; restore the directory from a backup, or drop the keyspace",
                        shard: shard.id)))
        }
    }
}
