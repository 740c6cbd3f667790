import ClusterModel

// Movement: what operators do to shards that serve, by the verbs of shardctl. Roles are handed over, nodes are emptied and
// put into maintenance and taken back, keyspaces get other policies, and with them copies come and go.
extension Nemesis {
    private static let second: UInt64 = 1_000_000_000

    func beginMovement() {
        guard plan.has(.movement) else { return }
        let keeper = Operator(world, name: "mover")
        `repeat`(.movement, every: Self.second / 2...10 * Self.second, counts: false) { [self] chance in
            guard !keeper.isBusy, let request = wish(&chance) else { return }
            note("\(request)")
            // What is refused moves nothing.
            keeper.ask(request) { [self] answer in if case .done? = answer { count(.movement) } }
        }
    }

    private func wish(_ chance: inout Chance) -> AdminRequest? {
        switch chance.below(8) {
        case 0..<3: promotion(&chance)
        case 3, 4: .setDraining(node: chance.pick(world.nodes).id, on: chance.oneIn(2), plan: false)
        case 5: .setMaintenance(node: chance.pick(world.nodes).id, on: chance.oneIn(2), plan: false)
        default: .setKeyspace(name: world.settings.keyspace.name, settings: setting(&chance), plan: false)
        }
    }

    /// Gives the primary's role of a shard to another of its members, as the primary metasrv has them.
    private func promotion(_ chance: inout Chance) -> AdminRequest? {
        let shards = (world.metas.first(where: \.isPrimary)?.shards ?? []).filter { $0.members.count > 1 }
        guard !shards.isEmpty else { return nil }
        let shard = chance.pick(shards)
        return .promote(shard: shard.id, to: chance.pick(Array(shard.members.dropFirst())).node, plan: false)
    }

    /// Another policy. Reads by any member go with ack=all alone.
    private func setting(_ chance: inout Chance) -> [String: String] {
        switch chance.below(6) {
        case 0, 1, 2: ["replicas": "\(chance.between(1, min(world.nodes.count, 4)))"]
        case 3: ["ack": chance.pick(["all", "majority"])]
        case 4: ["flow": chance.pick(["chain", "fanout"])]
        default: ["min-in-sync": "\(chance.between(1, 2))"]
        }
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
