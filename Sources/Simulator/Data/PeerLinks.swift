import ClusterModel
import DataCore
import Wire

/// The connections of a data node to others, as NodeRuntime's PeerLinks: one that it dials to each, and those that others
/// dialled; the first frame says who dialled, and nothing leaves before the welcome.
final class PeerLinks {
    final class Peer {
        enum Phase { case connecting, greeting, open }

        let link: Link
        var node: NodeID?
        let isDialled: Bool
        var phase: Phase
        var input: [UInt8] = []
        var output = ByteBuffer(capacity: 256)
        /// Whether a byte of a message went out.
        var hasSent = false
        /// Whether the core is to be told how many bytes wait.
        var reportsBacklog = false
        var since: UInt64

        init(link: Link, node: NodeID?, isDialled: Bool, phase: Phase, since: UInt64) {
            self.link = link
            self.node = node
            self.isDialled = isDialled
            self.phase = phase
            self.since = since
        }

        var id: LinkID { LinkID(number: link.number) }
    }

    private unowned let process: DataProcess
    /// By the number of the link.
    private var peers: [UInt64: Peer] = [:]
    private var dialled: [NodeID: Peer] = [:]
    /// Not dialled again before, ns of the node's clock.
    private var pauses: [NodeID: UInt64] = [:]
    private var unreached: Set<NodeID> = []
    private var touched: [Peer] = []

    private static let pause: UInt64 = 50_000_000
    private static let patience: UInt64 = 3_000_000_000
    private static let hurry: UInt64 = 300_000_000

    init(process: DataProcess) { self.process = process }

    private var hello: PeerHello {
        PeerHello(
            cluster: process.disk.cluster, node: process.machine.id, store: process.machine.store, boot: process.boot)
    }

    // MARK: What the core sends

    func send(_ kind: PeerFrameKind, _ payloads: [[UInt8]], to node: NodeID) {
        // Whoever was out of reach in this turn stays so until the core was told that nothing was sent.
        guard !unreached.contains(node), let peer = dialled[node] ?? dial(node), !isOverdue(peer) else {
            return giveUp(node)
        }
        append(kind, payloads, peer)
    }

    /// The core is to be told that nothing was sent: so nothing must be, though the link may open before it is told.
    private func giveUp(_ node: NodeID) {
        if !Mutant.g1SendsWhatWasGivenUp.isOn { dialled[node]?.output.removeAll() }
        unreached.insert(node)
    }

    /// Whether a link was dialled some time ago and has not opened.
    private func isOverdue(_ peer: Peer) -> Bool {
        peer.isDialled && peer.phase != .open && process.monotonic &- peer.since > Self.hurry
    }

    func answer(_ kind: PeerFrameKind, _ payloads: [[UInt8]], on link: LinkID) {
        guard let peer = peers[link.number], !peer.isDialled else { return }
        append(kind, payloads, peer)
    }

    private func append(_ kind: PeerFrameKind, _ payloads: [[UInt8]], _ peer: Peer) {
        if peer.output.isEmpty { touched.append(peer) }
        for payload in payloads { payload.withByteView { PeerFrame.append(kind, $0, to: &peer.output) } }
    }

    private func dial(_ node: NodeID) -> Peer? {
        let now = process.monotonic
        if let pause = pauses[node], now < pause { return nil }
        pauses[node] = now + Self.pause
        guard let link = process.dial(node) else { return nil }
        let peer = Peer(link: link, node: node, isDialled: true, phase: .connecting, since: now)
        peers[link.number] = peer
        dialled[node] = peer
        return peer
    }

    private func note(_ text: @autoclosure () -> String, _ detail: UInt64 = 0) {
        process.world.trace.note(process.world.now, 23, detail, text())
    }

    // MARK: Events

    func holds(_ link: Link) -> Bool { peers[link.number] != nil }

    func accepted(_ link: Link) {
        peers[link.number] = Peer(
            link: link, node: nil, isDialled: false, phase: .greeting, since: process.monotonic)
    }

    func opened(_ link: Link) {
        guard let peer = peers[link.number], peer.phase == .connecting else { return }
        peer.phase = .greeting
        peer.since = process.monotonic
        greet(.hello, peer)
    }

    private func greet(_ kind: PeerFrameKind, _ peer: Peer) {
        var payload = ByteBuffer(capacity: 128)
        hello.encode(into: &payload)
        var frame = ByteBuffer(capacity: 256)
        PeerFrame.append(kind, payload.view, to: &frame)
        process.send(frame.view.array, on: peer.link)
    }

