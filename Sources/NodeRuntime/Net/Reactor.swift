internal import ClusterModel
internal import DataCore
internal import Logging
internal import Wire

/// What another thread may tell the reactor.
enum ReactorMessage {
    case input(DataInput)
    /// Runs with the core between two turns.
    case visit((inout DataNode) -> Void)
    /// Stop accepting, and end once nothing is under way.
    case stop
}

/// The thread that owns the data ports and the core: it reads all ready sockets, enters the core once, starts its effects
/// and writes all replies. Everything else gives it work through its mailbox.
///
/// All methods but `post` are called on the reactor's own thread.
final class Reactor {
    /// What a descriptor is to the poller; the upper half of its 64 bits.
    enum Kind: UInt64 {
        case mailbox = 1
        case listener = 2
        case client = 3
        case peer = 4
    }

    struct Listener {
        var descriptor: Int32
        var port: PortKind?
    }

    var node: DataNode
    let poller: Poller
    let mailbox: Mailbox<ReactorMessage>
    private var listeners: [Listener] = []
    /// No descriptor was left to accept with: listeners are not polled before this time, ns.
    var acceptAgainAt: UInt64?
    /// Index of the socket of a connection's place; -1 = none.
    var socketOfPlace: [Int] = []
    /// Sockets that are to be closed at the end of the turn: until then commands may lie in their buffers.
    var doomed: [Int] = []
    var sockets = SocketTable()
    var arena = TurnArena()
    let batch = CommandBatch()
    private var effects = Effects<DataEffect>()
    /// Sockets with complete commands that no event will announce.
    var leftovers: [Int] = []
    /// Those of the turn before, which this turn parses.
    var due: [Int] = []
    /// Bytes at the front of sockets' inputs that go once the core has run.
    var consumedInputs: [(index: Int, count: Int)] = []
    /// Where effects go that concern no socket.
    var run: (DataEffect) -> Void = { _ in }
    /// Makes the turn's records durable on this thread, if that is quick, and says how far.
    var settle: () -> UInt64? = { nil }
    /// Called at the end of each turn.
    var turned: () -> Void = {}
    var peers: PeerLinks
    let requiresPassword: Bool
    private var lastTick: UInt64 = 0
    /// Commands by turn.
    let batchSizes = HistogramHandler(bounds: HistogramCount.sizes)
    /// Whether the last turn had an event: then something may fall due soon.
    private var isBusy = true
    private(set) var isStopping = false
    private var stopLimit: UInt64 = 0
    let logger: Logger

    /// ms between ticks while there is something to do ...
    private static let tickMillis: UInt64 = 10
    /// ... and when there is not.
    private static let idleMillis: UInt64 = 100
    /// How long a clean stop waits for what is under way, ns.
    private static let stopPatience: UInt64 = 5_000_000_000

    init(
        node: consuming DataNode, poller: Poller, mailbox: Mailbox<ReactorMessage>, hello: PeerHello,
        requiresPassword: Bool, logger: Logger
    ) {
        self.node = node
        self.poller = poller
        self.mailbox = mailbox
        self.requiresPassword = requiresPassword
        self.logger = logger
        peers = PeerLinks(poller: poller, hello: hello, logger: logger) { Self.data(.peer, $0) }
        poller.add(mailbox.descriptor, .read, Self.data(.mailbox, 0))
    }

    static func data(_ kind: Kind, _ index: Int) -> UInt64 {
        kind.rawValue << 32 | UInt64(UInt32(truncatingIfNeeded: index))
    }

    /// Takes a listening socket over. `port` nil: the peer port.
    func listen(_ descriptor: Int32, _ port: PortKind?) {
        listeners.append(Listener(descriptor: descriptor, port: port))
        poller.add(descriptor, .read, Self.data(.listener, listeners.count - 1))
    }

    // MARK: The loop

    /// Runs until a stop is complete.
    func loop() {
        while !isDone { turn() }
        for listener in listeners { Socket.close(listener.descriptor) }
    }

    private var isDone: Bool {
        guard isStopping else { return false }
        return node.isDrained || Clocks.monotonic() > stopLimit
    }

