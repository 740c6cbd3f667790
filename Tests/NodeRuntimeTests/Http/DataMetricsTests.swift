import ClusterModel
import Dispatch
import Foundation
import Logging
import Testing

@testable import NodeRuntime

@Suite(.timeLimit(.minutes(2))) struct DataMetricsTests {
    /// A datasrv in this process on a thread of its own.
    private final class RunningData: @unchecked Sendable {
        struct NotReady: Error {}
        let host: DataHost
        private let ended = DispatchSemaphore(value: 0)
        private let isReady = DispatchSemaphore(value: 0)

        init(_ directory: LogDirectory, meta: Address) throws {
            let free = Address(host: "127.0.0.1", port: 0)
            var settings = DataHostSettings(
                id: NodeID(rawValue: "d1"), directory: directory.path, listen: free, gateway: free, peer: free,
                meta: [meta])
            settings.http = free
            settings.cacheBytes = 16 << 20
            settings.maxClients = 100
            let isReady = isReady
            let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
            host = try DataHost(settings, logger: logger, ready: { isReady.signal() })
            Thread { [self] in
                host.runUntilStopped()
                ended.signal()
            }.start()
        }

        /// Waits until it is registered. The test's thread is given back meanwhile: beats need one.
        func waitUntilReady() async throws {
            for _ in 0..<3000 {
                if isReady.wait(timeout: .now()) == .success { return }
                try await Task.sleep(for: .milliseconds(10))  // poll: the node is registered, at most 30 s
            }
            host.stop()
            throw NotReady()
        }

        func stop() -> Bool {
            host.stop()
            return ended.wait(timeout: .now() + 10) == .success
        }
    }

    private func get(_ path: String, _ address: Address) throws -> (status: String, body: String) {
        let client = try PlainClient(address)
        client.send("GET \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        let answer = client.rest()
        return (String(answer.prefix(12)), answer.components(separatedBy: "\r\n\r\n").dropFirst().joined())
    }

    @Test func whatANodeDidIsReadByAStrictParser() async throws {
        let log = LogDirectory()
        let directory = LogDirectory()
        let meta = try RunningMeta("m1", log)
        let data = try RunningData(directory, meta: meta.host.address)
        try await data.waitUntilReady()
        let http = try #require(data.host.http)
        #expect(try get("/readyz", http).status == "HTTP/1.1 200")

        var port = try meta.connect()
        let wish = KeyspaceWish(name: "default", scheme: SchemeParameters(kind: .hash, shards: 2), replicas: 1)
        _ = try port.tell(AdminAnswer.self, "META.ADMIN", AdminRequest.createKeyspace(wish, plan: false))
        let node = try #require(try port.ask(RouteDelta.self, "META.ROUTES", "0").nodes.first)
        let client = try PlainClient(node.gateway)
        for _ in 0..<1000 {
            let shards = try ExpositionParser.parse(try get("/metrics", http).body)["ostraka_shard_serving"]
            if shards?.samples.map(\.value) == [1, 1] { break }
            try await Task.sleep(for: .milliseconds(10))  // poll: both shards serve, at most 10 s
        }
        client.send("SET a 1\r\n")
        #expect(client.text(5) == "+OK\r\n")
        client.send("GET a\r\nGET b\r\nGET\r\n")
        #expect(client.text(12) == "$1\r\n1\r\n$-1\r\n")

        let families = try ExpositionParser.parse(try get("/metrics", http).body)
        #expect(families["ostraka_commands_total"]?.value(["command": "get"]) == 2)
        #expect(families["ostraka_command_rejections_total"]?.value(["command": "get"]) == 1)
        let duration = families["ostraka_command_duration_seconds"]
        #expect(duration?.value(["command": "get"], name: "ostraka_command_duration_seconds_count") == 2)
        #expect(families["ostraka_keyspace_hits_total"]?.value() == 1)
        #expect(families["ostraka_keyspace_misses_total"]?.value() == 1)
        #expect(families["ostraka_errors_total"]?.value(["error": "ERR"]) == 1)
        #expect(families["ostraka_connections"]?.value() == 1)
        #expect(families["ostraka_shard_serving"]?.samples.count == 2)
        #expect(families["ostraka_registered"]?.value() == 1)
        let syncs = try #require(families["ostraka_log_fsync_seconds"]?.value(name: "ostraka_log_fsync_seconds_count"))
        #expect(syncs > 0)
        #expect(try #require(families["ostraka_log_bytes_total"]?.value()) > 0)
        #expect(families["ostraka_info"]?.samples.first?.labels["program"] == "datasrv")
        #expect(data.stop())
        #expect(meta.stop())
    }
}
