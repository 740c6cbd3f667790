import ClusterClient
import ClusterModel
import Synchronization
import Testing

@Suite("A cluster of real processes", .serialized)
struct ClusterTests {
    /// Issue 3, item 8: a re-assignment seen under load, 200 times.
    @Test("ClusterClient sees no error while an empty shard changes its node 20 times", .timeLimit(.minutes(5)))
    func reassignment() async throws {
        let changes = 20
        let cluster = try await LocalCluster(dataNodes: 2)
        let meta = MetaClient(options: MetaOptions(addresses: [cluster.meta]))
        let wish = KeyspaceWish(name: "default", scheme: SchemeParameters(kind: .hash, shards: 8))
        guard case .keyspaceCreated(_, _, let shards) = try await meta.admin(.createKeyspace(wish, plan: false)) else {
            Issue.record("keyspace create was refused")
            return
        }
        let moving = try #require(shards.first?.id)
        let client = try await ClusterClient.connect(ClusterClientOptions(meta: [cluster.meta]))
        let observer = try await ClusterClient.connect(ClusterClientOptions(meta: [cluster.meta]))
        try await Self.untilServing(client)
        let keyspace = try #require(client.routes.keyspace(named: "default")).id
        let keys = (0..<4000).map { Array("key:\($0)".utf8) }
        let empty = keys.filter { client.routes.locate($0, in: keyspace)?.id == moving }
        let others = keys.filter { client.routes.locate($0, in: keyspace)?.id != moving }
        try #require(empty.count > 100 && others.count > 1000)

        let fetchesBefore = client.routeFetches
        let isOver = Flag()
        try await withThrowingTaskGroup(of: Int.self) { tasks in
            for worker in 0..<4 {
                tasks.addTask {
                    var operations = 0
                    while !isOver.isRaised.load(ordering: .relaxed) {
                        let read = empty[(operations * 7 + worker) % empty.count]
                        #expect(try await client.get(read) == nil)
                        let written = others[(operations * 4 + worker) % others.count]
                        _ = try await client.set(written, to: Array("\(operations)".utf8))
                        operations += 1
                    }
                    return operations
                }
            }
            for _ in 0..<changes {
                try await meta.giveOn(moving)
                // One change at a time: a request is tried five times, which many changes within one request exhaust.
                try await Self.untilServing(observer, empty[0])
            }
            isOver.isRaised.store(true, ordering: .relaxed)
            var operations = 0
            for try await count in tasks { operations += count }
            #expect(operations > changes, "\(operations) operations in \(changes) changes: too few to mean anything")
        }
        #expect(client.routeFetches - fetchesBefore <= changes)
        await client.close()
        await observer.close()
        await meta.close()
        #expect(cluster.stop() == [0, 0, 0], "exit codes after SIGTERM")
    }

    private final class Flag: Sendable {
        let isRaised = Atomic(false)
    }

    /// The new primary of a key's shard answers.
    private static func untilServing(_ client: ClusterClient, _ key: [UInt8]) async throws {
        for attempt in 0..<1000 {
            do {
                _ = try await client.get(key)
                return
            } catch {
                if attempt == 999 { throw error }
                try await Task.sleep(for: .milliseconds(2))  // poll: the shard is handed over
            }
        }
    }

    /// Shards of a new keyspace serve a little after its creation is durable.
    private static func untilServing(_ client: ClusterClient) async throws {
        for attempt in 0..<1000 {
            do {
                for number in 0..<64 { _ = try await client.get(Array("serving:\(number)".utf8)) }
                return
            } catch {
                if attempt == 999 { throw error }
                try await Task.sleep(for: .milliseconds(10))  // poll: every shard serves, at most 10 s
            }
        }
    }
}
