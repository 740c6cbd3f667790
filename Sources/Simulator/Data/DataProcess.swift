import ClusterModel
import DataCore

/// One life of a datasrv: the core, its connections and its threads, run as NodeRuntime runs them: what came since the last
/// turn, then one step for all commands, then the effects, then the replies.
final class DataProcess: Endpoint {
    enum Arrival {
        case input(DataInput)
        case accepted(Link, PortKind?)
        case opened(Link)
        case bytes([UInt8], Link)
        case closed(Link)
    }

    unowned let world: World
    unowned let machine: DataMachine
    let host: Int
    let boot: BootNonce
    var node: DataNode
    private var effects = Effects<DataEffect>()
    private(set) var isAlive = true
    var chance: Chance

    private var inbox: [Arrival] = []
    /// The memory of the inbox before.
    private var emptyInbox: [Arrival] = []
    /// Clients by the number of their link, and by their place in the core.
    private var sockets: [UInt64: ClientSocket] = [:]
    private var socketOfPlace: [ClientSocket?] = []
    private var readable: [ClientSocket] = []
    /// Clients that are gone, forgotten at the end of the turn.
    private var doomed: [ClientSocket] = []
    private let batch = CommandBatch()
    private(set) lazy var peers = PeerLinks(process: self)
    private lazy var logThread = LogThread(process: self)
    lazy var applier = ApplierThread(process: self)
    var readersFree: [UInt64] = [0, 0]
    private lazy var meta = MetaLink(process: self)
    /// Numbers of the take-overs it asked for.
    var asked: Set<UInt64> = []

    /// When the next turn is due, ns; and which of the scheduled turns is meant.
    private var dueAt = UInt64.max
    private var dueNumber: UInt64 = 0
    private var isReady = false
    private var lastTick: UInt64 = 0
    /// When what this turn sends leaves, ns of the world.
    private var leaves: UInt64 = 0
    /// The process is stopped in the next turn, between the step and its effects, for so long (ns).
    var stallInNextTurn: UInt64 = 0
    /// Right behind the look at the clock, whatever chance says.
    var stallsBehindClock = false

    private static let tickNanos: UInt64 = 10_000_000
    private static let idleNanos: UInt64 = 100_000_000

    var disk: VirtualDisk { machine.disk }
    /// ns that this turn took so far.
    private(set) var spent: UInt64 = 0
    /// It was asked to stop.
    private var isLeaving = false
    /// Who asked it to stop wants to know when it has.
    private var ended: (() -> Void)?
    /// It stood still just now.
    private var wasPaused = false
    /// What the clock showed when the turn began and what had come by then, if the process was stopped there.
    private var frozen: (time: Tick, arrivals: [Arrival])?
    private var now: Tick { frozen?.time ?? machine.clock.tick(at: world.now + spent) }
    var monotonic: UInt64 { now.monotonic }
    var bytesPerRound: Int { Int(chance.scaled(UInt64(1), 4096)) }

    init(world: World, machine: DataMachine, settings: DataSettings, recovered: RecoveredNode, chance: Chance) {
        self.world = world
        self.machine = machine
        self.chance = chance
        host = machine.host
        boot = settings.boot
        node = DataNode(settings: settings, now: machine.clock.tick(at: world.now))
        logThread.start()
        applier.start(recovered.batches)
        for (port, address) in machine.ports {
            world.network.listen(address, host: host) { [unowned self] link in
                arrive(.accepted(link, port))
                return self
            }
        }
        if disk.space.isLow { arrive(.input(.diskLow(true))) }
        arrive(.input(.recovered(recovered)))
        lookAtDisk()
    }

    /// The process ends, its threads and connections with it.
    func die(byPower: Bool) {
        guard isAlive else { return }
        isAlive = false
        for (_, address) in machine.ports { world.network.stopListening(address) }
        for link in world.network.links(of: self) {
            if byPower { world.network.vanish(link, from: self) } else { close(link) }
        }
        meta.die(byPower: byPower)
        inbox = []
        sockets = [:]
        socketOfPlace = []
        readable = []
        doomed = []
        ended?()
        ended = nil
    }

    /// It is asked to stop, as by SIGTERM: it takes no more connections, says to the metadata group that it leaves, and ends
    /// when nothing waits any more, or after a while.
    func leave(ended: @escaping () -> Void) {
        guard isAlive, !isLeaving else { return }
        isLeaving = true
        self.ended = ended
        for (_, address) in machine.ports { world.network.stopListening(address) }
        arrive(.input(.stop))
        after(5_000_000_000) { [machine] in machine.stop(byPower: false) }
    }

    // MARK: Its threads

    /// Runs after a time if the process lives then; a paused one goes on with it after the pause.
    func after(_ delay: UInt64, _ action: @escaping () -> Void) {
        world.after(delay) { [self] in
            guard isAlive else { return }
            if machine.pausedUntil > world.now { return after(machine.pausedUntil - world.now, action) }
            action()
        }
    }

    // MARK: Arrivals

