import ClusterModel
import DataCore

/// What must come to be once all trouble has ended: every shard has its copies and can be read, the stores hold what is
/// committed, the copies are equal (RULES I16 to I18).
struct Aftermath {
    let world: World
    /// ns within which everything must work again.
    let healing: UInt64

    /// Waits for it, and reads every key.
    /// - Parameter note: gets each read.
    func settle(keys: [String], note: (String, Operation) -> Void) {
        let begun = world.now
        let copies = ReplicaComparison(world: world)
        if !world.run(for: healing, until: { copies.areComplete }), !world.isOver {
            world.violate(.liveness, "shards lack copies after all trouble ended: \(copies.lacking)")
        }
        for key in keys {
            guard !world.isOver else { return }
            guard let operation = readBack(key, until: begun + healing) else {
                return world.violate(.liveness, "key \(key) cannot be read after all trouble ended")
            }
            note(key, operation)
        }
        if !world.run(for: healing, until: { copies.areApplied }), !world.isOver {
            world.violate(.liveness, "stores do not hold what is committed after all trouble ended")
        }
        settleLogs()
        settleLeaks()
        if !world.isOver { copies.compare() }
    }

    /// No log keeps a batch for ever: its segments could never go.
    private func settleLogs() {
        let stuck = { world.nodes.first { $0.process?.hasBacklog == true } }
        guard !world.run(for: healing, until: { stuck() == nil }), !world.isOver, let node = stuck() else { return }
        let awaited = node.process?.awaited.map { "record \($0.seq) of store \($0.store)" } ?? []
        world.violate(
            .liveness,
            "\(node.id)'s log can never let segments go: a batch waits for \(awaited.joined(separator: ", "))")
    }

    /// RULES I17: what nobody needs any more goes.
    private func settleLeaks() {
        let leaking = { world.nodes.first { $0.process?.leak != nil } }
        guard !world.run(for: healing, until: { leaking() == nil }), !world.isOver, let node = leaking() else { return }
        world.violate(.invariant, "I17: \(node.id) keeps \(node.process?.leak ?? "")")
    }

    private func readBack(_ key: String, until limit: UInt64) -> Operation? {
        let request = Request(key, .get)
        var node = 0
        while world.now < limit, !world.isOver {
            let invoked = world.now
            let connection = world.connect(node % world.nodes.count, from: "auditor")
            defer { connection.close() }
            connection.send(request.commands)
            if let reply = world.wait(connection, for: limit - world.now),
                let outcome = request.outcomes([reply])?.first, case .value = outcome
            {
                return Operation(client: -1, .get, invoked: invoked, returned: world.now, outcome)
            }
            node += 1
            world.run(until: min(limit, world.now + 50_000_000))
        }
        return nil
    }
}
