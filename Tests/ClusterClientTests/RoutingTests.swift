import ClusterClient
import ClusterModel
import Testing
import Wire

@Suite("Routing by a cache of the map", .timeLimit(.minutes(1)))
struct RoutingTests {
    @Test("with every metasrv down a client with routes works, and follows what data nodes say") func metaDown()
        async throws
    {
        let cluster = try await ScriptedCluster(shards: 2, echo, echo)
        let client = try await cluster.client()
        try await cluster.meta.close()
        let keys = (0..<100).map { bytes("key:\($0)") }
        for key in keys {
            #expect(try await client.get(key) == key)
            #expect(try await client.set(key, to: key))
        }
        #expect(cluster.nodes.allSatisfy { $0.requests.count > 20 }, "both shards were asked")
        // Shard 1 went to d2 meanwhile: d1 says so, nobody else needs to.
        let moved = ScriptedCluster.shard(1, of: 2, on: 2, epoch: 2)
        cluster.nodes[0].follow { _ in ScriptedCluster.stale(moved) }
        for key in keys { #expect(try await client.get(key) == key) }
        #expect(client.routes.shard(moved.id) == moved)
        #expect(cluster.nodes[0].requests.filter { $0.epoch == 2 }.isEmpty)
        await client.close()
    }

    @Test("a hint is taken only if it is newer") func olderHint() async throws {
        let cluster = try await ScriptedCluster(echo, echo)
        cluster.publish(ScriptedCluster.shard(1, on: 1, epoch: 5))
        let client = try await cluster.client()
        // d1 has not heard of epoch 5 yet, and says what it knows: the shard was on d2.
        let old = ScriptedCluster.shard(1, on: 2, epoch: 4)
        let server = cluster.nodes[0]
        server.follow { [unowned server] in server.requests.count < 3 ? ScriptedCluster.stale(old) : echo($0) }
        #expect(try await client.get(bytes("a")) == bytes("a"))
        #expect(server.requests.map(\.epoch) == [5, 5, 5])
        #expect(cluster.nodes[1].requests.isEmpty)
        await client.close()
    }

    @Test("a hint that is older than what was learned since the request left is not taken") func overtakenHint()
        async throws
    {
        let cluster = try await ScriptedCluster({ _ in .keepSilent }, echo)
        let client = try await cluster.client()
        async let value = client.get(bytes("a"))
        await cluster.nodes[0].received(1)
        let newest = ScriptedCluster.shard(1, on: 2, epoch: 5)
        let version = client.routes.version
        let isApplied = client.apply(
            RouteDelta(
                cluster: try #require(client.routes.cluster), since: version,
                version: RouteVersion(rawValue: version.rawValue + 1), shards: [newest]))
        #expect(isApplied)
        guard case .say(let stale) = ScriptedCluster.stale(ScriptedCluster.shard(1, on: 1, epoch: 3)) else { return }
        cluster.nodes[0].say(stale)
        #expect(try await value == bytes("a"))
        #expect(client.routes.shard(newest.id) == newest)
        #expect(cluster.nodes[0].requests.count == 1 && cluster.nodes[1].requests.map(\.epoch) == [5])
        await client.close()
    }

    @Test(
        "a hint that is none makes the client ask the metadata group",
        arguments: ["-STALE 1 2\r\n", "-STALE 1 2 !!!\r\n", "-STALE 1 2 AAAA\r\n", "-STALE\r\n", "-MOVED 7 x:1\r\n"])
    func noHint(said: String) async throws {
        let cluster = try await ScriptedCluster({ _ in .say(said) }, echo)
        let client = try await cluster.client()
        cluster.publish(ScriptedCluster.shard(1, on: 2, epoch: 2))
        #expect(try await client.get(bytes("a")) == bytes("a"))
        #expect(cluster.nodes[0].requests.count == 1 && cluster.nodes[1].requests.map(\.epoch) == [2])
        #expect(client.routeFetches == 2)
        await client.close()
    }

    @Test("a hint about another shard is not taken") func foreignHint() async throws {
        let cluster = try await ScriptedCluster(shards: 2, echo, echo)
        let client = try await cluster.client()
        let foreign = ScriptedCluster.shard(2, of: 2, on: 1, epoch: 9)
        guard case .say(let line) = ScriptedCluster.stale(foreign) else { return }
        let lie = line.replacing("-STALE 2 9", with: "-STALE 1 9")
        for (index, server) in cluster.nodes.enumerated() {
            server.follow { [unowned server] in index == 0 && server.requests.count == 1 ? .say(lie) : echo($0) }
        }
        for number in 0..<20 {
            let key = bytes("key:\(number)")
            #expect(try await client.get(key) == key)
        }
        #expect(client.routes.shard(foreign.id)?.epoch.rawValue == 1)
        await client.close()
    }

    @Test("many requests that find the map suspect share one fetch") func oneFetch() async throws {
        let cluster = try await ScriptedCluster({ _ in .say("-STALE 1 2\r\n") }, echo)
        let client = try await cluster.client()
        cluster.publish(ScriptedCluster.shard(1, on: 2, epoch: 2))
        cluster.meta.follow { _ in .keepSilent }
        let count = 100
        async let values = withThrowingTaskGroup(of: [UInt8]?.self) { tasks in
            for number in 0..<count { tasks.addTask { try await client.get(bytes("key:\(number)")) } }
            return try await tasks.reduce(into: []) { $0.append($1) }
        }
        // All were refused before the one answer comes.
        await cluster.nodes[0].received(count)
        await cluster.meta.received(2)
        guard case .say(let answer) = cluster.routes else { return }
        cluster.meta.say(answer)
        let found = try await values
        #expect(Set(found) == Set((0..<count).map { bytes("key:\($0)") }))
        #expect(client.routeFetches == 2 && cluster.meta.requests.count == 2)
        await client.close()
    }

    @Test("what a fetch has just brought is not asked for again") func freshFetch() async throws {
        let cluster = try await ScriptedCluster(shards: 2, echo, { _ in .keepSilent })
        let client = try await cluster.client { $0.connectionsPerNode = 1 }
        let keyspace = try #require(client.routes.keyspace(named: "default")).id
        func key(of shard: UInt64) throws -> [UInt8] {
            let keys = (0..<1000).lazy.map { bytes("key:\($0)") }
            return try #require(keys.first { client.routes.locate($0, in: keyspace)?.id.rawValue == shard })
        }
        let (first, second) = (try key(of: 1), try key(of: 2))
        async let value = client.get(second)
        await cluster.nodes[1].received(1)
        // A fetch for another shard begins and ends while that request is on its way.
        cluster.nodes[0].follow { $0.epoch == 1 ? .say("-STALE 1 2\r\n") : echo($0) }
        cluster.publish(ScriptedCluster.shard(1, of: 2, on: 1, epoch: 2))
        #expect(try await client.get(first) == first)
        cluster.nodes[1].follow(echo)
        cluster.nodes[1].say("-STALE 2 2\r\n")
        #expect(try await value == second)
        #expect(client.routeFetches == 2)
        await client.close()
    }

    @Test("a shard that changes its node at each try is followed at once, however often") func pingPong() async throws {
        let last: UInt64 = 60
        let script: ScriptedServer.Script = { request in
            guard let epoch = request.epoch, epoch < last else { return echo(request) }
            return ScriptedCluster.stale(ScriptedCluster.shard(1, on: epoch % 2 == 0 ? 1 : 2, epoch: epoch + 1))
        }
        let cluster = try await ScriptedCluster(script, script)
        // A wait would fail: there is no budget for any.
        let client = try await cluster.client {
            $0.retryReserve = 0
            $0.retryRatio = 0
        }
        #expect(try await client.get(bytes("a")) == bytes("a"))
        #expect(cluster.count(of: "GET") == Int(last))
        #expect(client.routeFetches == 1)
        await client.close()
    }

    @Test("a pipeline's results come in the order of its commands, over nodes and hand-overs") func pipeline()
        async throws
    {
        let cluster = try await ScriptedCluster(shards: 2, echo, echo)
        let client = try await cluster.client()
        let moved = ScriptedCluster.shard(1, of: 2, on: 2, epoch: 2)
        cluster.nodes[0].follow { _ in ScriptedCluster.stale(moved) }
        let keys = (0..<300).map { bytes("key:\($0)") }
        let results = await client.pipeline(keys.map { [bytes("GET"), $0] })
        #expect(results == keys.map { .success(.bulkString($0)) })
        #expect(client.routeFetches == 1)
        await client.close()
    }

    @Test("requests of many tasks each get their own reply") func crowd() async throws {
        let cluster = try await ScriptedCluster(shards: 2, echo, echo)
        let client = try await cluster.client { $0.connectionsPerNode = 1 }
        try await withThrowingTaskGroup(of: Bool.self) { tasks in
            for number in 0..<500 {
                let key = bytes("key:\(number)")
                tasks.addTask { try await client.get(key) == key }
            }
            for try await isOwn in tasks { #expect(isOwn) }
        }
        #expect(cluster.count(of: "GET") == 500)
        #expect(cluster.nodes.map(\.connections) == [1, 1])
        await client.close()
    }

    @Test("a keyspace that does not exist is told after one fetch") func noKeyspace() async throws {
        let cluster = try await ScriptedCluster(echo, echo)
        let client = try await cluster.client().using(keyspace: "none")
        await #expect(throws: ClusterClientError.noSuchKeyspace("none")) { try await client.get(bytes("a")) }
        #expect(client.routeFetches == 2 && cluster.count(of: "GET") == 0)
        await client.close()
    }
}
