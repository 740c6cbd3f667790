import ClusterModel

// A secondary comes back with a directory that it had before: a machine that was set back, a backup that was played in. What
// it acknowledged since is gone, and its epoch's primary has to notice (RULES H1). That is one loss more than what the other
// kinds of trouble cause together, so that they rest until the node has what it lacks: with its primary gone as well, what
// the metadata group heard of its log is all there is to tell that it lacks something, and that may have been forgotten.
extension Nemesis {
    private static let second: UInt64 = 1_000_000_000

    func beginOldDirectories() {
        `repeat`(.oldDirectory, every: 4 * Self.second...15 * Self.second, counts: false) { [self] chance in
            let node = chance.pick(world.nodes)
            let delay = chance.scaled(20_000_000, 2 * Self.second)
            guard node.disk.hasSaved else {
                guard node.isUp else { return }
                node.stop(byPower: false)
                node.disk.save()
                world.trace.note(world.now, 73, UInt64(node.host), "\(node.id)'s directory is kept")
                return later(delay) { node.start() }
            }
            whenCalm(4 * Self.second, of: node) { [self] in
                count(.oldDirectory)
                world.trace.note(world.now, 72, UInt64(node.host), "\(node.id) gets an older directory")
                rests = true
                node.stop(byPower: false)
                node.comeBackOld()
                later(delay) { [self] in
                    node.start()
                    endRest(of: node, by: world.now + 10 * Self.second)
                }
            }
        }
    }

    /// Does something as soon as nothing else is wrong, if that is so within a time (ns).
    private func whenCalm(_ patience: UInt64, of node: DataMachine, _ action: @escaping () -> Void) {
        guard !isCalm(for: node) else { return action() }
        guard patience > Self.second / 5 else { return }
        later(Self.second / 5) { [self] in whenCalm(patience - Self.second / 5, of: node, action) }
    }

    /// Whether all machines run, see each other and hold all they should, and others are primary of what a node holds.
    private func isCalm(for node: DataMachine) -> Bool {
        !rests && areCopiesWhole && canBeSpared(node.id) && !world.network.hasCuts
            && world.map.shards.allSatisfy { $0.primary?.node != node.id && $0.learners.isEmpty }
            && world.nodes.allSatisfy {
                !$0.isStandingStill && $0.slowness == 1 && $0.disk.space.isRoomy && !$0.disk.failsNextSync
            } && world.metas.allSatisfy { $0.isUp && $0.pausedUntil <= world.now && $0.pauseInNextAppend == 0 }
    }

    /// The others may go on when the node lacks nothing any more, or will not learn it.
    private func endRest(of node: DataMachine, by limit: UInt64) {
        let lacks = world.ledger?.isOutdated(node: node.index) ?? false
        guard lacks, world.now < limit else {
            rests = false
            return
        }
        later(Self.second / 10) { [self] in endRest(of: node, by: limit) }
    }
}