    func arrive(_ arrival: Arrival) {
        guard isAlive else { return }
        inbox.append(arrival)
        wake(at: world.now + machine.slowed(chance.between(2_000, 40_000)))
    }

    func opened(_ link: Link) { arrive(.opened(link)) }
    func received(_ bytes: [UInt8], on link: Link) { arrive(.bytes(bytes, link)) }
    func closed(_ link: Link) { arrive(.closed(link)) }

    private func wake(at time: UInt64) {
        let time = max(time, leaves)
        guard time < dueAt else { return }
        dueAt = time
        dueNumber += 1
        let number = dueNumber
        world.at(time) { [self] in
            guard number == dueNumber, isAlive else { return }
            dueAt = .max
            if machine.pausedUntil > world.now {
                wasPaused = true
                return wake(at: machine.pausedUntil)
            }
            if stallInNextTurn > 0, stallsBehindClock || chance.oneIn(3) { return stallBehindClock() }
            turn()
        }
    }

    // MARK: One turn of the reactor

    /// Stopped behind the look at the clock: what had come before it is taken by the old time. NodeRuntime looks at the clock
    /// when it has read its sockets; what comes meanwhile waits for the next look, clients' commands excepted: it is the
    /// look before the answer that keeps them from old values, in whatever order the first one is made (RULES A1).
    private func stallBehindClock() {
        frozen = (now, inbox)
        inbox.removeAll()
        leaves = world.now + stallInNextTurn
        stallInNextTurn = 0
        stallsBehindClock = false
        dueNumber += 1
        let number = dueNumber
        dueAt = leaves
        world.at(leaves) { [self] in
            guard number == dueNumber, isAlive else { return }
            dueAt = .max
            turn()
        }
    }

    private func turn() {
        let work = machine.slowed(chance.between(3_000, 20_000))
        // Stopped before its last look at the clock, or behind it (RULES A1).
        let stall = stallInNextTurn
        let stallsBefore = stall > 0 && chance.oneIn(2)
        stallInNextTurn = 0
        leaves = world.now + work + stall
        var arrivals = emptyInbox
        emptyInbox = []
        swap(&arrivals, &inbox)
        if let frozen {
            inbox = arrivals.filter { Self.kind($0) != 0 }
            arrivals = frozen.arrivals + arrivals.filter { Self.kind($0) == 0 }
        }
        if wasPaused, frozen == nil {
            wasPaused = false
            // What waited on different connections has no order: any kind of them may come first (RULES A1, A2).
            let first = chance.below(4)
            if first < 3 {
                inbox = arrivals.filter { Self.kind($0) != first }
                arrivals = arrivals.filter { Self.kind($0) == first }
            }
        }
        for arrival in arrivals { take(arrival) }
        let isIdle = arrivals.isEmpty
        arrivals.removeAll(keepingCapacity: true)
        emptyInbox = arrivals
        let due = readable
        readable = []
        for socket in due where socket.isReadable { parse(socket) }
        if !batch.isEmpty {
            step(.commands(batch))
            batch.removeAll()
        }
        for socket in due { socket.dropConsumed() }
        if monotonic &- lastTick >= Self.tickNanos {
            lastTick = monotonic
            peers.tick()
            step(.tick)
        }
        spent = work + (stallsBefore ? stall : 0)
        frozen = nil
        finish()
        world.lookAt(self)
        spent = 0
        guard isAlive else { return }
        let rest = !readable.isEmpty || !inbox.isEmpty ? 1000 : isIdle ? Self.idleNanos : Self.tickNanos
        wake(at: world.now + rest)
    }

    /// Of a client, of another node, of a thread or the metadata group.
    private static func kind(_ arrival: Arrival) -> Int {
        switch arrival {
        case .accepted(_, let port): port == nil ? 1 : 0
        case .bytes(_, let link), .closed(let link): link.address.port == 7513 ? 1 : 0
        case .opened: 1
        case .input: 2
        }
    }

    private func take(_ arrival: Arrival) {
        switch arrival {
        case .input(let input): step(input)
        case .accepted(let link, let port):
            guard let port else { return peers.accepted(link) }
            let peer = Peer(address: "client:\(link.number)", local: "\(machine.id):\(port.rawValue)")
            guard let id = node.open(port, peer, now: now) else { return close(link) }
            let socket = ClientSocket(link: link, id: id, commandsPerTurn: world.settings.commandsPerTurn)
            sockets[link.number] = socket
            while socketOfPlace.count <= Int(id.place) { socketOfPlace.append(nil) }
            socketOfPlace[Int(id.place)] = socket
        case .opened(let link): peers.opened(link)
        case .bytes(let bytes, let link):
            world.trace.note(
                world.now, 20, bytes.checksum, "\(machine.id) takes \(bytes.count) bytes of link \(link.number)")
            guard let socket = sockets[link.number] else { return peers.received(bytes, on: link) }
            socket.append(bytes)
            readable.append(socket)
        case .closed(let link):
            // What it sent before runs first.
            if let socket = sockets[link.number] { doomed.append(socket) } else { peers.closed(link) }
        }
    }

