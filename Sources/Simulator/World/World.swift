import ClusterModel
import DataCore
import MetaCore

/// Whole data nodes and metasrv on machines of their own, a network, disks, clocks and a shared log, all from one seed:
/// what happens, and when, follows from it alone.
public final class World {
    public let settings: WorldSettings
    public let trace: Trace
    /// ns since it began.
    public private(set) var now: UInt64 = 0
    public private(set) var violations: [Violation] = []
    /// Whether nothing happens any more once a law was broken.
    var endsAtViolation = false
    private var queue = EventQueue()
    let network: Network
    /// What META commands carry.
    let documents = Documents()
    public let sharedLog = VirtualSharedLog()
    public private(set) var nodes: [DataMachine] = []
    public private(set) var metas: [MetaMachine] = []
    private var hostOfName: [String: Int] = [:]
    /// What happens to the next call on the shared log.
    var logTrouble: () -> LogTrouble = { .none }
    private var watchers: [(DataProcess) -> Void] = []
    /// Who is told of every batch that a node logs.
    var ledger: RecordLedger?
    /// All configurations there ever were.
    private(set) lazy var map = MapLedger(world: self)

    public init(_ settings: WorldSettings, trace: Trace = Trace()) {
        self.settings = settings
        self.trace = trace
        network = Network(chance: Chance(seed: settings.seed, stream: "network"))
        network.join(self)
        network.weather.delay = settings.delay
        network.weather.jitter = settings.jitter
        var chance = Chance(seed: settings.seed, stream: "clocks")
        for index in 0..<settings.metas {
            metas.append(MetaMachine(world: self, index: index, clock: Self.clock(&chance)))
        }
        for index in 0..<settings.nodes {
            nodes.append(DataMachine(world: self, index: index, clock: Self.clock(&chance)))
        }
        for (index, name) in network.hosts.enumerated() { hostOfName[name] = index }
        for meta in metas { at(chance.below(UInt64(20_000_000))) { meta.start() } }
        for node in nodes { at(chance.below(UInt64(50_000_000))) { node.start() } }
    }

    deinit { network.dissolve() }

    private static func clock(_ chance: inout Chance) -> MachineClock {
        MachineClock(base: chance.between(1_000_000_000, 1_000_000_000_000), rate: 1)
    }

    /// The machine an address belongs to. - Precondition: its host is one of this world.
    func host(of address: Address) -> Int { hostOfName[address.host] ?? 0 }

    /// The place of a node among `nodes`; nil = the world has none of that name.
    func index(of node: NodeID) -> Int? { nodes.firstIndex { $0.id == node } }

    /// A machine for a client.
    func addClientHost(_ name: String) -> Int {
        if let known = hostOfName[name] { return known }
        let host = network.addHost(name)
        hostOfName[name] = host
        return host
    }

    // MARK: Time

    /// Runs at a time of the world, or now if it is over.
    func at(_ time: UInt64, _ action: @escaping () -> Void) { queue.add(max(time, now), .action(action)) }
    func after(_ delay: UInt64, _ action: @escaping () -> Void) { queue.add(now + delay, .action(action)) }

    /// The first packet of a lane arrives at a time.
    func arrive(_ link: Link, _ side: Link.Side, at time: UInt64) { queue.add(max(time, now), .arrival(link, side)) }

    /// One event; false when nothing is left to happen.
    @discardableResult
    public func step() -> Bool {
        guard let time = queue.nextTime, let event = queue.removeFirst() else { return false }
        now = time
        switch event {
        case .action(let action): action()
        case .arrival(let link, let side): network.deliver(link, side)
        }
        return true
    }

    /// Runs to a time of the world, ns.
    public func run(until time: UInt64) {
        while let next = queue.nextTime, next <= time, !isOver { step() }
        now = max(now, time)
    }

    /// Runs until a condition holds, at most for so long (ns). Whether it holds.
    public func run(for limit: UInt64, until condition: () -> Bool) -> Bool {
        let end = now + limit
        while !condition() {
            guard let next = queue.nextTime, next <= end, !isOver else { return false }
            step()
        }
        return true
    }

    // MARK: Laws

    /// Whether nothing happens any more.
    var isOver: Bool { endsAtViolation && !violations.isEmpty }

    func violate(_ kind: Violation.Kind, _ text: String) {
        trace.note(now, 1, 0, "VIOLATION \(kind.rawValue): \(text)")
        if violations.count < 100 { violations.append(Violation(kind: kind, time: now, text: text)) }
    }

    /// Has somebody look at each process after each of its turns.
    func watch(_ watcher: @escaping (DataProcess) -> Void) { watchers.append(watcher) }

    func lookAt(_ process: DataProcess) { for watcher in watchers { watcher(process) } }
}
