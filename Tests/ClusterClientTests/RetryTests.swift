import ClusterClient
import ClusterModel
import Testing
import Wire

@Suite("What is tried again, and what never", .timeLimit(.minutes(1)))
struct RetryTests {
    private static let refused = ScriptedServer.Step.say("-TRYAGAIN not now\r\n")

    @Test(
        "a node that is not ready is waited for, beyond a handful of tries",
        arguments: ["TRYAGAIN", "LOADING", "CLUSTERDOWN"])
    func notReady(code: String) async throws {
        let cluster = try await ScriptedCluster(echo, echo)
        let server = cluster.nodes[0]
        server.follow { [unowned server] in server.requests.count < 12 ? .say("-\(code) not now\r\n") : echo($0) }
        let client = try await cluster.client()
        #expect(try await client.set(bytes("a"), to: bytes("1")))
        #expect(server.requests.count == 12)
        await client.close()
    }

    @Test("the deadline ends the waiting; nothing was executed") func deadline() async throws {
        let cluster = try await ScriptedCluster({ _ in Self.refused }, echo)
        // The first wait would outlast it.
        let client = try await cluster.client { $0.backoff = RetryBackoff(base: .seconds(3600), cap: .seconds(3600)) }
        let error = await #expect(throws: ClusterClientError.self) { try await client.set(bytes("a"), to: bytes("1")) }
        #expect(error?.isDefinite == true)
        guard case .unavailable(let why, let attempts) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(why.contains("TRYAGAIN not now"))
        #expect(attempts == 1 && cluster.nodes[0].requests.count == 1)
        await client.close()
    }

    @Test("no try is begun when the map came too late") func lateMap() async throws {
        let cluster = try await ScriptedCluster({ _ in .say("-STALE 1 2\r\n") }, echo)
        let client = try await cluster.client {
            $0.timeout = .seconds(2)
            $0.routeTimeout = .seconds(3)
        }
        cluster.meta.follow { _ in .keepSilent }
        let error = await #expect(throws: ClusterClientError.self) { try await client.set(bytes("a"), to: bytes("1")) }
        #expect(error?.isDefinite == true)
        #expect(cluster.nodes[0].requests.count == 1)
        await client.close()
    }

    @Test("retries are bounded by the budget, and requests pay into it") func budget() async throws {
        let cluster = try await ScriptedCluster({ _ in Self.refused }, echo)
        let client = try await cluster.client {
            $0.retryReserve = 3
            $0.retryRatio = 0.5
        }
        func attempts() async -> Int {
            do {
                _ = try await client.get(bytes("a"))
                return 0
            } catch ClusterClientError.unavailable(let why, let attempts) {
                #expect(why.contains("retry budget"))
                return attempts
            } catch {
                return -1
            }
        }
        // Three retries from the reserve; then one for every two requests.
        var counts: [Int] = []
        for _ in 0..<5 { counts.append(await attempts()) }
        #expect(counts == [4, 1, 2, 1, 2])
        #expect(cluster.nodes[0].requests.count == 10)
        await client.close()
    }

    @Test("what is shed is brought five times, and not without end") func shed() async throws {
        let cluster = try await ScriptedCluster({ _ in .say("-OVERLOADED later\r\n") }, echo)
        let client = try await cluster.client()
        let error = await #expect(throws: ClusterClientError.self) { try await client.set(bytes("a"), to: bytes("1")) }
        #expect(error?.isDefinite == true)
        #expect(cluster.nodes[0].requests.count == Limits.routeAttempts)
        await client.close()
    }

    @Test("a read that servers do not survive is sent five times at most") func poison() async throws {
        let cluster = try await ScriptedCluster({ _ in .hangUp }, echo)
        let client = try await cluster.client()
        await #expect(throws: ClusterClientError.self) { try await client.get(bytes("a")) }
        #expect(cluster.count(of: "GET") == Limits.routeAttempts)
        await client.close()
    }

    @Test("a read is sent again when its connection is lost") func lostRead() async throws {
        let cluster = try await ScriptedCluster(echo, echo)
        let server = cluster.nodes[0]
        server.follow { [unowned server] in server.requests.count == 1 ? .hangUp : echo($0) }
        let client = try await cluster.client()
        #expect(try await client.get(bytes("a")) == bytes("a"))
        #expect(cluster.count(of: "GET") == 2)
        await client.close()
    }

    @Test("a write that got no answer is never sent again", arguments: [true, false])
    func lostWrite(hangsUp: Bool) async throws {
        let cluster = try await ScriptedCluster({ _ in hangsUp ? .hangUp : .keepSilent }, echo)
        let client = try await cluster.client { $0.timeout = hangsUp ? .seconds(30) : .milliseconds(200) }
        for name in ["INCRBY", "SET", "DEL"] {
            let error = await #expect(throws: ClusterClientError.self) {
                switch name {
                case "INCRBY": _ = try await client.increment(bytes("a"))
                case "SET": _ = try await client.set(bytes("a"), to: bytes("1"))
                default: _ = try await client.delete([bytes("a")])
                }
            }
            guard case .uncertain = error else {
                Issue.record("\(name): \(String(describing: error))")
                continue
            }
            #expect(error?.isDefinite == false)
        }
        // A command that the client does not know counts as a write.
        await #expect(throws: ClusterClientError.self) { _ = try await client.command([bytes("NOVEL"), bytes("a")]) }
        // And what comes later works: nothing of the above is still on its way.
        cluster.nodes[0].follow(echo)
        cluster.publish(ScriptedCluster.shard(1, on: 2, epoch: 2))
        for name in ["INCRBY", "SET", "DEL", "NOVEL"] { #expect(cluster.count(of: name) == 1, "\(name)") }
        await client.close()
    }

