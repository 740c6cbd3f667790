/// The circle of slots cut into arcs with owners.
struct Arcs {
    private struct Arc {
        var from: Int
        var owner: NodeID
        /// The arc's owner before this plan; nil if it is new, or its owner is gone.
        var former: NodeID?
    }

    private let sites: [Site]
    /// Ascending by `from`; the first begins at 0 once there is any.
    private var arcs: [Arc] = []
    private var known: Set<NodeID> = []
    /// Whether this is a change of a ring that serves, where every arc that changes hands costs.
    private let isChange: Bool

    /// - Precondition: `sites` is not empty, and sorted by node.
    init(sites: [Site], current: [PlannedShard]) {
        self.sites = sites
        isChange = !current.isEmpty
        let placed = Set(sites.map(\.node))
        for shard in current {
            guard case .slots(let from, _) = shard.range, let owner = shard.members.first else { continue }
            known.insert(owner)
            let stays = placed.contains(owner)
            arcs.append(Arc(from: Int(from), owner: stays ? owner : sites[0].node, former: stays ? owner : nil))
        }
        arcs.sort { $0.from < $1.from }
        adoptOrphans()
    }

    var count: Int { arcs.count + (arcs.first?.from == 0 || arcs.isEmpty ? 0 : 1) }
    func knows(_ node: NodeID) -> Bool { known.contains(node) }

    /// Gives the arcs of nodes that are gone to the owners before them on the circle.
    private mutating func adoptOrphans() {
        guard arcs.contains(where: { $0.former != nil }) else { return }
        for index in arcs.indices where arcs[index].former == nil {
            var before = index
            repeat { before = before == 0 ? arcs.count - 1 : before - 1 } while arcs[before].former == nil
            arcs[index].owner = arcs[before].owner
        }
    }

    /// A token of `node` at `slot`: it takes the rest of the arc that covers the slot.
    mutating func cut(at slot: UInt16, for node: NodeID) {
        let slot = Int(slot)
        let after = arcs.firstIndex { $0.from > slot } ?? arcs.count
        if after > 0, arcs[after - 1].from == slot {
            // Another token's slot. In a ring that serves the newcomer takes the arc over; else who came first has it.
            if isChange { arcs[after - 1].owner = node }
            return
        }
        let covering = after > 0 ? arcs[after - 1].former : (isChange ? arcs.last?.former : nil)
        arcs.insert(Arc(from: slot, owner: node, former: isChange ? covering : nil), at: after)
    }

    private func length(_ index: Int) -> Int {
        let next = index + 1 < arcs.count ? arcs[index + 1].from : arcs[0].from + Int(Slot.count)
        return next - arcs[index].from
    }

    /// Moves arcs from nodes above their share to nodes below it, while a move makes both fit better. In a ring that
    /// serves, only newly cut arcs are given back, by a newcomer that got more than its share: nothing more moves.
    mutating func evenOut() {
        let weights = sites.map(\.weight).reduce(0, +)
        var position: [NodeID: Int] = [:]
        for (index, site) in sites.enumerated() { position[site.node] = index }
        var owners = arcs.map { position[$0.owner] ?? 0 }
        var surplus = sites.map { -$0.weight / weights * Double(Slot.count) }
        for index in arcs.indices { surplus[owners[index]] += Double(length(index)) }
        let tolerance = Double(Slot.count) * 0.0005
        // Each round makes a surplus smaller; the bound is for weights that no arc fits.
        for _ in 0..<arcs.count {
            let rich = surplus.indices.filter { surplus[$0] > tolerance }.sorted {
                (surplus[$1], $0) < (surplus[$0], $1)
            }
            var found: (arc: Int, to: Int)?
            for node in rich where found == nil {
                found = isChange ? arcToGiveBack(node, owners, surplus, position) : arcToMap(node, owners, surplus)
            }
            guard let move = found else { return }
            let length = Double(length(move.arc))
            surplus[owners[move.arc]] -= length
            surplus[move.to] += length
            owners[move.arc] = move.to
            arcs[move.arc].owner = sites[move.to].node
        }
    }

    /// The arc of a node above its share whose move to the poorest leaves the smallest remainder on both sides.
    private func arcToMap(_ rich: Int, _ owners: [Int], _ surplus: [Double]) -> (arc: Int, to: Int)? {
        guard let poorest = surplus.indices.min(by: { surplus[$0] < surplus[$1] }), poorest != rich else { return nil }
        var best: Int?
        var least = max(surplus[rich], -surplus[poorest])
        for index in arcs.indices where owners[index] == rich {
            let length = Double(length(index))
            let left = max(abs(surplus[rich] - length), abs(surplus[poorest] + length))
            if left < least { (least, best) = (left, index) }
        }
        return best.map { ($0, poorest) }
    }

    /// The arc of a newcomer above its share that brings it nearest to its share if its former owner keeps it.
    private func arcToGiveBack(
        _ rich: Int, _ owners: [Int], _ surplus: [Double], _ position: [NodeID: Int]
    ) -> (arc: Int, to: Int)? {
        var best: (arc: Int, to: Int)?
        var least = surplus[rich]
        for index in arcs.indices where owners[index] == rich {
            guard let former = arcs[index].former, let back = position[former], back != rich else { continue }
            let left = abs(surplus[rich] - Double(length(index)))
            if left < least { (least, best) = (left, (index, back)) }
        }
        return best
    }

    /// The arcs as intervals that cover all slots; the one over slot 0 is two.
    func shards() -> [PlannedShard] {
        guard let first = arcs.first, let last = arcs.last else { return [] }
        var shards: [PlannedShard] = []
        if first.from > 0 {
            shards.append(PlannedShard(range: .slots(from: 0, to: UInt16(first.from)), members: [last.owner]))
        }
        for (index, arc) in arcs.enumerated() {
            let end = index + 1 < arcs.count ? arcs[index + 1].from : Int(Slot.count)
            shards.append(
                PlannedShard(range: .slots(from: UInt16(arc.from), to: UInt16(end)), members: [arc.owner]))
        }
        return shards
    }
}
