import ClusterModel
import Wire

/// A client of the metadata group, as ClusterClient's: it finds the primary among the addresses it knows, follows
/// NOTPRIMARY, and gives up after a time. One call at a time.
final class MetaCaller: Endpoint {
    private unowned let world: World
    let host: Int
    private let addresses: [Address]
    private var connections: [Address: Connection] = [:]
    /// Who answered as primary last, or was named so.
    private var hint: Address?
    private var call: Call?
    private var nextCall: UInt64 = 1

    /// ns: of a connect, of a request, of a whole call.
    private static let connectLimit: UInt64 = 1_000_000_000
    private static let requestLimit: UInt64 = 2_000_000_000
    private static let callLimit: UInt64 = 2_500_000_000

    private final class Connection {
        let address: Address
        let link: Link
        var parser = ReplyParser()
        init(_ address: Address, _ link: Link) {
            self.address = address
            self.link = link
        }
    }

    private struct Call {
        let number: UInt64
        let bytes: [UInt8]
        let limit: UInt64
        var queue: [Address]
        var redirects = 0
        /// The address that is asked now, and which try this is.
        var asked: Address?
        var attempt = 0
        let done: (RESPValue?) -> Void
    }

    init(world: World, host: Int, addresses: [Address]) {
        self.world = world
        self.host = host
        self.addresses = addresses
    }

    var isBusy: Bool { call != nil }

    /// Sends a command to the primary; `done` gets its reply, or nil when none answers in time.
    func send(_ arguments: [[UInt8]], _ done: @escaping (RESPValue?) -> Void) {
        guard call == nil else { return done(nil) }
        var buffer = ByteBuffer()
        RESPRequestWriter.command(arguments, into: &buffer)
        let queue = (hint.map { [$0] } ?? []) + addresses.filter { $0 != hint }
        call = Call(
            number: nextCall, bytes: buffer.view.array, limit: world.now + Self.callLimit, queue: queue, done: done)
        nextCall += 1
        attempt()
    }

    /// The process that calls is gone.
    func die(byPower: Bool) {
        call = nil
        for link in world.network.links(of: self) {
            if byPower {
                world.network.vanish(link, from: self)
            } else {
                world.network.close(link, from: self, at: world.now)
            }
        }
        connections = [:]
    }

    private func attempt() {
        guard var current = call else { return }
        guard !current.queue.isEmpty, world.now < current.limit else { return finish(nil) }
        let address = current.queue.removeFirst()
        current.asked = address
        current.attempt += 1
        call = current
        var limit = Self.requestLimit
        if let known = connections[address] {
            world.network.send(current.bytes, on: known.link, from: self, at: world.now)
        } else {
            limit = Self.connectLimit
            let link = world.network.dial(address, from: self, to: world.host(of: address))
            connections[address] = Connection(address, link)
        }
        watch(current.number, current.attempt, min(world.now + limit, current.limit))
    }

    /// What is not answered by then is not waited for.
    private func watch(_ number: UInt64, _ attempt: Int, _ limit: UInt64) {
        world.at(limit) { [weak self] in
            guard let self, let call, call.number == number, call.attempt == attempt, let asked = call.asked else {
                return
            }
            forget(asked)
            if hint == asked { hint = nil }
            self.attempt()
        }
    }

    private func forget(_ address: Address) {
        guard let known = connections.removeValue(forKey: address) else { return }
        world.network.close(known.link, from: self, at: world.now)
    }

    private func finish(_ value: RESPValue?) {
        let done = call?.done
        call = nil
        done?(value)
    }

    private func connection(on link: Link) -> Connection? {
        connections.values.first { $0.link === link }  // order-free: one at most
    }

    // MARK: Endpoint

    func opened(_ link: Link) {
        guard var current = call, let asked = current.asked, let known = connections[asked], known.link === link else {
            return
        }
        current.attempt += 1
        call = current
        world.network.send(current.bytes, on: link, from: self, at: world.now)
        watch(current.number, current.attempt, min(world.now + Self.requestLimit, current.limit))
    }

    func closed(_ link: Link) {
        guard let known = connection(on: link) else { return }
        connections[known.address] = nil
        guard call?.asked == known.address else { return }
        if hint == known.address { hint = nil }
        attempt()
    }

    func received(_ bytes: [UInt8], on link: Link) {
        guard let known = connection(on: link) else { return }
        known.parser.append(bytes)
        do {
            while let value = try known.parser.next() { take(value, from: known.address) }
        } catch {
            world.violate(.malformed, "a metasrv's reply: \(error)")
        }
    }

    private func take(_ value: RESPValue, from address: Address) {
        guard var current = call, current.asked == address else { return }
        guard case .error(let line) = value else {
            hint = address
            return finish(value)
        }
        let words = String(decoding: line, as: UTF8.self).split(separator: " ")
        switch words.first {
        case "NOTPRIMARY":
            current.redirects += 1
            if words.count > 1, let primary = Address(String(words[1])), primary != address,
                current.redirects <= Limits.routeAttempts
            {
                hint = primary
                current.queue.removeAll { $0 == primary }
                current.queue.insert(primary, at: 0)
                call = current
            }
            attempt()
        case "TRYAGAIN", "OVERLOADED", "LOADING": attempt()
        default: finish(value)
        }
    }
}
