internal import ClusterModel
internal import DataCore
internal import Logging
internal import Wire

/// The connections between data nodes: one that this node dials to each other node, for its commands and their replies,
/// and those that others dialled.
///
/// A link carries frames (`PeerFrame`); its first says who dialled. Used on the reactor's thread alone.
final class PeerLinks {
    /// Where a link is.
    private enum Phase {
        case connecting
        /// Dialled: waits for the welcome, without which no command leaves. Accepted: waits for the other's hello.
        case greeting
        case open
    }

    private final class Link {
        let descriptor: Int32
        /// The other node, once known.
        var node: NodeID?
        let isDialled: Bool
        let number: UInt64
        var phase: Phase
        var input = ByteBuffer(capacity: 1024)
        /// The hello, the welcome or the refusal: written before all else.
        var greeting = ByteBuffer(capacity: 256)
        var output = ByteBuffer(capacity: 4096)
        /// To be closed once `greeting` is written.
        var isRefused = false
        var awaitsWrite = false
        /// Whether the core is to be told how many bytes wait.
        var reportsBacklog = false
        /// Whether a byte of a command went out.
        var hasSent = false
        /// ns, when the phase began.
        var since: UInt64

        init(descriptor: Int32, node: NodeID?, isDialled: Bool, number: UInt64, phase: Phase, since: UInt64) {
            self.descriptor = descriptor
            self.node = node
            self.isDialled = isDialled
            self.number = number
            self.phase = phase
            self.since = since
        }
    }

    private let poller: Poller
    private let data: (Int) -> UInt64
    /// Who this node is.
    private let hello: PeerHello
    private let logger: Logger
    private var links: [Link?] = []
    private var free: [Int] = []
    private var dialled: [NodeID: Int] = [:]
    private var accepted: [LinkID: Int] = [:]
    /// Not dialled again before, ns.
    private var pauses: [NodeID: UInt64] = [:]
    private var nextNumber: UInt64 = 1
    private var touched: Set<Int> = []
    /// Nodes that could not be reached in this turn: told to the core in the next tick.
    private var unreached: Set<NodeID> = []

    /// ns before a node that could not be reached is dialled again.
    private static let pause: UInt64 = 50_000_000
    /// Longest hello.
    private static let greetingBytes = 128 << 10
    /// ns within which a connect and a hello must be done.
    private static let patience: UInt64 = 3_000_000_000
    /// ns for which what is sent waits for a link to open. Then the core is told that nothing was sent, and may find another
    /// way: a node that hangs, or that nothing reaches, takes a connection and says no word.
    private static let hurry: UInt64 = 300_000_000
    /// ms for which the other side may leave what was sent; then the link breaks, and is dialled anew.
    private static let silence: Int32 = 10_000

    init(
        poller: Poller, hello: PeerHello, logger: Logger, data: @escaping (Int) -> UInt64
    ) {
        self.poller = poller
        self.hello = hello
        self.logger = logger
        self.data = data
    }

    // MARK: What the core sends

    func forward(_ batch: ForwardBatch, to node: NodeID, at address: Address?) {
        for part in ForwardFrames.ofCommands(batch.bytes.view, limit: PeerFrame.payloadBytes) {
            send(.forward, part, to: node, at: address)
        }
    }

    func release(_ release: Release, to node: NodeID, at address: Address?) {
        var bytes = ByteBuffer(capacity: 128)
        release.encode(into: &bytes)
        send(.release, bytes.view, to: node, at: address)
    }

    func replicate(_ batch: ReplicaBatch, to node: NodeID, at address: Address?) {
        send(.replica, batch.bytes.view, to: node, at: address)
    }

    func answer(_ batch: ForwardReplyBatch, on link: LinkID) {
        guard let index = accepted[link], let link = links[index] else { return }
        for part in ForwardFrames.ofReplies(batch.bytes.view, limit: PeerFrame.payloadBytes) {
            PeerFrame.append(.forwardReply, part, to: &link.output)
        }
        if batch.bytes.count > DataNode.reportedBytes { link.reportsBacklog = true }
        touched.insert(index)
    }

    private func send(_ kind: PeerFrameKind, _ payload: ByteView, to node: NodeID, at address: Address?) {
        // Whoever was out of reach in this turn stays so until the core was told that nothing was sent.
        guard !unreached.contains(node), let index = dialled[node] ?? dial(node, address), let link = links[index],
            !isOverdue(link, Clocks.monotonic())
        else { return giveUp(node) }
        PeerFrame.append(kind, payload, to: &link.output)
        touched.insert(index)
    }

