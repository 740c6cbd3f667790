import ClusterModel
import Simulator
import Testing

/// Three copies of every shard under chance: what was acknowledged survives any one node, and no read is old.
@Suite("Replicas under chance", .timeLimit(.minutes(5))) struct ReplicaTests {
    private static func world(_ seed: UInt64, flow: Flow, cacheBytes: Int = 1 << 20) throws -> World {
        var settings = WorldSettings(seed: seed)
        settings.cacheBytes = cacheBytes
        settings.gatewayTimeoutMillis = 2000
        settings.segmentBytes = 16 << 10
        settings.keyspace.replicas = 3
        settings.keyspace.flow = flow
        let world = World(settings)
        try #require(Operator(world).createKeyspace(), "no keyspace of three replicas")
        return world
    }

    @Test(arguments: [Flow.fanout, .chain], 1...1 as ClosedRange<UInt64>)
    func calm(flow: Flow, seed: UInt64) throws {
        let load = CounterLoad(try Self.world(seed, flow: flow), seed: seed)
        try load.run(for: 2_000_000_000)
        load.expectWork(150)
        try load.settle()
    }

    /// One node is killed for good: the others take its shards over and go on within three seconds.
    @Test(arguments: [Flow.fanout, .chain], 10...11 as ClosedRange<UInt64>)
    func deathOfANode(flow: Flow, seed: UInt64) throws {
        let world = try Self.world(seed, flow: flow)
        let load = CounterLoad(world, seed: seed)
        try load.run(for: 1_000_000_000)
        world.kill(Int(seed % 3), byPower: seed % 2 == 0)
        try load.run(for: 4_000_000_000)
        let before = load.writes
        try load.run(for: 2_000_000_000)
        #expect(load.writes > before + 50, "the shards of the dead node are not served")
        world.revive(Int(seed % 3))
        try load.run(for: 4_000_000_000)
        try load.settle()
    }

    @Test(arguments: [Flow.fanout, .chain], 20...21 as ClosedRange<UInt64>)
    func restarts(flow: Flow, seed: UInt64) throws {
        let world = try Self.world(seed, flow: flow)
        let load = CounterLoad(world, seed: seed)
        for _ in 0..<30_000 {
            world.step()
            if load.chance.oneIn(8000) { world.restart(load.chance.below(3), byPower: load.chance.oneIn(2)) }
            if load.chance.oneIn(3000) { world.breakLinks(between: load.chance.below(3), and: load.chance.below(3)) }
            try load.step()
        }
        load.expectWork(50)
        try load.settle(within: 20_000_000_000)
    }
}
