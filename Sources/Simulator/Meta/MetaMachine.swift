import ClusterModel
public import MetaCore

/// A machine that runs a metasrv.
public final class MetaMachine {
    private unowned let world: World
    public let name: String
    let host: Int
    let address: Address
    var clock: MachineClock
    /// The process takes nothing before this time of the world, ns.
    var pausedUntil: UInt64 = 0
    /// The process is stopped for so long (ns) when it next appends to the shared log: what it asked for lands behind the
    /// pause (RULES B1, B6).
    var pauseInNextAppend: UInt64 = 0
    private(set) var isPowered = true
    private(set) var process: MetaProcess?
    private var chance: Chance
    private var life = 0

    init(world: World, index: Int, clock: MachineClock) {
        self.world = world
        self.clock = clock
        name = "m\(index + 1)"
        host = world.network.addHost(name)
        address = Address(host: name, port: 7410)
        chance = Chance(seed: world.settings.seed, stream: name)
    }

    var isUp: Bool { process != nil }
    /// Whether it is primary by what it knows.
    public var isPrimary: Bool {
        guard let process else { return false }
        if case .primary = process.node.role { return true }
        return false
    }
    /// The metadata state as far as it knows it.
    public var state: ClusterState? { process?.node.state }

    /// All shards as far as it knows.
    var shards: [ShardConfiguration] { state?.shards.values.map(\.value) ?? [] }

    func start() {
        guard process == nil, isPowered else { return }
        life += 1
        var settings = MetaSettings(
            id: name, listen: address, writer: UniqueID(high: chance.next(), low: chance.next()),
            newCluster: UniqueID(high: chance.next(), low: chance.next()), seed: chance.next(),
            snapshotEvery: world.settings.snapshotEvery)
        settings.downAfter = world.settings.downAfter
        settings.backOff = world.settings.backOff
        world.trace.note(world.now, 42, UInt64(host), "\(name) starts")
        process = MetaProcess(
            world: world, machine: self, settings: settings,
            chance: Chance(seed: chance.next(), stream: "log"))
    }

    func stop(byPower: Bool) {
        guard isPowered, process != nil || byPower else { return }
        world.trace.note(world.now, 43, UInt64(host), "\(name) \(byPower ? "loses its power" : "is killed")")
        process?.die(byPower: byPower)
        self.process = nil
        pausedUntil = 0
        guard byPower else { return }
        isPowered = false
        world.network.setDown(host, true)
    }

    /// The process begins anew.
    func restart() {
        stop(byPower: false)
        start()
    }

    /// The machine has power again.
    func powerUp() {
        guard !isPowered else { return start() }
        isPowered = true
        world.network.setDown(host, false)
        clock.restart(at: world.now, base: chance.between(1_000_000_000, 100_000_000_000))
        start()
    }
}