    /// The core is to be told that nothing was sent: so nothing must be, though the link may open before it is told.
    private func giveUp(_ node: NodeID) {
        if let index = dialled[node] { links[index]?.output.removeAll() }
        unreached.insert(node)
    }

    /// Whether a link was dialled some time ago and has not opened.
    private func isOverdue(_ link: Link, _ now: @autoclosure () -> UInt64) -> Bool {
        link.isDialled && link.phase != .open && now() &- link.since > Self.hurry
    }

    private func dial(_ node: NodeID, _ address: Address?) -> Int? {
        let now = Clocks.monotonic()
        if let pause = pauses[node], now < pause { return nil }
        pauses[node] = now + Self.pause
        guard let address else { return nil }
        let descriptor: Int32
        do {
            descriptor = try Socket.connect(address)
        } catch {
            logger.debug("\(error)", metadata: ["node": "\(node)"])
            return nil
        }
        let link = Link(
            descriptor: descriptor, node: node, isDialled: true, number: nextNumber, phase: .connecting, since: now)
        nextNumber += 1
        Socket.limitSilence(descriptor, millis: Self.silence)
        greet(.hello, link)
        let index = insert(link)
        dialled[node] = index
        link.awaitsWrite = true
        poller.add(descriptor, [.read, .write], data(index))
        return index
    }

    /// Takes a connection to the peer port over.
    func accepted(_ descriptor: Int32) {
        Socket.limitSilence(descriptor, millis: Self.silence)
        let link = Link(
            descriptor: descriptor, node: nil, isDialled: false, number: nextNumber, phase: .greeting,
            since: Clocks.monotonic())
        nextNumber += 1
        let index = insert(link)
        poller.add(descriptor, .read, data(index))
    }

    private func insert(_ link: Link) -> Int {
        if let index = free.popLast() {
            links[index] = link
            return index
        }
        links.append(link)
        return links.count - 1
    }

    // MARK: Events

    func ready(_ index: Int, isReadable: Bool, isWritable: Bool, step: (DataInput) -> Void) {
        guard index < links.count, let link = links[index] else { return }
        if link.phase == .connecting, isWritable {
            guard Socket.connectError(link.descriptor) == 0 else { return close(index, step: step) }
            link.phase = .greeting
            link.since = Clocks.monotonic()
        }
        if isWritable { write(index, step: step) }
        if isReadable, links[index] != nil { read(index, step: step) }
    }

    private func read(_ index: Int, step: (DataInput) -> Void) {
        guard let link = links[index] else { return }
        switch link.input.read(from: link.descriptor) {
        case .bytes: takeFrames(index, link, step: step)
        case .wouldBlock: break
        case .closed: close(index, step: step)
        }
    }

    private func takeFrames(_ index: Int, _ link: Link, step: (DataInput) -> Void) {
        var consumed = 0
        do {
            while case .frame(let frame, let size) = try PeerFrame.next(
                link.input.view[consumed..<link.input.count])
            {
                guard take(frame, index, link, step: step) else { return close(index, step: step) }
                if link.isRefused { return write(index, step: step) }
                consumed += size
            }
        } catch {
            logger.warning("a peer link is closed: \(error)", metadata: ["node": "\(link.node?.rawValue ?? "?")"])
            return close(index, step: step)
        }
        link.input.dropFirst(consumed)
        link.input.shrink(above: 1 << 20)
        // Whoever has not said who it is makes this node hold no more than a hello.
        if link.phase == .greeting, link.input.count > Self.greetingBytes { close(index, step: step) }
    }

    /// Returns whether the frame was one that may come here.
    private func take(_ frame: PeerFrame, _ index: Int, _ link: Link, step: (DataInput) -> Void) -> Bool {
        if link.phase == .greeting { return takeGreeting(frame, index, link, step: step) }
        guard let node = link.node else { return false }
        switch frame.kind {
        case .hello, .welcome, .refusal: return false
        case .forward: step(.forwarded(link: LinkID(number: link.number), frame.payload))
        case .forwardReply: step(.forwardAnswered(from: node, frame.payload))
        case .release:
            guard let release = Release(decoding: frame.payload) else { return false }
            step(.released(release))
        case .replica: step(.replicated(from: node, frame.payload))
        }
        return true
    }

