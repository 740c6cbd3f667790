import ClusterModel

/// How often in a row one start of a node was tried as a replica of a shard, in vain.
struct Setback: Sendable {
    var boot: BootNonce
    var count: Int
    /// When the last try ended, ns.
    var last: UInt64
    /// When it was made a member last; nil = not since `last`, ns.
    var joined: UInt64?
}

// A primary that does not reach a node puts its copy out, though the metadata group hears that node well: a bridge between
// the two, or the way of one of them, is broken. A learner is the probe of that way: it becomes a member once it has
// answered everything. After a probe that failed the next one waits, twice as long each time: it costs the shard two epochs
// (RULES H3). All this lives in memory: a new primary of the group probes once more.
extension MetaNode {
    /// Looks at what the shards' primaries changed by entries of the log that are about to be applied.
    mutating func noteSetbacks(_ commands: [ClusterCommand]) {
        for case .reconfigure(_, let next) in commands where next.proposal.proposer != "metasrv" {
            guard let former = state.shard(next.id) else { continue }
            for member in next.members where former.learners.contains(member) {
                setbacks[next.id]?[member.node]?.joined = now.monotonic
            }
            for gone in former.members + former.learners where next.replica(on: gone.node) == nil {
                noteSetback(gone.node, next.id, isProbe: former.learners.contains(gone))
            }
        }
    }

    private mutating func noteSetback(_ id: NodeID, _ shard: ShardID, isProbe: Bool) {
        guard let node = state.node(id) else { return }
        var setback = Setback(boot: node.boot, count: 0, last: now.monotonic)
        // A member that held out for as long as a pause and is lost now begins at none: nodes stop and come back.
        if let known = setbacks[shard]?[id], known.boot == node.boot,
            isProbe || known.joined.map({ elapsed(since: $0) < settings.backOff }) ?? false
        {
            setback.count = known.count
        }
        setback.count += 1
        setbacks[shard, default: [:]][id] = setback
    }

    /// Whether a node is not to be tried yet as a replica of a shard.
    func isHeldOff(_ node: Node, _ shard: ShardID) -> Bool { holdOff(of: node, shard) != nil }

    /// Whether it is the first time, so that its copy may soon be of use again and no other is made.
    func isHeldOffAtFirst(_ node: Node, _ shard: ShardID) -> Bool {
        holdOff(of: node, shard).map { $0.count <= 2 } ?? false
    }

    /// What a node is held off for; nil = it may be tried.
    private func holdOff(of node: Node, _ shard: ShardID) -> Setback? {
        guard let setback = setbacks[shard]?[node.id], setback.boot == node.boot, !Mutant.h3TriesAtOnce.isOn,
            elapsed(since: setback.last) < pause(after: setback.count)
        else { return nil }
        return setback
    }

    /// ms. The first setback is that of a member: its node may be on its way back, and is tried at once.
    private func pause(after count: Int) -> UInt64 {
        count < 2 ? 0 : min(settings.backOff << UInt64(min(count - 2, 16)), Self.longestPause * settings.backOff)
    }

    /// Of the first pause.
    private static let longestPause: UInt64 = 12
}
