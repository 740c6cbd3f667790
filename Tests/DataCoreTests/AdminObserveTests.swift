import ClusterModel
import Testing

@testable import DataCore

@Suite("Statistics") struct AdminObserveTests {
    @Test func everySectionThatClientsRead() {
        let node = AdminNode()
        let client = node.open(.cluster)
        node.call(client, ["set", "k", "v"], ["get", "k"])
        let text = node.call(client, ["info"])
        for part in [
            "# Server\r\nredis_version:7.0.15\r\nostraka_version:", "redis_mode:cluster\r\n", "tcp_port:7511\r\n",
            "# Clients\r\nconnected_clients:1\r\n", "\r\n\r\n# Memory\r\nused_memory:",
            "\r\n\r\n# Persistence\r\nloading:0\r\n",
            "keyspace_hits:1\r\n", "role:master\r\n", "# CPU\r\nused_cpu_sys:0.000000\r\n", "cluster_enabled:1\r\n",
            "# Keyspace\r\ndb0:keys=1,expires=0,avg_ttl=0\r\n", "# Errorstats\r\n", "# Ostraka\r\nnode_id:d1\r\n",
            "route_version:1\r\n", "shards_serving:2\r\n", "log_lag_records:0\r\n",
        ] {
            #expect(text.contains(part), "\(part) in \(text)")
        }
        #expect(!text.contains("# Commandstats"))
        let gateway = node.call(node.open(), ["info", "cluster", "SERVER", "nosuch"])
        #expect(gateway.contains("redis_mode:standalone\r\n") && gateway.contains("cluster_enabled:0\r\n"))
        #expect(!gateway.contains("# Clients"))
        #expect(node.call(client, ["info", "nosuch"]) == "$0\r\n\r\n")
        #expect(node.call(client, ["info", "everything"]).contains("cmdstat_info:calls=4,"))
    }

    /// From the start of the process, not of the machine, and whatever is reset.
    @Test func uptime() {
        let node = AdminNode()
        let client = node.open()
        node.advance(millis: 5000)
        #expect(node.call(client, ["info", "server"]).contains("uptime_in_seconds:5\r\n"))
        node.call(client, ["config", "resetstat"])
        node.advance(millis: 2000)
        #expect(node.call(client, ["info", "server"]).contains("uptime_in_seconds:7\r\n"))
    }

    @Test func errorsByWordAndCommand() {
        let node = AdminNode()
        let client = node.open()
        node.call(client, ["nosuch"], ["ping", "a", "b"], ["hello", "9"], ["echo"], ["select", "7"])
        let text = node.call(client, ["info", "errorstats", "commandstats"])
        #expect(text.contains("errorstat_ERR:count=4\r\nerrorstat_NOPROTO:count=1\r\n"))
        #expect(text.contains("cmdstat_hello:calls=1,usec=0,usec_per_call=0.00,rejected_calls=0,failed_calls=1\r\n"))
        #expect(text.contains("cmdstat_echo:calls=0,usec=0,usec_per_call=0.00,rejected_calls=1,failed_calls=0\r\n"))
        #expect(node.report().totalErrors == 5)
    }

    /// A command that waits for a row and is tried again is one command.
    @Test func retriesAreNotCountedTwice() throws {
        let node = AdminNode()
        node.call(node.open(), ["object", "encoding", "k"])
        let command = try #require(node.report().commands.first { $0.name == "object|encoding" })
        #expect(command.calls == 1)
    }

    @Test func latenciesAreSharedOut() throws {
        let node = AdminNode()
        let client = node.open()
        _ = node.call(client, [["echo", "v"], ["echo", "v"], ["ping"]], nanoseconds: 30_000)
        _ = node.call(client, [["ping"]], nanoseconds: 900)
        let report = node.report()
        let echo = try #require(report.commands.first { $0.name == "echo" })
        #expect((echo.calls, echo.nanoseconds) == (2, 20_000))
        #expect(echo.latencies[4] == 2 && echo.latencies.reduce(0, +) == 2)
        let ping = try #require(report.commands.first { $0.name == "ping" })
        #expect(ping.latencies[0] == 1 && ping.latencies[4] == 1)
        #expect(report.latencyBounds[4] == 16)
    }