    private func turn() {
        swap(&due, &leftovers)
        let patience = !due.isEmpty ? 0 : isBusy || isStopping ? Self.tickMillis : Self.idleMillis
        isBusy = false
        poller.wait(milliseconds: Int32(patience)) { data, isReadable, isWritable in
            isBusy = true
            let index = Int(data & 0xFFFF_FFFF)
            switch Kind(rawValue: data >> 32) {
            case .mailbox: takeMessages()
            case .listener: accept(listeners[index])
            case .client:
                if isWritable { flush(index) }
                if isReadable { receive(index) }
            case .peer: peers.ready(index, isReadable: isReadable, isWritable: isWritable, step: step)
            case nil: break
            }
        }
        takeDue()
        let now = Clocks.tick()
        if !batch.isEmpty {
            node.step(.commands(batch), now: now, effects: &effects)
            node.noteStep(nanoseconds: Clocks.monotonic() &- now.monotonic, batch)
            batchSizes.record(Int64(batch.entries.count))
            batch.removeAll()
        }
        dropConsumed()
        if now.monotonic &- lastTick >= Self.tickMillis * 1_000_000 { tick(now) }
        finishTurn()
        turned()
        arena.removeAll()
    }

    private func tick(_ now: Tick) {
        lastTick = now.monotonic
        // First: what is known not to have left is not called uncertain when its time is over.
        peers.tick(now.monotonic, step: step)
        node.step(.tick, now: now, effects: &effects)
        if let time = acceptAgainAt, now.monotonic >= time, !isStopping {
            acceptAgainAt = nil
            for index in listeners.indices {
                poller.add(listeners[index].descriptor, .read, Self.data(.listener, index))
            }
        }
    }

    /// No descriptor is left: waiting connections stay in the kernel's queue for a while.
    func pauseAccepting() {
        guard acceptAgainAt == nil else { return }
        acceptAgainAt = Clocks.monotonic() + 100_000_000
        for listener in listeners { poller.remove(listener.descriptor) }
    }

    private func step(_ input: DataInput) {
        let now = Clocks.tick()
        node.step(input, now: now, effects: &effects)
        // Commands that waited for this input ran in it.
        node.noteStep(nanoseconds: Clocks.monotonic() &- now.monotonic, nil)
    }

    /// Effects first, then replies that wait for nothing, then what the log made durable meanwhile.
    private func finishTurn() {
        runEffects()
        // What a commit sets free may log again.
        while let ticket = settle() {
            step(.durable(through: ticket))
            runEffects()
        }
        reap()
    }

    private func runEffects() {
        // The clock is read after the values and before the answers: a lease that ended between them is seen (RULES A1).
        node.endTurn(now: Clocks.tick(), effects: &effects)
        for effect in effects.all { start(effect) }
        effects.removeAll()
        peers.flush(step: step)
        node.drainReplies { id, isClosing, bytes in
            guard let index = socket(of: id), !sockets[index].isDoomed else { return bytes.removeAll() }
            if isClosing { sockets[index].isClosing = true }
            send(index, &bytes)
        }
    }

    private func start(_ effect: DataEffect) {
        switch effect {
        case .close(let id):
            guard let index = socket(of: id) else { return }
            sockets[index].isClosing = true
            closeIfDone(index)
        case .resumeReading(let id):
            guard let index = socket(of: id) else { return }
            sockets[index].isPaused = false
            if sockets[index].hasLeftover { leftovers.append(index) }
            updateInterest(index)
        case .forward(let other, let batch): peers.forward(batch, to: other, at: node.peerAddress(of: other))
        case .answer(let link, let batch): peers.answer(batch, on: link)
        case .replicate(let other, let batch): peers.replicate(batch, to: other, at: node.peerAddress(of: other))
        case .release(let other, let release): peers.release(release, to: other, at: node.peerAddress(of: other))
        default: run(effect)
        }
    }

    private func takeMessages() {
        for message in mailbox.take() {
            switch message {
            case .input(let input): step(input)
            case .visit(let body): body(&node)
            case .stop: beginStop()
            }
        }
    }

    private func beginStop() {
        guard !isStopping else { return }
        isStopping = true
        stopLimit = Clocks.monotonic() + Self.stopPatience
        for listener in listeners { poller.remove(listener.descriptor) }
        step(.stop)
    }
}
