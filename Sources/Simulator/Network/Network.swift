import ClusterModel

/// The network between the machines: how long packets take, which ways are cut, and all connections.
final class Network {
    private unowned var home: World?
    private var chance: Chance
    private(set) var hosts: [String] = []
    /// Ways that are cut: [from][to].
    private var cuts: [[Bool]] = []
    /// Machines without power.
    private var isDown: [Bool] = []
    private var listeners: [Address: (host: Int, accept: (Link) -> (any Endpoint)?)] = [:]
    /// By number.
    private var links: [UInt64: Link] = [:]
    private var nextNumber: UInt64 = 1
    /// Lanes whose first packet waits for a way.
    private var stalled: [(Link, Link.Side)] = []

    /// What a scenario does to single packets.
    var holds: [Hold] = []
    var weather = Weather()
    private(set) var delivered: UInt64 = 0
    private(set) var resets: UInt64 = 0

    /// How packets fare.
    struct Weather {
        /// ns a packet takes at least, and what may be added.
        var delay: UInt64 = 100_000
        var jitter: UInt64 = 100_000
        /// Probability of a hundredfold delay.
        var tail = 0.0
        /// Probability that a packet is lost and comes by a retransmission.
        var loss = 0.0
        /// Probability that a packet ends its connection.
        var reset = 0.0
    }

    init(chance: Chance) { self.chance = chance }

    /// The world it is part of, before anything is sent.
    func join(_ world: World) { home = world }

    var now: UInt64 { home?.now ?? 0 }
    private func at(_ time: UInt64, _ action: @escaping () -> Void) { home?.at(time, action) }

    /// A machine's number.
    func addHost(_ name: String) -> Int {
        hosts.append(name)
        isDown.append(false)
        for index in cuts.indices { cuts[index].append(false) }
        cuts.append([Bool](repeating: false, count: hosts.count))
        return hosts.count - 1
    }

    // MARK: Ways

    func isCut(_ from: Int, _ to: Int) -> Bool { cuts[from][to] }

    /// Cuts or opens the way from one machine to another.
    func setCut(_ from: Int, _ to: Int, _ isCut: Bool) {
        guard from != to else { return }
        cuts[from][to] = isCut
        if !isCut { wake() }
    }

    /// Opens all ways.
    func openAll() {
        for from in hosts.indices { for to in hosts.indices { cuts[from][to] = false } }
        wake()
    }

    func setDown(_ host: Int, _ down: Bool) {
        isDown[host] = down
        if !down { wake() }
    }

    private func passes(_ from: Int, _ to: Int) -> Bool { !cuts[from][to] && !isDown[to] }

    /// What waited for a way goes on: at its sender's next retransmission.
    private func wake() {
        let waiting = stalled
        stalled = []
        for (link, side) in waiting {
            let from = link.hosts[side.rawValue]
            let to = link.hosts[side.other.rawValue]
            guard passes(from, to) else {
                stalled.append((link, side))
                continue
            }
            let wait: UInt64 =
                chance.oneIn(5) ? chance.between(1_000_000, 3_000_000_000) : chance.between(1_000_000, 200_000_000)
            at(now + wait) { [weak self] in self?.resume(link, side) }
        }
    }

    func resume(_ link: Link, _ side: Link.Side) {
        link.lanes[side.rawValue].isStalled = false
        while let first = link.lanes[side.rawValue].first, first.arrival <= now,
            !link.lanes[side.rawValue].isStalled
        {
            deliver(link, side)
        }
    }

    private func delay(_ from: Int, _ to: Int) -> UInt64 {
        if from == to { return 20_000 + chance.below(UInt64(30_000)) }
        var delay = weather.delay + chance.below(weather.jitter + 1)
        if chance.hits(weather.tail) { delay *= 100 }
        if chance.hits(weather.loss) { delay += 200_000_000 << UInt64(chance.below(3)) }
        return delay
    }

    // MARK: Connections

    func listen(_ address: Address, host: Int, _ accept: @escaping (Link) -> (any Endpoint)?) {
        listeners[address] = (host, accept)
    }

    func stopListening(_ address: Address) { listeners[address] = nil }

    /// Begins a connection. What is sent on it before it is open waits.
    func dial(_ address: Address, from end: any Endpoint, to host: Int) -> Link {
        let link = Link(number: nextNumber, address: address, dialler: end, target: host)
        nextNumber += 1
        links[link.number] = link
        push(link, .dialler, .open, at: now)
        return link
    }

    func send(_ bytes: [UInt8], on link: Link, from end: any Endpoint, at time: UInt64) {
        guard let side = link.side(of: end), !bytes.isEmpty else { return }
        if chance.hits(weather.reset), link.hosts[0] != link.hosts[1] {
            resets += 1
            return reset(link, at: time)
        }
        link.untaken[side.rawValue] += bytes.count
        push(link, side, .bytes(bytes), at: time)
    }