    func received(_ bytes: [UInt8], on link: Link) {
        if let side = link.side(of: process) { link.untaken[side.other.rawValue] -= bytes.count }
        guard let peer = peers[link.number] else { return }
        peer.input += bytes
        var consumed = 0
        var isGood = true
        do {
            // What the core is told refers to these bytes: they stay as they are for the time of the step.
            let input = peer.input
            try input.withByteView { (view) throws(PeerFrameError) in
                while isGood, case .frame(let frame, let size) = try PeerFrame.next(view[consumed..<view.count]) {
                    isGood = take(frame, peer)
                    consumed += size
                }
            }
        } catch {
            process.violate("a peer frame of \(peer.node?.rawValue ?? "?"): \(error)")
            isGood = false
        }
        peer.input.removeFirst(consumed)
        if !isGood { close(peer) }
    }

    /// Takes one frame; false = the link is of no more use.
    private func take(_ frame: PeerFrame, _ peer: Peer) -> Bool {
        guard peer.phase == .open, let node = peer.node else { return takeGreeting(frame, peer) }
        note("\(process.machine.id) < \(node) \(PeerTraffic.text(frame))", UInt64(frame.payload.count))
        guard let input = PeerTraffic.input(frame, link: peer.id, node: node) else {
            process.violate("a frame of kind \(frame.kind) from \(node) that this node cannot read")
            return false
        }
        process.step(input)
        return true
    }

    private func takeGreeting(_ frame: PeerFrame, _ peer: Peer) -> Bool {
        if peer.isDialled {
            guard frame.kind == .welcome else { return false }
            peer.phase = .open
            if !peer.output.isEmpty { touched.append(peer) }
            return true
        }
        guard frame.kind == .hello, let other = PeerHello(decoding: frame.payload) else { return false }
        if let refusal = other.refusal(by: hello) {
            var bytes = ByteBuffer(capacity: 256)
            Array(refusal.utf8).withByteView { PeerFrame.append(.refusal, $0, to: &bytes) }
            process.send(bytes.view.array, on: peer.link)
            return false
        }
        peer.node = other.node
        peer.phase = .open
        greet(.welcome, peer)
        process.step(.linkOpened(peer.id, node: other.node))
        return true
    }

    /// Sends what the turn gathered.
    func flush() {
        guard !touched.isEmpty else { return }
        for peer in touched where peer.phase == .open && !peer.output.isEmpty {
            peer.hasSent = peer.hasSent || peer.isDialled
            process.send(peer.output.view.array, on: peer.link)
            peer.output.removeAll()
            if peer.isDialled { report(peer) }
        }
        touched.removeAll(keepingCapacity: true)
    }

    /// Bytes that wait at most for the way to one node.
    var mostOnAWay: Int {
        dialled.values.reduce(0) { max($0, $1.link.untaken[Link.Side.dialler.rawValue]) }  // order-free: the most
    }

    /// Tells the core what waits for the way to a node, where that is much, until it has gone.
    private func report(_ peer: Peer) {
        let waits = peer.link.untaken[Link.Side.dialler.rawValue]
        guard peer.reportsBacklog || waits > process.world.settings.wayBytes / 2, let node = peer.node else { return }
        peer.reportsBacklog = waits > 0
        process.step(.wayBacklog(node, bytes: waits))
    }

    func closed(_ link: Link) {
        guard let peer = peers[link.number] else { return }
        forget(peer)
    }

    private func close(_ peer: Peer) {
        process.close(peer.link)
        forget(peer)
    }

    private func forget(_ peer: Peer) {
        guard peers.removeValue(forKey: peer.link.number) != nil else { return }
        note(
            "\(process.machine.id) loses link \(peer.link.number) to \(peer.node?.rawValue ?? "?") (sent: \(peer.hasSent))"
        )
        if peer.isDialled, let node = peer.node {
            dialled[node] = nil
            pauses[node] = process.monotonic + Self.pause
            process.step(.peerLost(node, nothingSent: !peer.hasSent))
        } else if peer.phase == .open {
            process.step(.linkClosed(peer.id))
        }
    }

    /// Ends what hangs, and tells the core whom it could not reach.
    func tick() {
        for peer in dialled.values where !peer.output.isEmpty && isOverdue(peer) {  // order-free: each for itself
            if let node = peer.node { giveUp(node) }
        }
        for number in peers.keys.sorted() {
            if let peer = peers[number], peer.reportsBacklog { report(peer) }
        }
        for node in unreached.sorted() {
            note("\(process.machine.id) does not reach \(node)")
            process.step(.peerLost(node, nothingSent: true))
        }
        unreached.removeAll()
        guard peers.values.contains(where: { $0.phase != .open }) else { return }  // order-free: whether there is one
        for number in peers.keys.sorted() {
            guard let peer = peers[number], peer.phase != .open, process.monotonic &- peer.since > Self.patience else {
                continue
            }
            close(peer)
        }
    }
}
