import ClusterModel
import Simulator
import Testing

/// Whole nodes under chance: what clients were told must stay true (RULES I5, I6, I10 for one copy a shard).
@Suite("Data nodes under chance", .timeLimit(.minutes(5))) struct WorldTests {
    private func run(seed: UInt64, crashes: Bool, cuts: Bool, cacheBytes: Int) throws {
        let world = try #require(World.serving(seed: seed, cacheBytes: cacheBytes))
        let load = CounterLoad(world, seed: seed)
        for _ in 0..<30_000 {
            world.step()
            if crashes, load.chance.oneIn(5000) { world.restart(load.chance.below(3), byPower: load.chance.oneIn(2)) }
            if cuts, load.chance.oneIn(1500) {
                world.breakLinks(between: load.chance.below(3), and: load.chance.below(3))
            }
            try load.step()
        }
        load.expectWork(150)
        try load.settle()
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

    /// EXEC waits for a part of an earlier command that is still on its way to the same shard (found by seed 88).
    @Test func execKeepsItsOrderBehindADividedCommand() throws {
        let world = try #require(World.serving(seed: 520))
        for gateway in 0..<3 {
            let connection = world.connect(gateway)
            let keys = (0..<12).map { "k\($0)" }
            for key in keys { #expect(world.text(connection, "SET", key, "old") == "+OK\r\n") }
            for key in keys {
                connection.send([["MSET"] + keys.flatMap { [$0, "new"] }, ["MULTI"], ["GET", key], ["EXEC"]])
                #expect(world.wait(connection)?.text == "+OK\r\n")
                #expect(world.wait(connection)?.text == "+OK\r\n")
                #expect(world.wait(connection)?.text == "+QUEUED\r\n")
                #expect(world.wait(connection)?.text == "*1\r\n$3\r\nnew\r\n")
                #expect(world.text(connection, "SET", key, "old") == "+OK\r\n")
            }
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
