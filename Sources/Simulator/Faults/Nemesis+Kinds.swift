import ClusterModel

// What the kinds of trouble do, with the ranges of RULES.md. W is what a grantor waits, 1.25 leases.
extension Nemesis {
    private static let second: UInt64 = 1_000_000_000
    /// ns.
    private var grantorWait: UInt64 { world.settings.leaseMillis * 1_250_000 }

    func beginWeather() {
        if plan.has(.loss) {
            var chance = plan.chance(.loss)
            world.network.weather.loss = chance.fraction() * chance.fraction() * 0.3
            world.network.weather.reset = chance.oneIn(2) ? 0 : chance.fraction() * 0.003
            count(.loss)
        }
        if plan.has(.delay) {
            world.network.weather.tail = 0.001
            count(.delay)
        }
    }

    func beginClocks() {
        if plan.has(.drift) {
            var chance = plan.chance(.drift)
            for node in world.nodes { node.clock.setRate(0.95 + chance.fraction() * 0.1, at: world.now) }
            for meta in world.metas { meta.clock.setRate(0.95 + chance.fraction() * 0.1, at: world.now) }
            count(.drift)
        }
        let lone = plan.jumpsOneWall ? world.nodes[Int(plan.seed % UInt64(world.nodes.count))] : nil
        `repeat`(.wallJump, every: 2 * Self.second...20 * Self.second) { [world] chance in
            let node = lone ?? chance.pick(world.nodes)
            node.clock.wallOffset = Int64(chance.below(7_200_000)) - 3_600_000
            world.trace.note(world.now, 61, 0, "\(node.id)'s wall is off by \(node.clock.wallOffset) ms")
        }
    }

    // MARK: Network

    func beginPartitions() {
        `repeat`(.partition, every: 2 * Self.second...20 * Self.second) { [self] chance in
            let cuts = draw(&chance)
            for (from, to) in cuts { world.network.setCut(from, to, true) }
            let text = cuts.map { "\(world.network.hosts[$0.0])>\(world.network.hosts[$0.1])" }.joined(separator: " ")
            world.trace.note(world.now, 62, UInt64(cuts.count), "cut: \(text)")
            later(chance.scaled(grantorWait / 10, 3 * grantorWait)) { [self] in
                for (from, to) in cuts { world.network.setCut(from, to, false) }
                world.trace.note(world.now, 63, UInt64(cuts.count), "open: \(text)")
            }
        }
    }

    /// Ways to cut among the servers, sometimes from the clients too.
    private func draw(_ chance: inout Chance) -> [(Int, Int)] {
        var servers = world.nodes.map(\.host) + world.metas.map(\.host)
        servers.shuffle(using: &chance)
        var left = [servers[0]]
        var right = Array(servers.dropFirst())
        var isOneWay = false
        switch chance.below(4) {
        case 0:
            if chance.oneIn(4) { right = world.network.hosts.indices.filter { $0 != left[0] } }
            isOneWay = chance.oneIn(4)
        case 1:
            left = Array(servers[..<(servers.count / 2)])
            right = Array(servers[(servers.count / 2)...])
        case 2:
            // A bridge: one machine sees both halves.
            let rest = Array(servers.dropFirst())
            left = Array(rest[..<(rest.count / 2)])
            right = Array(rest[(rest.count / 2)...])
        default:
            right = [servers[1]]
            isOneWay = chance.oneIn(2)
        }
        return left.flatMap { one in
            right.flatMap { other in isOneWay ? [(one, other)] : [(one, other), (other, one)] }
        }
    }

    // MARK: Processes

