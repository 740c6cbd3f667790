internal import CSystemCalls
internal import ClusterModel
internal import DataCore
internal import Glibc
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
    private enum Kind: UInt64 {
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
    private let poller: Poller
    let mailbox: Mailbox<ReactorMessage>
    private var listeners: [Listener] = []
    /// Index of the socket of a connection's place; -1 = none.
    private var socketOfPlace: [Int] = []
    /// Sockets that are to be closed at the end of the turn: until then commands may lie in their buffers.
    private var doomed: [Int] = []
    private var sockets = SocketTable()
    private var arena = TurnArena()
    private let batch = CommandBatch()
    private var effects = Effects<DataEffect>()
    /// Sockets with complete commands that no event will announce.
    private var leftovers: [Int] = []
    private let run: (DataEffect) -> Void
    var peers: PeerLinks
    private let requiresPassword: Bool
    private var lastTick: UInt64 = 0
    private(set) var isStopping = false
    private var stopLimit: UInt64 = 0
    private let logger: Logger

    /// Commands of one connection in one turn: a flood of one client leaves room for the others.
    private static let commandsPerTurn = 1024
    /// ms between ticks.
    private static let tickMillis: UInt64 = 10
    /// How long a clean stop waits for what is under way, ns.
    private static let stopPatience: UInt64 = 5_000_000_000

    init(
        node: consuming DataNode, poller: Poller, mailbox: Mailbox<ReactorMessage>, peers: PeerLinks,
        requiresPassword: Bool, logger: Logger, run: @escaping (DataEffect) -> Void
    ) {
        self.node = node
        self.poller = poller
        self.mailbox = mailbox
        self.peers = peers
        self.requiresPassword = requiresPassword
        self.logger = logger
        self.run = run
        poller.add(mailbox.descriptor, .read, Self.data(.mailbox, 0))
    }

    private static func data(_ kind: Kind, _ index: Int) -> UInt64 {
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
        poller.wait(milliseconds: leftovers.isEmpty ? Int32(Self.tickMillis) : 0) { data, isReadable, isWritable in
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
        takeLeftovers()
        let now = Clocks.tick()
        if !batch.isEmpty {
            node.step(.commands(batch), now: now, effects: &effects)
            batch.removeAll()
        }
        dropConsumed()
        if now.monotonic &- lastTick >= Self.tickMillis * 1_000_000 {
            lastTick = now.monotonic
            node.step(.tick, now: now, effects: &effects)
            peers.tick(now.monotonic, step: step)
        }
        finishTurn(now)
        arena.removeAll()
    }

    private func step(_ input: DataInput) { node.step(input, now: Clocks.tick(), effects: &effects) }

    /// Effects first, so that a sync is under way while replies are written.
    private func finishTurn(_ now: Tick) {
        node.endTurn(now: now, effects: &effects)
        for effect in effects.all { start(effect) }
        effects.removeAll()
        peers.flush(step: step)
        node.drainReplies { id, isClosing, bytes in
            guard let index = socket(of: id), !sockets[index].isDoomed else { return bytes.removeAll() }
            if isClosing { sockets[index].isClosing = true }
            send(index, &bytes)
        }
        reap()
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
        case .forward(let node, let batch): peers.forward(batch, to: node)
        case .answer(let link, let batch): peers.answer(batch, on: link)
        case .release(let node, let release): peers.release(release, to: node)
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

    // MARK: Clients

    private func accept(_ listener: Listener) {
        for _ in 0..<64 {
            guard let descriptor = Socket.accept(listener.descriptor) else { return }
            guard descriptor >= 0 else {
                return logger.warning("cannot accept a connection: \(SocketError.text(-descriptor))")
            }
            guard let port = listener.port else {
                peers.accepted(descriptor)
                continue
            }
            open(descriptor, port)
        }
    }

    private func open(_ descriptor: Int32, _ port: PortKind) {
        let peer = Peer(
            address: "\(Socket.peerAddress(descriptor))", local: "\(Socket.localAddress(descriptor))")
        guard let id = node.open(port, peer, now: Clocks.tick()) else {
            _ = Socket.write(descriptor, ByteView("-ERR max number of clients reached\r\n"))
            return Socket.close(descriptor)
        }
        let index = sockets.insert(ClientSocket(descriptor: descriptor, id: id))
        sockets[index].parser.isAuthenticated = !requiresPassword
        let place = Int(id.place)
        while socketOfPlace.count <= place { socketOfPlace.append(-1) }
        socketOfPlace[place] = index
        poller.add(descriptor, .read, Self.data(.client, index))
    }

    /// Reads once and parses. What is no whole command stays with the socket.
    @inline(__always)
    private func receive(_ index: Int) {
        guard sockets.isUsed(index), !sockets[index].isFinished, !sockets[index].isPaused, !sockets[index].isDoomed
        else {
            return
        }
        let descriptor = sockets[index].descriptor
        var outcome = Socket.Outcome.wouldBlock
        if sockets[index].input.isEmpty {
            let view = unsafe arena.read { room in
                unsafe outcome = Socket.read(descriptor, room)
                if case .bytes(let count) = outcome { return count }
                return 0
            }
            if case .bytes = outcome {
                let consumed = parse(index, view)
                if consumed < view.count { sockets[index].input.append(view[consumed..<view.count]) }
            }
        } else {
            _ = unsafe sockets[index].input.fill(atLeast: TurnArena.readBytes) { room in
                unsafe outcome = Socket.read(descriptor, room)
                if case .bytes(let count) = outcome { return count }
                return 0
            }
            if case .bytes = outcome { parseInput(index) }
        }
        if case .closed = outcome { close(index) }
    }

    /// Parses what the socket holds; consumed bytes stay until the core has run (`dropConsumed`).
    private func parseInput(_ index: Int) {
        let consumed = parse(index, sockets[index].input.view)
        if consumed > 0 { consumedInputs.append((index, consumed)) }
    }

    private var consumedInputs: [(index: Int, count: Int)] = []

    private func dropConsumed() {
        for (index, count) in consumedInputs where sockets.isUsed(index) {
            sockets[index].input.dropFirst(count)
            sockets[index].input.shrink(above: 1024)
        }
        consumedInputs.removeAll(keepingCapacity: true)
    }

    private func parse(_ index: Int, _ view: ByteView) -> Int {
        let id = sockets[index].id
        if requiresPassword, !sockets[index].parser.isAuthenticated {
            sockets[index].parser.isAuthenticated = node.isAuthenticated(id)
        }
        let result = sockets[index].parser.parse(view, connection: id, into: batch, limit: Self.commandsPerTurn)
        sockets[index].hasLeftover = result.isLimited
        if let error = result.error { refuse(index, error) }
        if result.isLimited { leftovers.append(index) }
        if !node.isReadable(id) {
            sockets[index].isPaused = true
            updateInterest(index)
        }
        return result.consumed
    }

    /// The bytes are no request: behind the commands before them goes one that says so and closes.
    private func refuse(_ index: Int, _ error: ProtocolError) {
        sockets[index].isFinished = true
        updateInterest(index)
        let first = batch.argumentCount
        batch.append(ByteView("shard.refuse"))
        if let text = error.text { batch.append(kept("ERR \(text)")) }
        batch.finish(connection: sockets[index].id, first: first)
    }

    private func kept(_ text: String) -> ByteView {
        let bytes = Array(text.utf8)
        let room = unsafe batch.keep(bytes.count)
        for (index, byte) in bytes.enumerated() { unsafe room[index] = byte }
        return unsafe ByteView(base: room, count: bytes.count)
    }

    private func takeLeftovers() {
        guard !leftovers.isEmpty else { return }
        let all = leftovers
        leftovers.removeAll(keepingCapacity: true)
        for index in all where sockets.isUsed(index) && sockets[index].hasLeftover && !sockets[index].isPaused {
            if consumedInputs.contains(where: { $0.index == index }) {
                leftovers.append(index)
            } else {
                parseInput(index)
            }
        }
    }

    /// Writes replies; what the socket does not take is kept, within a bound.
    @inline(__always)
    private func send(_ index: Int, _ bytes: inout ByteBuffer) {
        guard sockets[index].output.isEmpty else {
            sockets[index].output.append(bytes.view)
            bytes.removeAll()
            bytes.shrink(above: 64 << 10)
            return sockets[index].output.count > Limits.outputBytes ? overflow(index) : closeIfDone(index)
        }
        if !bytes.isEmpty {
            switch Socket.write(sockets[index].descriptor, bytes.view) {
            case .bytes(let count):
                if count < bytes.count { keep(index, bytes.view[count..<bytes.count]) }
            case .wouldBlock: keep(index, bytes.view)
            case .closed: return close(index)
            }
        }
        bytes.removeAll()
        bytes.shrink(above: 64 << 10)
        if sockets[index].isClosing { closeIfDone(index) }
    }

    private func keep(_ index: Int, _ rest: ByteView) {
        sockets[index].output.append(rest)
        if sockets[index].output.count > Limits.outputBytes { return overflow(index) }
        sockets[index].awaitsWrite = true
        updateInterest(index)
    }

    private func overflow(_ index: Int) {
        logger.warning("client \(sockets[index].id.place) reads its replies too slowly: closed at its output bound")
        close(index)
    }

    private func flush(_ index: Int) {
        guard sockets.isUsed(index), !sockets[index].output.isEmpty else { return }
        switch Socket.write(sockets[index].descriptor, sockets[index].output.view) {
        case .bytes(let count): sockets[index].output.dropFirst(count)
        case .wouldBlock: return
        case .closed: return close(index)
        }
        guard sockets[index].output.isEmpty else { return }
        sockets[index].output.shrink(above: 64 << 10)
        sockets[index].awaitsWrite = false
        updateInterest(index)
        closeIfDone(index)
    }

    private func updateInterest(_ index: Int) {
        poller.modify(sockets[index].descriptor, sockets[index].interest, Self.data(.client, index))
    }

    private func closeIfDone(_ index: Int) {
        if sockets[index].isClosing, sockets[index].output.isEmpty { close(index) }
    }

    private func close(_ index: Int) {
        guard sockets.isUsed(index), !sockets[index].isDoomed else { return }
        sockets[index].isDoomed = true
        doomed.append(index)
    }

    /// Closes what this turn doomed. Commands it sent before have run.
    private func reap() {
        guard !doomed.isEmpty else { return }
        for index in doomed {
            let id = sockets[index].id
            poller.remove(sockets[index].descriptor)
            Socket.close(sockets[index].descriptor)
            socketOfPlace[Int(id.place)] = -1
            sockets.remove(index)
            node.close(id)
        }
        doomed.removeAll(keepingCapacity: true)
    }

    @inline(__always)
    private func socket(of id: ConnectionID) -> Int? {
        let place = Int(id.place)
        guard place < socketOfPlace.count else { return nil }
        let index = socketOfPlace[place]
        return index >= 0 && sockets[index].id == id ? index : nil
    }
}
