import ClusterModel
import DataCore
import Wire

/// A client of a run that looks at the keyspace as a whole: SCAN page by page, KEYS, DBSIZE. A cursor is a position and no
/// node's memory (RULES F9): when its connection breaks, it goes on with it at another node.
final class KeyspaceWalker {
    private unowned let world: World
    private unowned let workload: Workload
    private var chance: Chance
    private var connection: ClientConnection?
    private var walk: KeyspaceWalk?
    private var cursor = Array("0".utf8)
    private var count = 10
    /// What is planned since then is not to be.
    private var step = 0
    private(set) var walks: [KeyspaceWalk] = []

    /// ns a reply is waited for.
    private static let patience: UInt64 = 8_000_000_000

    init(world: World, workload: Workload, seed: UInt64) {
        self.world = world
        self.workload = workload
        chance = Chance(seed: seed, stream: "walker")
    }

    var isIdle: Bool { walk == nil }

    func start() { later(chance.between(100_000_000, 2_000_000_000)) { $0.begin() } }

    private func begin() {
        guard !workload.isOver else { return }
        walk = KeyspaceWalk(kind: chance.pick([.scan, .scan, .scan, .keys, .size]), begun: world.now)
        if walk?.kind != .size, chance.oneIn(4) { walk?.prefix = chance.pick(["r", "c", "a"]) }
        cursor = Array("0".utf8)
        count = chance.between(3, 40)
        ask()
    }

    /// Sends the walk's next command.
    private func ask() {
        guard let walk else { return }
        let pattern = "\(walk.prefix)*"
        let command: [[UInt8]] =
            switch walk.kind {
            case .scan: [Array("SCAN".utf8), cursor] + ["COUNT", "\(count)", "MATCH", pattern].map { Array($0.utf8) }
            case .keys: [Array("KEYS".utf8), Array(pattern.utf8)]
            case .size: [Array("DBSIZE".utf8)]
            }
        let connection = self.connection ?? connect()
        connection.send([command])
        later(Self.patience) { $0.lose() }
    }

    /// Does something later, if nothing else happens first.
    private func later(_ time: UInt64, _ work: @escaping (KeyspaceWalker) -> Void) {
        step += 1
        let planned = step
        world.after(time) { [weak self] in
            guard let self, step == planned else { return }
            work(self)
        }
    }

    private func connect() -> ClientConnection {
        let node = chance.below(world.nodes.count)
        let made = ClientConnection(world: world, from: "walker", to: world.nodes[node].address(.gateway))
        made.received = { [weak self] in self?.take($0) }
        made.ended = { [weak self] in self?.lose() }
        connection = made
        return made
    }

    private func lose() {
        connection?.close()
        connection = nil
        if walk != nil { tryAgain() }
    }

    /// What one reply tells is as of some time since its question: SCAN keeps what it has, the others have nothing yet.
    private func tryAgain() {
        if walk?.kind != .scan { walk?.begun = world.now }
        later(chance.between(1_000_000, 100_000_000)) { $0.ask() }
    }

    private func take(_ reply: RESPValue) {
        switch (walk?.kind, reply) {
        case (nil, _): return world.violate(.malformed, "the walker got a reply too many: \(reply)")
        case (_, .error(let line)):
            guard String(decoding: line, as: UTF8.self).hasPrefix("TRYAGAIN") else { break }
            return tryAgain()
        case (.size, .integer(let size)):
            walk?.size = Int(size)
            return finish()
        case (.keys, .array(let names)):
            guard note(names) else { break }
            return finish()
        case (.scan, .array(let parts)):
            guard parts.count == 2, case .bulkString(let next) = parts[0], case .array(let names) = parts[1],
                note(names)
            else { break }
            cursor = next
            if next == Array("0".utf8) { return finish() }
            return later(1000) { $0.ask() }
        default: break
        }
        world.violate(.malformed, "the walker asked for \(walk.map { "\($0.kind)" } ?? "nothing") and got \(reply)")
    }

    private func note(_ names: [RESPValue]) -> Bool {
        for name in names {
            guard case .bulkString(let bytes) = name else { return false }
            walk?.found.insert(String(decoding: bytes, as: UTF8.self))
        }
        return true
    }

    private func finish() {
        guard var done = walk else { return }
        walk = nil
        done.ended = world.now
        world.trace.note(world.now, 51, done.begun, "the walker: \(done)")
        walks.append(done)
        later(chance.between(500_000_000, 2_500_000_000)) { $0.begin() }
    }
}
