import ClusterModel

/// Brings a plan's trouble upon a world, and takes it away again.
final class Nemesis {
    unowned let world: World
    let plan: FaultPlan
    /// Trouble of each kind so far.
    private(set) var counts: [FaultClass: Int] = [:]
    private var isOver = false
    /// Whether the cluster needs a breath: nothing new is begun until it has had one.
    private let isSpent: () -> Bool

    init(world: World, plan: FaultPlan, isSpent: @escaping () -> Bool) {
        self.world = world
        self.plan = plan
        self.isSpent = isSpent
    }

    /// How much trouble there was in all.
    var total: Int { counts.values.reduce(0, +) }  // order-free: a sum

    func begin() {
        // What the world was built with.
        let built: [FaultClass] = [.unequalLeases, .snapshots, .tinySegments, .smallMemory, .smallBatches]
        for kind in built where plan.has(kind) { count(kind) }
        beginWeather()
        beginClocks()
        beginPartitions()
        beginProcesses()
        beginDisks()
        beginRefusals()
        beginRot()
        beginOldDirectories()
        beginMetadata()
        beginMovement()
    }

    /// All trouble ends: ways open, machines have power, processes run.
    func heal() {
        isOver = true
        world.trace.note(world.now, 60, 0, "all trouble ends")
        world.network.weather.loss = 0
        world.network.weather.reset = 0
        world.network.weather.tail = 0
        world.logTrouble = { .none }
        world.network.openAll()
        for meta in world.metas {
            meta.pausedUntil = min(meta.pausedUntil, world.now)
            meta.pauseInNextAppend = 0
            meta.powerUp()
        }
        for node in world.nodes {
            node.pausedUntil = min(node.pausedUntil, world.now)
            node.slowness = 1
            node.syncDelay = world.settings.syncDelay
            node.disk.mend()
            node.powerUp()
        }
        guard plan.has(.movement) else { return }
        // What the mover asked last may come to pass until its call is over.
        world.after(3_000_000_000) { [self] in takeBack(world.nodes.map(\.id), Operator(world, name: "healer")) }
    }

    func count(_ fault: FaultClass) { counts[fault, default: 0] += 1 }

    /// Does something again and again, each time after a pause drawn anew (ns), until all trouble ends.
    /// - Parameter counts: each time is trouble; else the action says so itself.
    func `repeat`(
        _ fault: FaultClass, every pause: ClosedRange<UInt64>, counts: Bool = true,
        _ action: @escaping (inout Chance) -> Void
    ) {
        guard plan.has(fault) else { return }
        var chance = plan.chance(fault)
        // Within the range of the kind each seed has a pace of its own.
        let longest = chance.between(pause.lowerBound, pause.upperBound)
        schedule(fault, Chance(seed: chance.next()), pause.lowerBound...longest) { [self] chance in
            guard !isSpent() else { return }
            if counts { count(fault) }
            action(&chance)
        }
    }

    private func schedule(
        _ fault: FaultClass, _ start: Chance, _ pause: ClosedRange<UInt64>, _ action: @escaping (inout Chance) -> Void
    ) {
        var chance = start
        world.after(chance.between(pause.lowerBound, pause.upperBound)) { [self] in
            guard !isOver else { return }
            action(&chance)
            schedule(fault, chance, pause, action)
        }
    }

    /// Does something later, unless all trouble has ended by then.
    func later(_ delay: UInt64, _ action: @escaping () -> Void) {
        world.after(delay) { [self] in if !isOver { action() } }
    }
}
