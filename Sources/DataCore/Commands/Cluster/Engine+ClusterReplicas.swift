import ClusterModel

// CLUSTER SLOTS for a connection that said READONLY, where the keyspace lets secondaries answer: each interval with the
// other members behind its primary. Others see primaries alone: a node is primary of some slots and secondary of others,
// and clients that know a node by one role only would miss it among the primaries.
extension Engine {
    /// Whether a connection's CLUSTER SLOTS names secondaries.
    func seesReplicas(_ place: Int) -> Bool {
        let index = connections[place].keyspace
        guard let keyspace = keyspaces[index].keyspace, keyspaces[index].usesSlots else { return false }
        return connections[place].client.isReadonly && keyspace.policy.read != .primary
    }

    func writeSlotsWithReplicas(_ call: Call) {
        let index = connections[call.connection].keyspace
        var rows: [(first: Int, last: Int, nodes: [Node])] = []
        let slots = keyspaces[index].slots
        var first = 0
        while first < slots.count {
            var end = first + 1
            while end < slots.count, slots[end] == slots[first] { end += 1 }
            if slots[first] >= 0 {
                let nodes = clusterNodes(of: keyspaces[index].entries[Int(slots[first])])
                if !nodes.isEmpty { rows.append((first, end - 1, nodes)) }
            }
            first = end
        }
        call.reply.array(rows.count)
        for row in rows {
            call.reply.array(2 + row.nodes.count)
            call.reply.integer(row.first)
            call.reply.integer(row.last)
            for node in row.nodes {
                call.reply.array(4)
                call.reply.bulk(node.address.host)
                call.reply.integer(node.address.port)
                call.reply.bulk(ClusterView.Member(node: node, isSelf: node.id == settings.id).id)
                call.reply.map(0)
            }
        }
    }

    /// The primary and behind it the other members; empty if no primary is known.
    private func clusterNodes(of entry: KeyspaceIndex.Entry) -> [Node] {
        guard let primary = owner(of: entry) else { return [] }
        let others = (routes.shard(entry.shard)?.members.map(\.node) ?? []).filter { $0 != primary }
        func node(_ id: NodeID) -> Node? { id == settings.id ? settings.node : routes.node(id) }
        guard let first = node(primary) else { return [] }
        return [first] + others.compactMap(node)
    }
}
