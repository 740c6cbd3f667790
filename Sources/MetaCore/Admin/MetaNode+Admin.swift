import ClusterModel

/// Why an admin request is not done; nothing was changed.
struct AdminRefusal: Error {
    var code: AdminErrorCode
    var message: String

    init(_ code: AdminErrorCode, _ message: String) {
        self.code = code
        self.message = message
    }

    static func refused(_ message: String) -> AdminRefusal { AdminRefusal(.refused, message) }
    static func usage(_ message: String) -> AdminRefusal { AdminRefusal(.usage, message) }
    static func noNode(_ id: NodeID) -> AdminRefusal { AdminRefusal(.notFound, "no such node: \(id)") }
    static func noKeyspace(_ name: String) -> AdminRefusal { AdminRefusal(.notFound, "no such keyspace: \(name)") }
}

// META.ADMIN: the requests that change something.
extension MetaNode {
    func judgeAdmin(_ request: AdminRequest, _ draft: ClusterState) -> Judgement {
        do throws(AdminRefusal) {
            switch request {
            case .createKeyspace(let wish, let plan): return try createKeyspace(wish, plan, draft)
            case .setKeyspace(let name, let settings, let plan):
                return try setKeyspace(name, settings, plan, draft)
            case .dropKeyspace(let name, let plan):
                guard let keyspace = draft.keyspace(named: name) else { throw .noKeyspace(name) }
                let count = draft.shards(of: keyspace.id).count
                return outcome(
                    .dropKeyspace(keyspace.id), plan, draft,
                    "drop keyspace \(name) and the data of its \(counted(count, "shard"))")
            case .setWeight(let id, let weight, let plan):
                guard weight > 0, weight <= 1_000_000 else {
                    throw .usage("a weight is above 0 and at most 1000000, not \(weight)")
                }
                return try update(id, plan, draft, "give node \(id) the weight \(weight)") { $0.weight = weight }
            case .setMaintenance(let id, let isOn, let plan):
                let summary = "\(isOn ? "put node \(id) into" : "take node \(id) out of") maintenance"
                return try update(id, plan, draft, summary) { $0.standing = isOn ? .maintenance : .member }
            case .setDraining(let id, let isOn, let plan): return try setDraining(id, isOn, plan, draft)
            case .promote(let shard, let target, let plan): return try promote(shard, target, plan, draft)
            case .removeNode(let id, let plan): return try removeNode(id, plan, draft)
            case .listKeyspaces, .listShards, .listNodes, .status, .logTail: return .answer(.admin(report(request)))
            }
        } catch {
            return .answer(.admin(.failed(code: error.code, message: error.message)))
        }
    }

    /// The command, or in a plan only what it would do.
    func outcome(
        _ command: ClusterCommand, _ isPlan: Bool, _ draft: ClusterState, _ summary: String
    ) -> Judgement {
        if isPlan { return .answer(.admin(.done(routeVersion: draft.routeVersion, summary: summary))) }
        return Judgement(commands: [command], answer: .done(summary: summary))
    }

    func update(
        _ id: NodeID, _ isPlan: Bool, _ draft: ClusterState, _ summary: String, change: (inout Node) -> Void
    ) throws(AdminRefusal) -> Judgement {
        guard var node = draft.node(id) else { throw .noNode(id) }
        guard node.standing != .removed else { throw .refused("node \(id) was removed") }
        change(&node)
        return outcome(.updateNode(node), isPlan, draft, summary)
    }

    private func removeNode(
        _ id: NodeID, _ isPlan: Bool, _ draft: ClusterState
    ) throws(AdminRefusal) -> Judgement {
        guard var node = draft.node(id) else { throw .noNode(id) }
        guard node.standing != .removed else { throw .refused("node \(id) was removed already") }
        guard !mayLive(node) else { throw .refused("node \(id) is up: stop it first") }
        let held = draft.replicas(on: id).all
        if held > 0 {
            guard isLost(node) else {
                throw .refused(
                    "node \(id) holds \(counted(held, "replica")): it can be removed when it holds none, or has been down "
                        + "for \(settings.downAfter / 1000) s")
            }
            if let last = draft.shards.values.first(where: { $0.value.members.map(\.node) == [id] }) {
                throw .refused("node \(id) has the only copy of shard \(last.id): start it, or drop the keyspace")
            }
        }
        node.standing = .removed
        var what = "remove node \(id) and never accept its store \(node.store) again"
        let poorer = draft.shards.values.filter { held in
            held.value.members.contains { $0.node == id }
                && held.value.members.allSatisfy { $0.node == id || draft.isOutdated($0, held.id) }
        }
        if !poorer.isEmpty {
            what +=
                "; \(counted(poorer.count, "shard")) will go on by the longest log of the other members, which came back with "
                + "less than they had: what only node \(id) has of them is lost"
        }
        return outcome(.updateNode(node), isPlan, draft, what)
    }

    /// Whether a node was heard just now, or this primary is too new to know.
    private func mayLive(_ node: Node) -> Bool {
        guard let found = hearing(node) else { return elapsed(since: termStart) < settings.rivalAfter }
        return !found.hasLeft && elapsed(since: found.last) < settings.rivalAfter
    }

    func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
}
