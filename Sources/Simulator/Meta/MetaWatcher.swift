import ClusterModel
import Wire

/// Follows the changes of the map that the primary metasrv pushes, as NodeRuntime's MetaWatch: nothing depends on it.
final class MetaWatcher: Endpoint {
    private unowned let world: World
    let host: Int
    private let addresses: [Address]
    private let changed: (RouteDelta) -> Void
    private var since = RouteVersion.zero
    private var link: Link?
    private var address: Address?
    private var parser = ReplyParser()
    private var next = 0
    private var pause: UInt64 = 50_000_000
    private var isStarted = false
    private var isOver = false

    init(world: World, host: Int, addresses: [Address], changed: @escaping (RouteDelta) -> Void) {
        self.world = world
        self.host = host
        self.addresses = addresses
        self.changed = changed
    }

    /// Begins, unless it has.
    func start() {
        guard !isStarted else { return }
        isStarted = true
        dial(addresses[next % addresses.count])
    }

    func die(byPower: Bool) {
        isOver = true
        for link in world.network.links(of: self) {
            if byPower {
                world.network.vanish(link, from: self)
            } else {
                world.network.close(link, from: self, at: world.now)
            }
        }
    }

    private func dial(_ address: Address) {
        guard !isOver else { return }
        self.address = address
        parser = ReplyParser()
        let dialled = world.network.dial(address, from: self, to: world.host(of: address))
        link = dialled
        world.after(1_000_000_000) { [weak self] in
            guard let self, link === dialled, !dialled.isOpen else { return }
            lose(dialled)
        }
    }

    private func lose(_ lost: Link) {
        guard link === lost else { return }
        link = nil
        world.network.close(lost, from: self, at: world.now)
        next += 1
        again(addresses[next % addresses.count])
    }

    private func again(_ address: Address) {
        let wait = pause
        pause = min(pause * 2, 1_000_000_000)
        world.after(wait) { [weak self] in self?.dial(address) }
    }

    func opened(_ link: Link) {
        guard link === self.link else { return }
        var buffer = ByteBuffer()
        RESPRequestWriter.command([Array("META.WATCH".utf8), Array("\(since)".utf8)], into: &buffer)
        world.network.send(buffer.view.array, on: link, from: self, at: world.now)
    }

    func closed(_ link: Link) { lose(link) }

    func received(_ bytes: [UInt8], on link: Link) {
        guard link === self.link else { return }
        parser.append(bytes)
        do {
            while let value = try parser.next() { take(value, link) }
        } catch {
            world.violate(.malformed, "a metasrv's push: \(error)")
        }
    }

    private func take(_ value: RESPValue, _ link: Link) {
        switch value {
        case .array(let parts):
            guard parts.count == 2, case .bulkString(let bytes) = parts[1],
                let delta = world.documents.decode(RouteDelta.self, bytes)
            else { return world.violate(.malformed, "a push that is no META.DELTA") }
            pause = 50_000_000
            since = delta.version
            changed(delta)
        case .error(let line):
            let words = String(decoding: line, as: UTF8.self).split(separator: " ")
            guard words.first == "NOTPRIMARY", words.count > 1, let primary = Address(String(words[1])),
                primary != address
            else { return lose(link) }
            self.link = nil
            world.network.close(link, from: self, at: world.now)
            again(primary)
        default: break
        }
    }
}