    func beginProcesses() {
        `repeat`(.kill, every: 5 * Self.second...30 * Self.second) { [self] chance in
            let node = chance.pick(world.nodes)
            node.stop(byPower: false)
            later(chance.scaled(20_000_000, 5 * Self.second)) { node.start() }
        }
        `repeat`(.massKill, every: 8 * Self.second...40 * Self.second) { [self] chance in
            var nodes = world.nodes
            nodes.shuffle(using: &chance)
            for node in nodes.dropLast() {
                node.stop(byPower: false)
                later(chance.scaled(5_000_000, 500_000_000)) { node.start() }
            }
        }
        `repeat`(.leave, every: 5 * Self.second...30 * Self.second) { [self] chance in
            let node = chance.pick(world.nodes)
            let delay = chance.scaled(20_000_000, 5 * Self.second)
            // Also behind the end of all trouble.
            node.leave { [world] in world.after(delay) { node.start() } }
        }
        `repeat`(.power, every: 5 * Self.second...40 * Self.second) { [self] chance in
            let node = chance.pick(world.nodes)
            guard plan.has(.tornWrites), chance.oneIn(2) else { return cutPower([node], &chance) }
            let draws = Chance(seed: chance.next())
            whenWriting(node, until: world.now + 2 * Self.second) { [self] in
                var draws = draws
                cutPower([node], &draws)
            }
        }
        `repeat`(.blackout, every: 10 * Self.second...60 * Self.second) { [self] chance in
            cutPower(world.nodes, &chance)
        }
        `repeat`(.pause, every: 3 * Self.second...20 * Self.second) { [self] chance in
            let time = chance.scaled(grantorWait / 10, 5 * grantorWait)
            chance.pick(world.nodes).pause(time, inTurn: chance.oneIn(2))
        }
        `repeat`(.slow, every: 5 * Self.second...30 * Self.second) { [self] chance in
            let node = chance.pick(world.nodes)
            node.slowness = chance.scaled(10, 300)
            world.trace.note(world.now, 64, node.slowness, "\(node.id) is \(node.slowness) times slower")
            later(chance.scaled(Self.second / 2, 5 * Self.second)) { node.slowness = 1 }
        }
    }

    /// Does something as soon as a node has written several batches that it has not synced, at the latest at a time (ns).
    private func whenWriting(_ node: DataMachine, until limit: UInt64, _ action: @escaping () -> Void) {
        guard node.disk.log.unsyncedCount < 2, world.now < limit else { return action() }
        later(1_000_000) { [self] in whenWriting(node, until: limit, action) }
    }

    private func cutPower(_ nodes: [DataMachine], _ chance: inout Chance) {
        for node in nodes {
            node.stop(byPower: true, tears: plan.has(.tornWrites))
            later(chance.scaled(200_000_000, 5 * Self.second)) { node.powerUp() }
        }
        if plan.has(.tornWrites) { count(.tornWrites) }
    }

    func beginDisks() {
        `repeat`(.slowDisk, every: 3 * Self.second...20 * Self.second) { [self] chance in
            let node = chance.pick(world.nodes)
            let slowest = chance.scaled(5_000_000, 500_000_000)
            node.syncDelay = slowest / 2...slowest
            later(chance.scaled(Self.second / 2, 4 * Self.second)) { [world] in
                node.syncDelay = world.settings.syncDelay
            }
        }
    }

    // MARK: Metadata group

    func beginMetadata() {
        `repeat`(.metaKill, every: 4 * Self.second...30 * Self.second) { [self] chance in
            let meta = chance.pick(world.metas)
            let byPower = chance.oneIn(3)
            meta.stop(byPower: byPower)
            later(chance.scaled(50_000_000, 8 * Self.second)) { byPower ? meta.powerUp() : meta.start() }
        }
        `repeat`(.metaPause, every: 4 * Self.second...20 * Self.second) { [world] chance in
            let meta = chance.pick(world.metas)
            let time = chance.scaled(Self.second / 10, 8 * Self.second)
            guard chance.oneIn(2) else {
                meta.pauseInNextAppend = time
                return
            }
            meta.pausedUntil = world.now + time
            world.trace.note(world.now, 65, 0, "\(meta.name) pauses until \(Trace.seconds(meta.pausedUntil))")
        }
        if plan.has(.sharedLog) {
            var chance = plan.chance(.sharedLog)
            let rate = chance.fraction() * 0.2
            world.logTrouble = { [self] in
                guard chance.hits(rate) else { return .none }
                count(.sharedLog)
                return chance.pick([.failed, .lostReply, .lostReply, .notWritten])
            }
        }
    }
}