    @Test func idleTimeIsSinceTheLastUse() {
        let node = AdminNode()
        let client = node.open()
        node.call(client, ["set", "k", "v"])
        node.advance(millis: 5000)
        #expect(node.call(client, ["object", "idletime", "k"], ["object", "idletime", "k"]) == ":5\r\n:5\r\n")
        node.call(client, ["get", "k"])
        #expect(node.call(client, ["object", "idletime", "k"]) == ":0\r\n")
    }

    @Test(arguments: [(0, 0), (1000, 0), (1001, 1), (2000, 1), (2001, 2), (16_000, 4), (16_001, 5), (.max, 25)])
    func buckets(nanoseconds: UInt64, bucket: Int) { #expect(LatencyTable.bucket(of: nanoseconds) == bucket) }

    @Test func slowLogKeepsWhatTookLong() {
        let node = AdminNode()
        let client = node.open()
        node.call(client, ["client", "setname", "me"])
        _ = node.call(client, [["set", "k", "quick"]], nanoseconds: 9_999_999)
        _ = node.call(client, [["set", "k", String(repeating: "x", count: 130)]], nanoseconds: 12_345_678)
        let cut = String(repeating: "x", count: 128) + "... (2 more bytes)"
        let text = node.call(client, ["slowlog", "get"])
        #expect(
            text.hasPrefix(
                "*1\r\n*6\r\n:0\r\n:1700000000\r\n:12345\r\n*3\r\n$3\r\nset\r\n$1\r\nk\r\n$146\r\n\(cut)\r\n$"),
            "\(text)")
        #expect(text.hasSuffix("$2\r\nme\r\n"))
        #expect(
            node.call(client, ["slowlog", "len"], ["slowlog", "reset"], ["slowlog", "len"]) == ":1\r\n+OK\r\n:0\r\n")
    }

    @Test func slowLogBoundsAndSecrets() {
        let node = AdminNode(password: "secret")
        let client = node.open()
        node.call(client, ["auth", "secret"])
        node.call(client, ["config", "set", "slowlog-log-slower-than", "0", "slowlog-max-len", "2"])
        _ = node.call(client, [["ping"]], nanoseconds: 5000)
        _ = node.call(client, [["auth", "secret"]], nanoseconds: 5000)
        _ = node.call(client, [["config", "get"] + (0..<40).map { "k\($0)" }], nanoseconds: 5000)
        let text = node.call(client, ["slowlog", "get", "-1"])
        #expect(text.hasPrefix("*2\r\n") && !text.contains("secret") && text.contains("(redacted)"), "\(text)")
        #expect(text.contains("$3\r\nk28\r\n$23\r\n... (11 more arguments)\r\n"))
        node.call(client, ["config", "set", "slowlog-log-slower-than", "-1"])
        _ = node.call(client, [["ping"]], nanoseconds: 50_000_000)
        #expect(node.call(client, ["slowlog", "get", "1"]).contains("k28"))
    }

    @Test func settingsThatChange() {
        let node = AdminNode()
        let client = node.open()
        #expect(node.call(client, ["config", "set", "maxclients", "1", "cache", "2000000"]) == "+OK\r\n")
        #expect(node.call(client, ["config", "get", "cache"]) == "*2\r\n$5\r\ncache\r\n$7\r\n2000000\r\n")
        #expect(!node.admitsClient())
        #expect(node.report().rejectedConnections == 1)
        #expect(node.report().cacheBytes == 2_000_000)
    }

    @Test func report() throws {
        let node = AdminNode()
        node.isLogQuick = false
        node.call(node.open(), ["set", "k", "v"])
        let report = node.report()
        #expect(report.shards.map(\.id.rawValue) == [1, 2])
        let shard = report.shards[1]
        #expect(shard.isServing && shard.keyspace == "default" && shard.epoch == Epoch(rawValue: 3))
        #expect(shard.last.rawValue == shard.commit.rawValue + 1)
        #expect(report.logTicket == report.durableTicket + 1)
        #expect(report.backlogBytes > 0 && report.batches == 1 && report.rows == 1 && report.clients == 1)
        node.sync()
        #expect(node.report().backlogBytes == 0)
    }
}
