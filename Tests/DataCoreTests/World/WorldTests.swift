import ClusterModel
import Simulator
import Testing

/// Whole nodes under chance: what clients were told must stay true (RULES I5, I6, I10 for one copy a shard).
@Suite("Data nodes under chance", .timeLimit(.minutes(5))) struct WorldTests {
    /// A client that counts a key up and reads counters of others. Each key has one writer, so what a read may give is an
    /// interval: from the last value acknowledged before it began to the last one sent before it ended.
    private final class Client {
        let home: Int
        let key: String
        var connection: ClientConnection?
        var acknowledged = 0
        var sent = 0
        var pending: (isWrite: Bool, key: String, least: Int)?
        var writes = 0
        var reads = 0
        var uncertain = 0

        init(home: Int, key: String) {
            self.home = home
            self.key = key
        }
    }

    private func run(seed: UInt64, crashes: Bool, cuts: Bool, cacheBytes: Int) throws {
        let world = try #require(World.serving(seed: seed, cacheBytes: cacheBytes))
        var chance = Chance(seed: seed, stream: "test")
        let clients = (0..<9).map { Client(home: $0 % 3, key: "counter:\($0)") }
        for event in 0..<30_000 {
            world.step()
            if crashes, chance.oneIn(5000) { world.restart(chance.below(3), byPower: chance.oneIn(2)) }
            if cuts, chance.oneIn(1500) { world.breakLinks(between: chance.below(3), and: chance.below(3)) }
            try step(clients[event % clients.count], world, clients, &chance)
        }
        #expect(clients.reduce(0) { $0 + $1.writes } > 150, "a vacuous run: too few writes")
        #expect(clients.reduce(0) { $0 + $1.reads } > 150, "a vacuous run: too few reads")
        try settle(world, clients)
    }

    private func step(_ client: Client, _ world: World, _ clients: [Client], _ chance: inout Chance) throws {
        guard let connection = client.connection, !connection.isClosed else {
            // The gateway died with the command: its outcome is unknown.
            client.connection = world.connect(client.home)
            client.pending = nil
            return
        }
        guard let pending = client.pending else { return issue(client, connection, clients, &chance) }
        guard let reply = connection.reply()?.text else { return }
        client.pending = nil
        try judge(reply, pending, client, clients)
    }

    private func issue(
        _ client: Client, _ connection: ClientConnection, _ clients: [Client], _ chance: inout Chance
    ) {
        if chance.oneIn(2) {
            client.sent += 1
            client.pending = (true, client.key, 0)
            connection.send([["SET", client.key, "\(client.sent)"]])
        } else {
            let other = chance.pick(clients)
            client.pending = (false, other.key, other.acknowledged)
            connection.send([["GET", other.key]])
        }
    }

    private func judge(
        _ reply: String, _ pending: (isWrite: Bool, key: String, least: Int), _ client: Client, _ clients: [Client]
    ) throws {
        if reply.hasPrefix("-UNCERTAIN") {
            client.uncertain += 1
        } else if reply.hasPrefix("-TRYAGAIN") {
            // Definite: not executed.
        } else if pending.isWrite {
            #expect(reply == "+OK\r\n")
            guard reply == "+OK\r\n" else { return }
            client.acknowledged = client.sent
            client.writes += 1
        } else {
            let owner = try #require(clients.first { $0.key == pending.key })
            let value = reply == "nil" ? 0 : Int(reply.split(separator: "\r\n").last ?? "") ?? -1
            #expect(value >= pending.least, "\(pending.key): \(value) read after \(pending.least) was acknowledged")
            #expect(value <= owner.sent, "\(pending.key): \(value) read, \(owner.sent) was the last one sent")
            client.reads += 1
        }
    }

    /// Everything is up again: what was acknowledged is there.
    private func settle(_ world: World, _ clients: [Client]) throws {
        world.run(until: world.now + 8_000_000_000)
        for client in clients {
            let connection = world.connect(client.home)
            let reply = try #require(world.text(connection, "GET", client.key), "no reply after healing")
            let value = reply == "nil" ? 0 : Int(reply.split(separator: "\r\n").last ?? "") ?? -1
            #expect(value >= client.acknowledged, "\(client.key): acknowledged \(client.acknowledged), found \(value)")
            #expect(value <= client.sent)
        }
        #expect(world.violations == [])
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func calm(seed: UInt64) throws { try run(seed: seed, crashes: false, cuts: false, cacheBytes: 1 << 20) }

    @Test(arguments: 100...107 as ClosedRange<UInt64>)
    func crashesAndCuts(seed: UInt64) throws { try run(seed: seed, crashes: true, cuts: true, cacheBytes: 1 << 20) }

    /// No room for rows: nearly every read asks the store, so that answers of readers and writes overtake each other.
    @Test(arguments: 200...207 as ClosedRange<UInt64>)
    func withoutACache(seed: UInt64) throws { try run(seed: seed, crashes: true, cuts: false, cacheBytes: 0) }

    /// Pipelines through a gateway: replies keep their order though some shards are here and some elsewhere.
    @Test(arguments: 300...303 as ClosedRange<UInt64>)
    func pipelinesKeepTheirOrder(seed: UInt64) throws {
        let world = try #require(World.serving(seed: seed, cacheBytes: 0))
        let connection = world.connect(0)
        let commands = (0..<200).flatMap { [["SET", "k\($0)", "v\($0)"], ["GET", "k\($0)"]] }
        connection.send(commands)
        for number in 0..<200 {
            #expect(world.wait(connection)?.text == "+OK\r\n")
            #expect(world.wait(connection)?.text == "$\("v\(number)".utf8.count)\r\nv\(number)\r\n")
        }
    }

    /// Commands over all shards, through any gateway.
    @Test(arguments: 400...404 as ClosedRange<UInt64>)
    func wholeKeyspaceCommands(seed: UInt64) throws {
        let world = try #require(World.serving(seed: seed, cacheBytes: 0))
        let connection = world.connect(1)
        for number in 0..<60 { #expect(world.text(connection, "SET", "k\(number)", "v") == "+OK\r\n") }
        #expect(world.text(connection, "DBSIZE") == ":60\r\n")
        #expect(world.text(connection, "EXISTS", "k1", "k2", "k3", "nope", "k4") == ":4\r\n")
        #expect(world.text(connection, "MGET", "k1", "nope", "k59") == "*3\r\n$1\r\nv\r\nnil$1\r\nv\r\n")
        var cursor = "0"
        var found: Set<Substring> = []
        repeat {
            let reply = try #require(world.text(connection, "SCAN", cursor, "COUNT", "7"))
            let lines = reply.split(separator: "\r\n")
            cursor = String(lines[2])
            for line in lines.dropFirst(4) where line.hasPrefix("k") { found.insert(line) }
        } while cursor != "0"
        #expect(found.count == 60)
        #expect(world.text(connection, "DEL", "k1", "k2", "k3", "k4", "nope") == ":4\r\n")
        #expect(world.text(connection, "FLUSHALL") == "+OK\r\n")
        #expect(world.text(connection, "DBSIZE") == ":0\r\n")
        #expect(world.text(connection, "GET", "k9") == "nil")
    }

    /// EXEC is all or nothing, and a watched key that changed stops it, wherever its shard is served.
    @Test(arguments: 500...504 as ClosedRange<UInt64>)
    func transactions(seed: UInt64) throws {
        let world = try #require(World.serving(seed: seed))
        for gateway in 0..<3 {
            let one = world.connect(gateway)
            let two = world.connect((gateway + 1) % 3)
            #expect(world.text(one, "WATCH", "{t}a") == "+OK\r\n")
            #expect(world.text(one, "MULTI") == "+OK\r\n")
            #expect(world.text(one, "SET", "{t}a", "1") == "+QUEUED\r\n")
            #expect(world.text(one, "INCR", "{t}a") == "+QUEUED\r\n")
            #expect(world.text(one, "EXEC") == "*2\r\n+OK\r\n:2\r\n")
            #expect(world.text(one, "WATCH", "{t}a") == "+OK\r\n")
            #expect(world.text(two, "SET", "{t}a", "9") == "+OK\r\n")
            #expect(world.text(one, "MULTI") == "+OK\r\n")
            #expect(world.text(one, "SET", "{t}a", "5") == "+QUEUED\r\n")
            #expect(world.text(one, "EXEC") == "nil")
            #expect(world.text(one, "GET", "{t}a") == "$1\r\n9\r\n")
        }
    }

    /// A row whose deadline passes is gone for reads at once, and from the store soon, though nobody asks for it.
    @Test(arguments: 600...604 as ClosedRange<UInt64>)
    func deadlines(seed: UInt64) throws {
        let world = try #require(World.serving(seed: seed, cacheBytes: 0))
        let connection = world.connect(0)
        for number in 0..<20 {
            #expect(world.text(connection, "SET", "t\(number)", "v", "PX", "400") == "+OK\r\n")
        }
        #expect(world.text(connection, "SET", "stays", "v") == "+OK\r\n")
        world.run(until: world.now + 5_000_000_000)
        #expect(world.text(connection, "GET", "t3") == "nil")
        #expect(world.text(connection, "GET", "stays") == "$1\r\nv\r\n")
        let rows = world.nodes.reduce(0) { $0 + $1.disk.rowCount }
        #expect(rows == 1, "expired rows stayed in the stores")
    }

    /// An empty shard changes its node under reads, many times; nobody gets an error (RULES C13).
    @Test(arguments: 700...704 as ClosedRange<UInt64>)
    func reassignment(seed: UInt64) throws {
        let world = try #require(World.serving(seed: seed))
        let slot = (0..<100_000).first { Slot(ofKey: Array("probe\($0)".utf8)).number < 2000 }
        let key = "probe\(try #require(slot))"
        let connections = (0..<3).map { world.connect($0) }
        let keeper = Operator(world)
        for round in 0..<30 {
            let shard = try #require(world.shard(holding: key))
            let target = world.nodes[(round + 1) % 3].id
            var answer: ReconfigureAnswer?
            keeper.reconfigure(shard, members: [Member(node: target, incarnation: .first)]) { answer = $0 }
            for _ in 0..<10 { #expect(world.text(connections[round % 3], "GET", key) == "nil") }
            #expect(world.run(for: 3_000_000_000) { answer != nil })
            world.run(until: world.now + 1_500_000_000)
        }
        let moves = try #require(world.shard(holding: key)).epoch.rawValue
        #expect(moves > 20, "a vacuous run: the shard moved \(moves) times")
        #expect(world.violations == [])
    }
}
