import ClusterModel

// A node comes back with a directory that it had before: a machine that was set back, a backup that was played in. What it
// acknowledged since is gone, which has to be noticed before anybody goes on by what it holds (RULES H1). As with rot, more
// than one copy at a time no number of copies survives; whatever else happens meanwhile may.
extension Nemesis {
    private static let second: UInt64 = 1_000_000_000

    func beginOldDirectories() {
        `repeat`(.oldDirectory, every: 4 * Self.second...15 * Self.second, counts: false) { [self] chance in
            let node = chance.pick(world.nodes)
            let delay = chance.scaled(20_000_000, 2 * Self.second)
            guard node.isUp else { return }
            guard node.disk.hasSaved else {
                node.stop(byPower: false)
                node.disk.save()
                world.trace.note(world.now, 73, UInt64(node.host), "\(node.id)'s directory is kept")
                return later(delay) { node.start() }
            }
            guard areCopiesWhole, canBeSpared(node.id) else { return }
            count(.oldDirectory)
            world.trace.note(world.now, 72, UInt64(node.host), "\(node.id) gets an older directory")
            node.stop(byPower: false)
            node.comeBackOld()
            later(delay) { node.start() }
        }
    }
}