    @Test("UNCERTAIN from a node is passed on") func uncertain() async throws {
        let cluster = try await ScriptedCluster({ _ in .say("-UNCERTAIN role lost\r\n") }, echo)
        let client = try await cluster.client()
        await #expect(throws: ClusterClientError.uncertain("role lost")) {
            try await client.set(bytes("a"), to: bytes("1"))
        }
        #expect(cluster.count(of: "SET") == 1)
        await client.close()
    }

    @Test("a write that a node refused goes on to the next, and not from there") func refusedThenLost() async throws {
        let moved = ScriptedCluster.shard(1, on: 2, epoch: 2)
        let cluster = try await ScriptedCluster({ _ in ScriptedCluster.stale(moved) }, { _ in .hangUp })
        let client = try await cluster.client()
        let error = await #expect(throws: ClusterClientError.self) { try await client.set(bytes("a"), to: bytes("1")) }
        #expect(error?.isDefinite == false)
        #expect(cluster.nodes.map(\.requests.count) == [1, 1])
        await client.close()
    }

    @Test("a pipeline sends again what was refused, and nothing whose outcome is unknown") func pipeline()
        async throws
    {
        let cluster = try await ScriptedCluster(echo, echo)
        let server = cluster.nodes[0]
        // The second is refused once; the fourth is the last that the connection brings.
        server.follow { [unowned server] request in
            let seen = server.requests.filter { $0.command == request.command }.count
            switch request.command[1] {
            case "b" where seen == 1: return Self.refused
            case "d": return .hangUp
            default: return echo(request)
            }
        }
        let client = try await cluster.client { $0.connectionsPerNode = 1 }
        let results = await client.pipeline(["a", "b", "c", "d", "e"].map { [bytes("SET"), bytes($0), bytes("1")] })
        #expect(results[0...2].allSatisfy { (try? $0.get()) == .simpleString(bytes("OK")) })
        for result in results[3...] {
            guard case .failure(.uncertain) = result else {
                Issue.record("\(result)")
                continue
            }
        }
        let keys = server.requests.map { $0.command[1] }
        #expect(keys.filter { $0 == "b" }.count == 2)
        for key in ["a", "c", "d"] { #expect(keys.filter { $0 == key }.count == 1, "\(key)") }
        #expect(keys.filter { $0 == "e" }.count <= 1)
        await client.close()
    }

    @Test("a read that timed out leaves nothing behind for the next one") func timedOutRead() async throws {
        let cluster = try await ScriptedCluster({ $0.command[1] == "slow" ? .keepSilent : echo($0) }, echo)
        let client = try await cluster.client {
            $0.timeout = .seconds(3)
            $0.connectionsPerNode = 1
        }
        let error = await #expect(throws: ClusterClientError.self) { try await client.get(bytes("slow")) }
        guard case .timedOut = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        // The answer comes after all, on the connection that owed it.
        await cluster.nodes[0].received(1)
        cluster.nodes[0].say("$4\r\nslow\r\n")
        for number in 0..<20 {
            let key = bytes("key:\(number)")
            #expect(try await client.get(key) == key)
        }
        await client.close()
    }

    @Test("a node that takes no connection is waited for, and found where the map then says") func unreachable()
        async throws
    {
        let cluster = try await ScriptedCluster(echo, echo)
        let client = try await cluster.client()
        try await cluster.nodes[0].close()
        let server = cluster.meta
        // The fail-over takes the metadata group some fetches.
        server.follow { [unowned server, unowned cluster] _ in
            if server.requests.count == 9 { cluster.publish(ScriptedCluster.shard(1, on: 2, epoch: 2)) }
            return cluster.routes
        }
        #expect(try await client.set(bytes("a"), to: bytes("1")))
        #expect(cluster.count(of: "SET") == 1)
        await client.close()
    }

    @Test("waits grow, keep to their bounds, and differ") func backoff() {
        let backoff = RetryBackoff(base: .milliseconds(10), factor: 2, cap: .milliseconds(100))
        var generator = SystemRandomNumberGenerator()
        for (retry, longest) in [(1, 10), (2, 20), (3, 40), (4, 80), (5, 100), (6, 100), (1000, 100)] {
            let delays = (0..<50).map { _ in backoff.delay(retry: retry, using: &generator) }
            #expect(delays.allSatisfy { $0 >= .milliseconds(longest) / 2 && $0 <= .milliseconds(longest) })
            #expect(Set(delays).count > 1)
        }
    }
}
