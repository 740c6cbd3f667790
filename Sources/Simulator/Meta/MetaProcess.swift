import ClusterModel
import MetaCore
import Wire

/// One life of a metasrv: the metadata core, its connections, its calls on the shared log.
final class MetaProcess: Endpoint {
    private unowned let world: World
    unowned let machine: MetaMachine
    let host: Int
    private(set) var node: MetaNode
    private var effects = Effects<MetaEffect>()
    private var ports: [UInt64: MetaPort] = [:]
    /// Which connection waits for an answer, or watches.
    private var asking: [RequestID: MetaPort] = [:]
    private var lastRequest: UInt64 = 0
    private(set) var isAlive = true
    private var inbox: [MetaInput] = []
    private var isStepping = false
    private lazy var log = SharedLogThread(process: self)
    private var chance: Chance
    /// What came in a pause.
    private var deferred: [() -> Void] = []

    init(world: World, machine: MetaMachine, settings: MetaSettings, chance: Chance) {
        self.world = world
        self.machine = machine
        self.chance = chance
        host = machine.host
        node = MetaNode(settings: settings, snapshot: world.sharedLog.newestSnapshot)
        world.network.listen(machine.address, host: host) { [unowned self] link in accept(link) }
        step(.tick)
        scheduleTick()
    }

    var documents: Documents { world.documents }
    var sharedLog: VirtualSharedLog { world.sharedLog }

    func append(_ entry: LogEntry, at position: LogPosition) -> AppendOutcome {
        let outcome = world.sharedLog.append(entry, at: position)
        if outcome == .won { world.map.added(entry, at: position) }
        return outcome
    }

    private func scheduleTick() {
        after(50_000_000) { [self] in
            step(.tick)
            scheduleTick()
        }
    }

    /// Runs if the process lives then; a paused one runs it when it goes on.
    func after(_ delay: UInt64, _ action: @escaping () -> Void) {
        world.after(delay) { [self] in act(action) }
    }

    /// Runs now, or when a pause is over, in the order it came.
    private func act(_ action: @escaping () -> Void) {
        guard isAlive else { return }
        guard machine.pausedUntil > world.now || !deferred.isEmpty else { return action() }
        deferred.append(action)
        if deferred.count == 1 { goOn() }
    }

    private func goOn() {
        world.at(max(machine.pausedUntil, world.now)) { [self] in
            guard isAlive else { return }
            guard machine.pausedUntil <= world.now else { return goOn() }
            let all = deferred
            deferred = []
            for action in all where isAlive { action() }
        }
    }

    func afterLogCall(_ action: @escaping () -> Void) {
        after(chance.scaled(world.settings.logDelay.lowerBound, world.settings.logDelay.upperBound), action)
    }

    /// Stops where it was told to.
    func pauseIfDue() {
        guard machine.pauseInNextAppend > 0 else { return }
        machine.pausedUntil = world.now + machine.pauseInNextAppend
        machine.pauseInNextAppend = 0
        world.trace.note(
            world.now, 65, 1, "\(machine.name) pauses in an append until \(Trace.seconds(machine.pausedUntil))")
    }

    func logTrouble() -> LogTrouble { world.logTrouble() }

    /// The process ends; its connections with it.
    func die(byPower: Bool) {
        guard isAlive else { return }
        isAlive = false
        world.network.stopListening(machine.address)
        for link in world.network.links(of: self) {
            if byPower {
                world.network.vanish(link, from: self)
            } else {
                world.network.close(link, from: self, at: world.now)
            }
        }
        ports = [:]
        asking = [:]
    }

    // MARK: Connections

    private func accept(_ link: Link) -> (any Endpoint)? {
        ports[link.number] = MetaPort(link: link, process: self)
        return self
    }

    func opened(_ link: Link) {}

    func received(_ bytes: [UInt8], on link: Link) {
        act { [self] in ports[link.number]?.take(bytes) }
    }

    func closed(_ link: Link) {
        act { [self] in
            guard let port = ports.removeValue(forKey: link.number) else { return }
            for id in port.open {
                asking[id] = nil
                step(.closed(id))
            }
        }
    }

    func send(_ bytes: [UInt8], on link: Link) { world.network.send(bytes, on: link, from: self, at: world.now) }

    func ask(_ request: MetaRequest, for port: MetaPort) -> RequestID {
        lastRequest += 1
        let id = RequestID(rawValue: lastRequest)
        asking[id] = port
        // Behind the port's note of the number: the answer may come within the step.
        port.open.append(id)
        step(.request(id, request))
        return id
    }

    // MARK: The core

    func step(_ input: MetaInput) {
        guard isAlive else { return }
        inbox.append(input)
        guard !isStepping else { return }
        isStepping = true
        while !inbox.isEmpty, isAlive {
            let inputs = inbox
            inbox = []
            for input in inputs where isAlive {
                node.step(input, now: machine.clock.tick(at: world.now), effects: &effects)
                let all = effects.all
                effects.removeAll()
                for effect in all { run(effect) }
            }
        }
        isStepping = false
        world.map.check(node.state, of: machine.name)
    }

    private func run(_ effect: MetaEffect) {
        switch effect {
        case .append, .read, .fetch, .save: log.add(effect)
        case .reply(let id, let answer):
            guard let port = asking[id] else { return }
            let isWatch = if case .routes = answer { node.isWatched(id) } else { false }
            if !isWatch {
                asking[id] = nil
                port.open.removeAll { $0 == id }
            }
            port.answer(id, answer, isWatch: isWatch)
        case .push(let id, let delta): asking[id]?.push(delta)
        case .role(let role): took(role)
        case .note(let level, let text):
            world.trace.note(world.now, 40, UInt64(host), "\(machine.name) \(level): \(text)")
        case .halt(let text): world.violate(.stopped, "\(machine.name) halts: \(text)")
        }
    }

    private func took(_ role: MetaRole) {
        world.trace.note(world.now, 41, UInt64(host), "\(machine.name) is \(role)")
        guard role == .deposed else { return }
        // It executes itself anew: same machine, empty memory (RULES B7).
        world.at(world.now) { [machine] in machine.restart() }
    }
}