    private func takeGreeting(_ frame: PeerFrame, _ index: Int, _ link: Link, step: (DataInput) -> Void) -> Bool {
        if link.isDialled {
            if frame.kind == .refusal {
                logger.warning("\(link.node?.rawValue ?? "?") refuses this node: \(frame.payload.text)")
            }
            guard frame.kind == .welcome else { return false }
            link.phase = .open
            touched.insert(index)
            return true
        }
        guard frame.kind == .hello, let other = PeerHello(decoding: frame.payload) else { return false }
        if let refusal = other.refusal(by: hello) {
            logger.warning("a peer link is refused: \(refusal)", metadata: ["node": "\(other.node)"])
            unsafe refusal.utf8.withContiguousStorageIfAvailable {
                unsafe PeerFrame.append(.refusal, ByteView($0), to: &link.greeting)
            }
            link.isRefused = true
            return true
        }
        link.node = other.node
        link.phase = .open
        greet(.welcome, link)
        touched.insert(index)
        accepted[LinkID(number: link.number)] = index
        step(.linkOpened(LinkID(number: link.number), node: other.node))
        return true
    }

    private func greet(_ kind: PeerFrameKind, _ link: Link) {
        var payload = ByteBuffer(capacity: 128)
        hello.encode(into: &payload)
        PeerFrame.append(kind, payload.view, to: &link.greeting)
    }

    private func write(_ index: Int, step: (DataInput) -> Void) {
        guard let link = links[index], link.phase != .connecting else { return }
        guard drain(&link.greeting, link) else { return close(index, step: step) }
        if link.greeting.isEmpty {
            if link.isRefused { return close(index, step: step) }
            if link.phase == .open, !link.output.isEmpty {
                link.hasSent = link.hasSent || link.isDialled
                guard drain(&link.output, link) else { return close(index, step: step) }
            }
        }
        report(link, step: step)
        let awaits = !link.greeting.isEmpty || link.phase == .open && !link.output.isEmpty
        if awaits != link.awaitsWrite {
            link.awaitsWrite = awaits
            poller.modify(link.descriptor, awaits ? [.read, .write] : .read, data(index))
        }
    }

    /// Tells the core what waits, where that is much, until it has gone.
    private func report(_ link: Link, step: (DataInput) -> Void) {
        let waits = link.output.count
        guard link.reportsBacklog || link.isDialled && waits > DataNode.reportedBytes else { return }
        link.reportsBacklog = waits > 0
        if link.isDialled, let node = link.node {
            step(.wayBacklog(node, bytes: waits))
        } else {
            step(.linkBacklog(LinkID(number: link.number), bytes: waits))
        }
    }

    /// Writes what the socket takes. Returns whether it is still open.
    private func drain(_ buffer: inout ByteBuffer, _ link: Link) -> Bool {
        switch Socket.write(link.descriptor, buffer.view) {
        case .bytes(let count):
            buffer.dropFirst(count)
            buffer.shrink(above: 1 << 20)
            return true
        case .wouldBlock: return true
        case .closed: return false
        }
    }

    private func close(_ index: Int, step: (DataInput) -> Void) {
        guard let link = links[index] else { return }
        links[index] = nil
        free.append(index)
        touched.remove(index)
        poller.remove(link.descriptor)
        Socket.close(link.descriptor)
        if link.isDialled, let node = link.node {
            dialled[node] = nil
            pauses[node] = Clocks.monotonic() + Self.pause
            step(.peerLost(node, nothingSent: !link.hasSent))
        } else if accepted.removeValue(forKey: LinkID(number: link.number)) != nil {
            step(.linkClosed(LinkID(number: link.number)))
        }
    }

    /// Writes what the turn gathered.
    func flush(step: (DataInput) -> Void) {
        guard !touched.isEmpty else { return }
        for index in touched.sorted() { write(index, step: step) }
        touched.removeAll(keepingCapacity: true)
    }

    /// Ends what hangs, and tells the core whom it could not reach.
    func tick(_ now: UInt64, step: (DataInput) -> Void) {
        for case let link? in links where !link.output.isEmpty && isOverdue(link, now) {
            if let node = link.node { giveUp(node) }
        }
        for node in unreached.sorted() { step(.peerLost(node, nothingSent: true)) }
        unreached.removeAll()
        for index in links.indices {
            guard let link = links[index], link.phase != .open, now &- link.since > Self.patience else { continue }
            close(index, step: step)
        }
    }

    func closeAll() {
        for link in links { if let link { Socket.close(link.descriptor) } }
        links = []
    }
}
