import ClusterModel

// Movement: what operators and balancers do to shards with several copies. Roles are handed over, copies are added as
// learners, members removed.
extension Nemesis {
    private static let second: UInt64 = 1_000_000_000

    func beginMovement() {
        guard plan.has(.movement) else { return }
        let keeper = Operator(world, name: "mover")
        `repeat`(.movement, every: Self.second...20 * Self.second) { [self] chance in
            guard !keeper.isBusy, let shard = anyShard(&chance) else { return }
            switch chance.below(3) {
            case 0: handOver(shard, keeper, &chance)
            case 1: addLearner(shard, keeper, &chance)
            default: removeMember(shard, keeper, &chance)
            }
        }
    }

    /// A shard with several copies as the primary metasrv has it.
    private func anyShard(_ chance: inout Chance) -> ShardConfiguration? {
        let shards = (world.metas.first(where: \.isPrimary)?.shards ?? []).filter { $0.policy.replicas > 1 }
        return shards.isEmpty ? nil : chance.pick(shards)
    }

    /// Gives the role of the primary to another member.
    private func handOver(_ shard: ShardConfiguration, _ keeper: Operator, _ chance: inout Chance) {
        guard shard.members.count > 1 else { return }
        let target = chance.pick(Array(shard.members.dropFirst()))
        note("shard \(shard.id) is handed to \(target.node)")
        keeper.reconfigure(shard, members: [target] + shard.members.filter { $0 != target }) { _ in }
    }

    /// Adds a copy on a node that has none.
    private func addLearner(_ shard: ShardConfiguration, _ keeper: Operator, _ chance: inout Chance) {
        let free = world.nodes.map(\.id).filter { shard.replica(on: $0) == nil }
        guard !free.isEmpty, shard.members.count + shard.learners.count <= shard.policy.replicas else { return }
        let learner = Member(node: chance.pick(free), incarnation: .first)
        note("shard \(shard.id) learns on \(learner.node)")
        keeper.reconfigure(shard, members: shard.members, learners: shard.learners + [learner]) { _ in }
    }

    private func removeMember(_ shard: ShardConfiguration, _ keeper: Operator, _ chance: inout Chance) {
        guard shard.members.count > max(shard.policy.minInSync, shard.policy.replicas - 1) else { return }
        let gone = chance.pick(Array(shard.members.dropFirst()))
        note("shard \(shard.id) leaves \(gone.node)")
        keeper.reconfigure(shard, members: shard.members.filter { $0 != gone }) { _ in }
    }

    private func note(_ text: @autoclosure () -> String) { world.trace.note(world.now, 66, 0, text()) }
}
