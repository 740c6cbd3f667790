import ClusterModel

// Movement: what operators and balancers do to shards with several copies. Roles are handed over, copies are added as
// learners, members removed.
extension Nemesis {
    private static let second: UInt64 = 1_000_000_000

    func beginMovement() {
        guard plan.has(.movement) else { return }
        let keeper = Operator(world, name: "mover")
        `repeat`(.movement, every: Self.second...20 * Self.second) { [self] chance in
            guard !keeper.isBusy else { return }
            let kind = chance.below(7)
            guard kind < 3 else { return leave(kind, keeper, &chance) }
            guard let shard = anyShard(&chance) else { return }
            switch kind {
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

    /// A node is emptied or gives its roles away for a while, or the keyspace is to have another policy.
    private func leave(_ kind: Int, _ keeper: Operator, _ chance: inout Chance) {
        let node = chance.pick(world.nodes).id
        let isOn = chance.oneIn(2)
        let replicas = chance.between(1, 3)
        let policy = chance.pick(["ack=all", "ack=majority", "flow=chain", "flow=fanout"]).split(separator: "=")
        let request: AdminRequest =
            switch kind {
            case 3: .setDraining(node: node, on: isOn, plan: false)
            case 4: .setMaintenance(node: node, on: isOn, plan: false)
            case 5:
                .setKeyspace(
                    name: world.settings.keyspace.name, settings: ["replicas": "\(replicas)"], plan: false)
            default:
                .setKeyspace(
                    name: world.settings.keyspace.name, settings: [String(policy[0]): String(policy[1])], plan: false)
            }
        note("\(request)")
        keeper.ask(request) { _ in }
    }

    /// Nodes are what they were before anybody wished them away, one after another.
    func takeBack(_ nodes: [NodeID], _ keeper: Operator) {
        guard let next = nodes.first else { return }
        keeper.ask(.setMaintenance(node: next, on: false, plan: false)) { [self] answer in
            if case .done? = answer { return takeBack(Array(nodes.dropFirst()), keeper) }
            world.after(500_000_000) { [self] in takeBack(nodes, keeper) }
        }
    }

    private func note(_ text: @autoclosure () -> String) { world.trace.note(world.now, 66, 0, text()) }
}
