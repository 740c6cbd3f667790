import ClusterModel

// A disk that does not do what it is told to: it is full, or a sync fails. The node stops by itself where it must, and is
// started again when there is room, or when somebody has looked at the disk (RULES E2, E6).
extension Nemesis {
    private static let second: UInt64 = 1_000_000_000

    func beginRefusals() {
        `repeat`(.fullDisk, every: 4 * Self.second...25 * Self.second, counts: false) { [self] chance in
            let node = chance.pick(world.nodes)
            guard node.disk.space.isRoomy else { return }
            fill(node, &chance)
            let full = chance.scaled(Self.second / 2, 10 * Self.second)
            // Whoever watches over it starts it again and again, in vain or not.
            for _ in 0..<3 { later(chance.between(1, full)) { node.start() } }
            later(full) { [world] in
                node.disk.space.clear()
                world.trace.note(world.now, 70, UInt64(node.host), "\(node.id)'s disk has room again")
                node.start()
            }
        }
        `repeat`(.failedSync, every: 4 * Self.second...25 * Self.second, counts: false) { [self] chance in
            let node = chance.pick(world.nodes)
            guard node.isUp, !node.disk.isSuspect else { return }
            count(.failedSync)
            node.disk.failsNextSync = true
            world.trace.note(world.now, 71, UInt64(node.host), "the next sync of \(node.id) fails")
            later(chance.scaled(Self.second, 10 * Self.second)) {
                node.disk.isSuspect = false
                node.start()
            }
        }
    }

    /// Others fill a disk at once, and perhaps more of it a little later: below the reserve, to where the reserve is given
    /// back, to the last byte.
    private func fill(_ node: DataMachine, _ chance: inout Chance) {
        count(.fullDisk)
        let segment = UInt64(world.settings.segmentBytes)
        let toTheLast = chance.oneIn(2)
        for step in 0..<chance.between(1, 3) {
            let left = Int(toTheLast ? chance.below(512) : chance.scaled(1024, segment * 2))
            let delay = step == 0 ? 0 : chance.scaled(20_000_000, 2 * Self.second)
            later(delay) { [world] in
                guard step == 0 || !node.disk.space.isRoomy else { return }
                node.disk.space.fill(leaving: left)
                world.trace.note(world.now, 69, UInt64(left), "others leave \(left) bytes of \(node.id)'s disk")
            }
        }
    }
}
