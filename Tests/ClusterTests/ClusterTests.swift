import ClusterClient
import ClusterModel
import Synchronization
import Testing

@Suite("A cluster of real processes", .serialized)
struct ClusterTests {
    /// A re-assignment seen under load, again as soon as clients have got through.
    @Test("ClusterClient sees no error while an empty shard changes its node 200 times", .timeLimit(.minutes(5)))
    func reassignment() async throws {
        let least = 200
        let cluster = try await LocalCluster(dataNodes: 2)
        let meta = MetaClient(options: MetaOptions(addresses: [cluster.meta]))
        let wish = KeyspaceWish(name: "default", scheme: SchemeParameters(kind: .hash, shards: 8), replicas: 1)
        guard case .keyspaceCreated(_, _, let shards) = try await meta.admin(.createKeyspace(wish, plan: false)) else {
            Issue.record("keyspace create was refused")
            return
        }
        let moving = try #require(shards.first?.id)
        let client = try await ClusterClient.connect(ClusterClientOptions(meta: [cluster.meta]))
        // Shards of a new keyspace serve a little after its creation is durable: the client waits that out.
        for number in 0..<64 { _ = try await client.get(Array("serving:\(number)".utf8)) }
        let keyspace = try #require(client.routes.keyspace(named: "default")).id
        let keys = (0..<4000).map { Array("key:\($0)".utf8) }
        let empty = keys.filter { client.routes.locate($0, in: keyspace)?.id == moving }
        let others = keys.filter { client.routes.locate($0, in: keyspace)?.id != moving }
        try #require(empty.count > 100 && others.count > 1000)

        let fetchesBefore = client.routeFetches
        var changes = 0
        do {
            _ = try await Self.operations(of: client, reading: empty, writing: others) { progress in
                // A shard may be given on before it has served: where the disk is slow it would never serve at all.
                while changes < least {
                    try await meta.giveOn(moving)
                    changes += 1
                    guard await progress.passes(changes) else { break }
                }
                #expect(progress.count >= least, "every change is seen by an operation")
            }
        } catch {
            Issue.record("\(error)\n\(cluster.lastWords)")
        }
        let fetches = client.routeFetches - fetchesBefore
        #expect(fetches <= changes)
        #expect(client.routes.shard(moving)?.epoch.rawValue ?? 0 > changes / 2, "the client followed")
        await client.close()
        await meta.close()
        #expect(cluster.stop() == [0, 0, 0], "exit codes after SIGTERM")
    }

    /// What a minute without metasrv does to other clients, the process tests show.
    @Test("ClusterClient works on without any metasrv", .timeLimit(.minutes(5)))
    func withoutMetasrv() async throws {
        let cluster = try await LocalCluster(dataNodes: 2)
        let meta = MetaClient(options: MetaOptions(addresses: [cluster.meta]))
        let wish = KeyspaceWish(name: "default", scheme: SchemeParameters(kind: .hash, shards: 8), replicas: 1)
        _ = try await meta.admin(.createKeyspace(wish, plan: false))
        await meta.close()
        let client = try await ClusterClient.connect(ClusterClientOptions(meta: [cluster.meta]))
        let keys = (0..<2000).map { Array("key:\($0)".utf8) }
        for key in keys { try await client.set(key, to: key) }
        cluster.kill(0)
        let isReachable = try? await ClusterClient.connect(ClusterClientOptions(meta: [cluster.meta]))
        #expect(isReachable == nil)
        let fetches = client.routeFetches
        let operations = try await Self.operations(of: client, reading: [Array("absent".utf8)], writing: keys) { _ in
            for key in keys {
                let value = try await client.get(key)
                #expect(value != nil)
            }
        }
        #expect(operations > 0)
        #expect(client.routeFetches == fetches, "nobody asked for routes that are known")
        await client.close()
    }

    /// Reads and writes of four workers until the work beside them is done; gives their number, or the first error.
    private static func operations(
        of client: ClusterClient, reading empty: [[UInt8]], writing others: [[UInt8]],
        beside work: (Progress) async throws -> Void
    ) async throws -> Int {
        let progress = Progress()
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for worker in 0..<4 {
                tasks.addTask {
                    var operations = 0
                    while !progress.isOver.load(ordering: .relaxed) {
                        #expect(try await client.get(empty[(operations * 7 + worker) % empty.count]) == nil)
                        let written = others[(operations * 4 + worker) % others.count]
                        _ = try await client.set(written, to: Array("\(operations)".utf8))
                        operations += 1
                        progress.operations.wrappingAdd(1, ordering: .relaxed)
                    }
                }
            }
            do {
                // The workers end by this alone, also when a change is refused.
                defer { progress.isOver.store(true, ordering: .relaxed) }
                try await work(progress)
            }
            try await tasks.waitForAll()
        }
        return progress.count
    }

    /// How far the workers are.
    private final class Progress: Sendable {
        let isOver = Atomic(false)
        let operations = Atomic(0)
        var count: Int { operations.load(ordering: .relaxed) }

        /// Whether so many operations are done, now or within half a minute.
        func passes(_ number: Int) async -> Bool {
            for _ in 0..<15_000 {
                if count >= number { return true }
                try? await Task.sleep(for: .milliseconds(2))  // poll: an operation is done
            }
            return false
        }
    }
}
