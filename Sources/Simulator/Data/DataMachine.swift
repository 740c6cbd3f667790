public import ClusterModel
import DataCore

/// A machine that runs a datasrv: its disk, its clock, and the process when there is one.
public final class DataMachine {
    private unowned let world: World
    let index: Int
    public private(set) var id: NodeID
    let host: Int
    private(set) var store: UniqueID
    /// nil = the port of other nodes.
    let ports: [(port: PortKind?, address: Address)]
    public private(set) var disk: VirtualDisk
    var clock: MachineClock
    var chance: Chance
    private(set) var isPowered = true
    private(set) var process: DataProcess?

    /// The process takes nothing before this time of the world, ns.
    var pausedUntil: UInt64 = 0
    /// Everything on it takes so many times as long.
    var slowness: UInt64 = 1
    /// ns that a sync takes, and at most a read of a row.
    var syncDelay: ClosedRange<UInt64>
    var readDelay: UInt64 = 1_000_000
    /// ns that its stores take for what they are given at a time.
    var storeDelay: ClosedRange<UInt64>

    init(world: World, index: Int, clock: MachineClock) {
        self.world = world
        self.index = index
        self.clock = clock
        id = NodeID(rawValue: "d\(index + 1)")
        host = world.network.addHost(id.rawValue)
        var chance = Chance(seed: world.settings.seed, stream: id.rawValue)
        store = UniqueID(high: chance.next(), low: chance.next())
        disk = VirtualDisk(
            log: UniqueID(high: chance.next(), low: chance.next()), segmentBytes: world.settings.segmentBytes)
        syncDelay = world.settings.syncDelay
        storeDelay = world.settings.storeDelay
        let name = id.rawValue
        ports = [
            (.cluster, Address(host: name, port: 7511)), (.gateway, Address(host: name, port: 7512)),
            (nil, Address(host: name, port: 7513)),
        ]
        self.chance = chance
    }

    public var isUp: Bool { process != nil }
    /// The start that runs; nil = none does.
    var boot: BootNonce? { process?.boot }

    func address(_ port: PortKind?) -> Address {
        ports.first { $0.port == port }?.address ?? Address(host: id.rawValue, port: 7513)
    }

    /// What takes so long on a quick machine takes here; what has begun must end within the time that healing has.
    func slowed(_ time: UInt64) -> UInt64 { min(time * slowness, max(time, 2_000_000_000)) }

    /// Starts the process on what the disk holds.
    func start() {
        guard process == nil, isPowered else { return }
        let boot = BootNonce(rawValue: chance.next() | 1)
        let recovered: RecoveredNode
        do {
            recovered = try disk.open(id, boot: boot)
        } catch {
            if case .unusable = error { world.violate(.stopped, "\(id) does not start: \(error)") }
            return world.trace.note(world.now, 14, UInt64(host), "\(id) does not start: \(error)")
        }
        for replica in recovered.replicas { world.ledger?.checkPromise(replica, node: index) }
        for replica in recovered.replicas { world.ledger?.recovered(replica, node: index) }
        world.ledger?.started(node: index)
        disk.mayLack = world.settings.syncInterval != nil
        var settings = DataSettings(
            id: id, store: store, boot: boot, address: address(.cluster),
            gateway: address(.gateway), peer: address(nil), seed: chance.next())
        settings.starts = disk.starts
        settings.cacheBytes = world.settings.cacheBytes
        settings.backlogBytes = world.settings.backlogBytes
        settings.historyBytes = world.settings.historyBytes
        settings.wayBytes = world.settings.wayBytes
        let leases = world.settings.leases
        settings.leaseMillis = index < leases.count ? leases[index] : world.settings.leaseMillis
        settings.slowAfterMillis = world.settings.slowAfterMillis
        settings.gatewayTimeoutMillis = world.settings.gatewayTimeoutMillis
        settings.zone = "z\(index % 3)"
        settings.host = id.rawValue
        world.trace.note(
            world.now, 10, UInt64(host), "\(id) starts with \(recovered.replicas.count) replicas, boot \(settings.boot)"
        )
        process = DataProcess(
            world: world, machine: self, settings: settings, recovered: recovered,
            chance: Chance(seed: chance.next(), stream: "process"))
    }

    /// The process ends by itself: its disk did not do what it was told to, and nothing may be acknowledged any more
    /// (RULES E2, E6). What NodeRuntime's FailStop does.
    /// - Parameter isSuspect: the disk may hold something else than what was written: somebody has to look at it first.
    func failStop(_ why: String, isSuspect: Bool) {
        world.trace.note(world.now, 13, UInt64(host), "\(id) stops: \(why)")
        if isSuspect { disk.isSuspect = true }
        stop(byPower: false)
    }

    /// The process is asked to stop, as an operator does.
    /// - Parameter ended: what to do once it has ended, by itself or otherwise. A process that stands still ends late.
    func leave(ended: @escaping () -> Void = {}) {
        guard process != nil else { return }
        world.trace.note(world.now, 16, UInt64(host), "\(id) is asked to stop")
        process?.leave(ended: ended)
    }

    /// The process ends at once. What it had written stays; without power what it had not synced may go, or goes.
    func stop(byPower: Bool, tears: Bool = true, keeps: Bool = true) {
        guard isPowered, process != nil || byPower else { return }
        world.trace.note(world.now, 11, UInt64(host), "\(id) \(byPower ? "loses its power" : "is killed")")
        process?.die(byPower: byPower)
        self.process = nil
        pausedUntil = 0
        // What it had acknowledged and not synced may be gone, and it will say so.
        if disk.mayLack { world.ledger?.rewind(node: index) }
        guard byPower else { return }
        world.trace.note(
            world.now, 15, UInt64(host), "\(id) had written \(disk.log.unsyncedCount) batches since its last sync")
        isPowered = false
        world.network.setDown(host, true)
        disk.cutPower(&chance, tears: tears, keeps: keeps)
    }

    /// The copy that was made of its directory comes in the place of it, while no process has it open. False = there is none.
    @discardableResult
    func comeBackOld() -> Bool {
        guard disk.restore() else { return false }
        world.ledger?.rewind(node: index)
        return true
    }

    /// Its disk is a copy of another machine's from now on, and it goes by that one's name, while no process runs here.
    func becomeTwin(of other: DataMachine) {
        id = other.id
        store = other.store
        disk = VirtualDisk(copyOf: other.disk)
        world.trace.note(world.now, 17, UInt64(host), "\(world.network.hosts[host]) has a copy of \(id)'s disk")
    }

    /// The machine has power again.
    func powerUp() {
        guard !isPowered else { return start() }
        isPowered = true
        world.network.setDown(host, false)
        clock.restart(at: world.now, base: chance.between(1_000_000_000, 100_000_000_000))
        start()
    }

    /// The process takes nothing for so long, ns; with `inTurn` it is stopped between its next step and the effects.
    func pause(_ time: UInt64, inTurn: Bool) {
        world.trace.note(world.now, 12, UInt64(host), "\(id) pauses for \(Trace.seconds(time)) s")
        if Mutant.a4ClockStopsInSuspend.isOn { clock.setBack(by: time) }
        if inTurn { process?.stallInNextTurn = time } else { pausedUntil = max(pausedUntil, world.now + time) }
    }

    /// The process stands still for so long, ns, in its next turn and right behind the look at the clock.
    func stall(_ time: UInt64) {
        pause(time, inTurn: true)
        process?.stallsBehindClock = true
    }
}
