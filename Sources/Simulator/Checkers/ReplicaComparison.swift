import ClusterModel
import DataCore

/// What must hold when all is quiet: every shard has its copies, the stores hold what is committed, and the copies of a
/// shard are equal (RULES I16, I18).
final class ReplicaComparison {
    private unowned let world: World

    init(world: World) { self.world = world }

    private func wanted(_ shard: ShardConfiguration) -> Int { min(shard.policy.replicas, world.nodes.count) }

    /// Whether every shard has as many members as its keyspace asks for.
    var areComplete: Bool { world.map.shards.allSatisfy { $0.members.count >= wanted($0) } }

    /// The shards that have not.
    var lacking: String {
        world.map.shards.filter { $0.members.count < wanted($0) }
            .map { "\($0.id) (\($0.members.count) of \(wanted($0)))" }.joined(separator: ", ")
    }

    /// Whether each member's store holds all that its primary has committed.
    var areApplied: Bool {
        world.map.shards.allSatisfy { shard in
            let seqs = shard.members.map { applied(shard.id, $0) }
            return seqs.allSatisfy { $0 != nil && $0 == seqs[0] }
        }
    }

    /// What a member's store holds, if that is all of its log.
    private func applied(_ shard: ShardID, _ member: Member) -> Seq? {
        var found: Seq?
        node(member)?.process?.look { glance in
            if glance.shard == shard, glance.incarnation == member.incarnation, glance.applied == glance.last {
                found = glance.applied
            }
        }
        return found
    }

    private func node(_ member: Member) -> DataMachine? { world.nodes.first { $0.id == member.node } }

    /// I16: copies of a quiet shard are equal.
    func compare() {
        for shard in world.map.shards {
            guard let first = shard.primary, let rows = rows(shard.id, first) else { continue }
            for member in shard.members.dropFirst() {
                guard let others = self.rows(shard.id, member) else {
                    world.violate(.invariant, "I16: \(member) has no store of shard \(shard.id)")
                    continue
                }
                let isEqual = rows.count == others.count && zip(rows, others).allSatisfy { $0 == $1 }
                if !isEqual {
                    world.violate(
                        .invariant,
                        "I16: the stores of shard \(shard.id) at \(first) and \(member) differ: \(rows.count) and "
                            + "\(others.count) rows")
                }
            }
        }
    }

    private func rows(_ shard: ShardID, _ member: Member) -> [(key: [UInt8], value: [UInt8])]? {
        node(member)?.disk.rows(StoreID(shard: shard, incarnation: member.incarnation))
    }
}