    private func parse(_ socket: ClientSocket) {
        if let error = socket.parse(into: batch) {
            violate("a client's request: \(error)")
            socket.isClosing = true
        }
        if !node.isReadable(socket.id) { socket.isPaused = true }
        if socket.hasLeftover { readable.append(socket) }
    }

    func step(_ input: DataInput) {
        guard isAlive else { return }
        node.step(input, now: now, effects: &effects)
    }

    private func finish() {
        node.endTurn(now: now, effects: &effects)
        if !effects.isEmpty {
            let all = effects.all
            effects.removeAll()
            for effect in all { start(effect) }
        }
        peers.flush()
        // Frames that closed a link may have had effects of their own.
        var replies: [(ClientSocket, [UInt8], Bool)] = []
        node.drainReplies { id, isClosing, bytes in
            if let socket = socket(of: id) { replies.append((socket, bytes.view.array, isClosing)) }
            bytes.removeAll()
        }
        for (socket, bytes, isClosing) in replies {
            send(bytes, on: socket.link)
            if isClosing { close(socket) }
        }
        for socket in doomed { forget(socket) }
        doomed.removeAll(keepingCapacity: true)
        if !isReady, node.isReady {
            isReady = true
            disk.cluster = node.cluster
            disk.forgetFormerStarts()
            world.trace.note(world.now, 21, UInt64(host), "\(machine.id) is ready")
        }
        if isLeaving, node.isDrained {
            // What a clean stop writes last.
            if world.settings.syncInterval != nil { guard syncLog() else { return } }
            disk.mayLack = false
            machine.stop(byPower: false)
        }
    }

    private func socket(of id: ConnectionID) -> ClientSocket? {
        guard Int(id.place) < socketOfPlace.count, let socket = socketOfPlace[Int(id.place)], socket.id == id else {
            return nil
        }
        return socket
    }

    private func close(_ socket: ClientSocket) {
        close(socket.link)
        forget(socket)
    }

    private func forget(_ socket: ClientSocket) {
        guard sockets.removeValue(forKey: socket.link.number) != nil else { return }
        if self.socket(of: socket.id) != nil { socketOfPlace[Int(socket.id.place)] = nil }
        node.close(socket.id)
    }

    // MARK: Effects

    private func start(_ effect: DataEffect) {
        if case .replicate(_, let batch) = effect { noteAnswers(batch) }
        if let message = PeerTraffic.outgoing(effect) {
            return peers.send(message.kind, message.payloads, to: message.node)
        }
        if let message = PeerTraffic.answering(effect) {
            return peers.answer(message.kind, message.payloads, on: message.link)
        }
        switch effect {
        case .persist(let batch):
            world.ledger?.logged(batch, node: machine.index)
            applier.add(.batch(batch))
            logThread.submit(batch)
        case .apply(let marks, let ticket): applier.add(.apply(marks, durable: ticket))
        case .openStore(let store, let usesSlots): applier.add(.open(store, usesSlots: usesSlots))
        case .dropStore(let store): applier.add(.drop(store))
        case .forgetHints(let store, let last): applier.add(.forgetHints(store, through: last))
        case .read(let batch):
            read { [disk] in
                disk.answer(batch)
                return .rows(batch)
            }
        case .scan(let scan):
            read { [disk] in
                disk.answer(scan)
                return .scanned(scan)
            }
        case .readLog(let search):
            read { [disk] in
                disk.log.answer(search)
                return .logRead(search)
            }
        case .beat(let beat, let sent): after(leaves - world.now) { [self] in meta.send(beat, sent) }
        case .close(let id): if let socket = socket(of: id) { close(socket) }
        case .resumeReading(let id):
            guard let socket = socket(of: id) else { return }
            socket.isPaused = false
            readable.append(socket)
            wake(at: world.now)
        case .note(let line):
            world.trace.note(
                world.now, 22, UInt64(host), "\(machine.id) \(line.level): \(line.text)\(Self.place(line))")
        case .cut(let store, let above, let through): applier.add(.cut(store, above: above, through: through))
        case .install(let store, let chunk): applier.add(.install(store, chunk))
        case .reconfigure(let request):
            checkTakeover(request)
            after(leaves - world.now) { [self] in meta.send(request) }
        case .setting, .forward, .answer, .release, .replicate: break
        }
    }

    private static func place(_ line: DataEffect.Note) -> String {
        (line.shard.map { " shard \($0)" } ?? "") + (line.epoch.map { " epoch \($0)" } ?? "")
    }

    // MARK: For its connections

    func send(_ bytes: [UInt8], on link: Link) { world.network.send(bytes, on: link, from: self, at: leaves) }
    func close(_ link: Link) { world.network.close(link, from: self, at: max(leaves, world.now)) }

    func dial(_ node: NodeID) -> Link? {
        guard let address = self.node.peerAddress(of: node) else { return nil }
        return world.network.dial(address, from: self, to: world.host(of: address))
    }

    func violate(_ text: String) { world.violate(.malformed, "\(machine.id): \(text)") }
}
