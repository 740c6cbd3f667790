import ClusterModel

extension Nemesis {
    /// Gives shards to other nodes and, since those hold no copy, back again.
    func beginMovement() {
        guard plan.has(.movement) else { return }
        let keeper = Operator(world, name: "mover")
        movers.append(keeper)
        `repeat`(.movement, every: 1_000_000_000...20_000_000_000) { [self] chance in
            guard !keeper.isBusy, let shard = anyShard(&chance), let primary = shard.primary else { return }
            guard shard.policy.replicas == 1 else { return handOver(shard, keeper, &chance) }
            let others = world.nodes.map(\.id).filter { $0 != primary.node }
            let target = Member(node: chance.pick(others), incarnation: .first)
            world.trace.note(world.now, 66, shard.id.rawValue, "shard \(shard.id) to \(target.node)")
            // Whatever becomes of it: an answer may be lost.
            if away[shard.id] == nil { away[shard.id] = primary.node }
            keeper.reconfigure(shard, members: [target]) { _ in }
            later(chance.scaled(100_000_000, 3_000_000_000)) { [self] in giveBack(keeper) }
        }
    }

    /// Gives the role of a shard with several copies to another of its members.
    private func handOver(_ shard: ShardConfiguration, _ keeper: Operator, _ chance: inout Chance) {
        guard shard.members.count > 1 else { return }
        let target = chance.pick(Array(shard.members.dropFirst()))
        world.trace.note(world.now, 67, shard.id.rawValue, "shard \(shard.id) is handed to \(target.node)")
        keeper.reconfigure(shard, members: [target] + shard.members.filter { $0 != target }) { _ in }
    }

    private func anyShard(_ chance: inout Chance) -> ShardConfiguration? {
        guard let state = world.metas.first(where: \.isPrimary)?.shards, !state.isEmpty else { return nil }
        return chance.pick(state)
    }

    /// Asks for every shard that is away to be given back, one after another; those that are refused are asked for again.
    func giveBack(_ keeper: Operator) {
        guard !keeper.isBusy, let shards = world.metas.first(where: \.isPrimary)?.shards else { return }
        for id in away.keys.sorted() {
            guard let shard = shards.first(where: { $0.id == id }), let home = away[id] else { continue }
            if shard.primary?.node == home {
                away[id] = nil
                continue
            }
            return keeper.reconfigure(shard, members: [Member(node: home, incarnation: .first)]) { _ in }
        }
    }

    /// After all trouble: until nothing is away.
    func giveAllBack() {
        guard let keeper = movers.first, !away.isEmpty else { return }
        giveBack(keeper)
        world.after(200_000_000) { [self] in giveAllBack() }
    }
}
