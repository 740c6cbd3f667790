import ClusterModel

// How long nodes have not been heard, and whose copies are still waited for (RULES H5).
extension MetaNode {
    /// ms of silence after which a node may be on its way back with the copies it had.
    static let absence: UInt64 = 2000
    /// ms within which nodes that fall silent are lost together.
    static let oneEvent: UInt64 = 10_000

    /// ms since a node was last heard. One that was not heard in this term counts from its start: the former primary may
    /// have heard it until then.
    func silence(of node: Node) -> UInt64 { elapsed(since: lastWord(of: node)) }

    private func lastWord(of node: Node) -> UInt64 { hearing(node)?.last ?? termStart }

    /// Whether a node is silent for so long that its copies are made elsewhere.
    func isLost(_ node: Node) -> Bool { node.standing == .removed || silence(of: node) >= settings.downAfter }

    /// Whether a node was heard just now, so that what it reports is what it has.
    func isPresent(_ node: Node) -> Bool {
        guard isUp(node), let found = hearing(node) else { return false }
        return elapsed(since: found.last) < Self.absence && found.routeVersion == state.routeVersion
    }

    /// Whether a node may have a copy of a shard, as far as it was heard.
    func mayHold(_ node: Node, _ shard: ShardID) -> Bool { hearing(node).map { $0.reports[shard] != nil } ?? true }

    /// Nodes that were lost at about the same time, and more of them than one fault of a machine explains: it is a network
    /// or the power that failed, and copying all they had would overload those that are left. Their copies are made
    /// elsewhere on the operator's word alone, which is that he removes the node.
    func lostTogether() -> [Node] {
        let lost = state.members.filter(isLost).sorted { (lastWord(of: $0), $0.id) < (lastWord(of: $1), $1.id) }
        let most = max(1, state.members.count / 3)
        guard lost.count > most, !Mutant.h5RebuildsAfterMassLoss.isOn else { return [] }
        return lost.filter { node in
            // The event that a node was lost in may have begun with it, or with one before it.
            lost.contains { first in
                let began = lastWord(of: first)
                func isOf(_ other: Node) -> Bool {
                    let word = lastWord(of: other)
                    return word >= began && (word - began) / 1_000_000 <= Self.oneEvent
                }
                return isOf(node) && lost.count(where: isOf) > most
            }
        }
    }
}
