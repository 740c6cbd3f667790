import ClusterModel

/// The map of one keyspace as Redis Cluster clients see it: nodes, and the slots each is primary of.
struct ClusterView {
    struct Member {
        var node: Node
        var isSelf: Bool
        /// Highest epoch among its shards.
        var epoch: UInt64 = 0
        /// Slots it is primary of: intervals with both ends inside, ascending, as few as there can be.
        var slots: [(first: Int, last: Int)] = []

        /// 40 hexadecimal digits: those of the store, which outlives names and addresses, and eight zeros.
        var id: String { "\(node.store)00000000" }
        var count: Int { slots.reduce(0) { $0 + $1.last - $1.first + 1 } }
    }

    /// In the order of their names.
    var members: [Member] = []
    /// Slots that have a primary.
    var assigned: Int { members.reduce(0) { $0 + $1.count } }
    var isComplete: Bool { assigned == Int(Slot.count) }
    /// Highest epoch of any shard.
    var epoch: UInt64 { members.map(\.epoch).max() ?? 0 }
    /// Members with slots.
    var size: Int { members.count { !$0.slots.isEmpty } }

    /// All intervals of slots in their order, each with its member.
    var intervals: [(first: Int, last: Int, member: Member)] {
        members.flatMap { member in member.slots.map { ($0.first, $0.last, member) } }.sorted { $0.0 < $1.0 }
    }
}

extension Engine {
    /// The view from the keyspace of a connection. A keyspace without slots has members, but none with slots.
    func clusterView(_ keyspace: Int) -> ClusterView {
        var view = ClusterView()
        var nodes = routes.sortedNodes.filter { $0.standing != .removed && $0.id != settings.id }
        nodes.append(settings.node)
        nodes.sort { $0.id < $1.id }
        view.members = nodes.map { ClusterView.Member(node: $0, isSelf: $0.id == settings.id) }
        guard keyspaces[keyspace].usesSlots else { return view }
        let owners = keyspaces[keyspace].entries.map { memberIndex(of: $0, in: view) }
        for (entry, owner) in owners.enumerated() where owner >= 0 {
            view.members[owner].epoch = max(
                view.members[owner].epoch, keyspaces[keyspace].entries[entry].epoch.rawValue)
        }
        // One interval per run of slots with the same primary.
        let slots = keyspaces[keyspace].slots
        var first = 0
        while first < slots.count {
            let owner = slots[first] < 0 ? -1 : owners[Int(slots[first])]
            var end = first + 1
            while end < slots.count, slots[end] == slots[first] || slots[end] >= 0 && owners[Int(slots[end])] == owner {
                end += 1
            }
            if owner >= 0 { view.members[owner].slots.append((first, end - 1)) }
            first = end
        }
        return view
    }

    private func memberIndex(of entry: KeyspaceIndex.Entry, in view: ClusterView) -> Int {
        guard let primary = owner(of: entry) else { return -1 }
        return view.members.firstIndex { $0.node.id == primary } ?? -1
    }
}