    /// Closes an end; the other hears of it behind what was sent.
    func close(_ link: Link, from end: any Endpoint, at time: UInt64) {
        guard let side = link.side(of: end) else { return }
        link.setEnd(side, nil)
        if link.end(side.other) != nil || side == .dialler { push(link, side, .end, at: time) }
        forgetIfDead(link)
    }

    /// An end's machine lost its power: the other end hears nothing.
    func vanish(_ link: Link, from end: any Endpoint) {
        guard let side = link.side(of: end) else { return }
        link.setEnd(side, nil)
        if chance.oneIn(2) { link.lanes[side.rawValue] = Link.Lane() }
        forgetIfDead(link)
    }

    /// Both ends hear that it broke, each at its own time; what is under way is lost.
    func reset(_ link: Link, at time: UInt64) {
        for side in [Link.Side.dialler, .acceptor] {
            link.lanes[side.rawValue] = Link.Lane()
            guard let end = link.end(side) else { continue }
            link.setEnd(side, nil)
            at(time + 1000 + chance.below(UInt64(50_000_000))) { end.closed(link) }
        }
        forgetIfDead(link)
    }

    func reset(between one: Int, and other: Int) {
        for link in links.values.sorted(by: { $0.number < $1.number }) where Set(link.hosts) == [one, other] {
            reset(link, at: now)
        }
    }

    private func push(_ link: Link, _ side: Link.Side, _ packet: Link.Packet, at time: UInt64) {
        let from = link.hosts[side.rawValue]
        let to = link.hosts[side.other.rawValue]
        let arrival = max(time + delay(from, to), link.lanes[side.rawValue].lastArrival + 1)
        link.lanes[side.rawValue].packets.append((arrival, packet))
        link.lanes[side.rawValue].lastArrival = arrival
        home?.arrive(link, side, at: arrival)
    }

    /// The first packet of a lane arrives, if its way is open.
    func deliver(_ link: Link, _ side: Link.Side) {
        guard let first = link.lanes[side.rawValue].first, !link.lanes[side.rawValue].isStalled,
            first.arrival <= now
        else { return }
        guard passes(link.hosts[side.rawValue], link.hosts[side.other.rawValue]) else {
            link.lanes[side.rawValue].isStalled = true
            stalled.append((link, side))
            return
        }
        guard !isStopped(first.packet, link, side) else { return }
        link.lanes[side.rawValue].removeFirst()
        delivered += 1
        take(first.packet, link, side)
        forgetIfDead(link)
    }

    private func take(_ packet: Link.Packet, _ link: Link, _ side: Link.Side) {
        switch packet {
        case .open: accept(link)
        case .accepted:
            guard let end = link.end(.dialler) else { return refuse(link, side) }
            link.isOpen = true
            end.opened(link)
        case .bytes(let bytes):
            guard let end = link.end(side.other) else { return refuse(link, side) }
            end.received(bytes, on: link)
        case .end:
            guard let end = link.end(side.other) else { return }
            link.setEnd(side.other, nil)
            end.closed(link)
        }
    }

    private func accept(_ link: Link) {
        guard link.end(.dialler) != nil else { return }
        guard let listener = listeners[link.address], let end = listener.accept(link) else {
            return push(link, .acceptor, .end, at: now)
        }
        link.setEnd(.acceptor, end)
        push(link, .acceptor, .accepted, at: now)
    }

    /// A packet came to an end that is gone: its sender is told.
    private func refuse(_ link: Link, _ side: Link.Side) {
        guard link.end(side) != nil else { return }
        push(link, side.other, .end, at: now)
    }

    private func forgetIfDead(_ link: Link) {
        guard link.isDead, link.lanes.allSatisfy({ $0.first == nil }) else { return }
        links[link.number] = nil
    }

    /// All connections of an end, in the order they were made.
    func links(of end: any Endpoint) -> [Link] {
        links.values.filter { $0.side(of: end) != nil }.sorted { $0.number < $1.number }
    }

    /// The world ends.
    func dissolve() {
        for link in links.values {  // order-free: nothing is told
            link.setEnd(.dialler, nil)
            link.setEnd(.acceptor, nil)
            link.lanes = [Link.Lane(), Link.Lane()]
        }
        links = [:]
        listeners = [:]
        stalled = []
    }
}

extension Link.Lane {
    var first: (arrival: UInt64, packet: Link.Packet)? { head < packets.count ? packets[head] : nil }

    mutating func removeFirst() {
        head += 1
        if head == packets.count {
            packets.removeAll(keepingCapacity: true)
            head = 0
        } else if head > 64 {
            packets.removeFirst(head)
            head = 0
        }
    }
}
