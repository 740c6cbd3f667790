import ClusterModel
import Foundation
import Logging
import Testing
import Wire

@testable import NodeRuntime

@Suite(.timeLimit(.minutes(2))) struct MetaHostTests {
    private static let wish = KeyspaceWish(
        name: "default", scheme: SchemeParameters(kind: .hash, shards: 4), replicas: 1)

    @Test func nodesRegisterAndKeyspacesAreMade() throws {
        let directory = LogDirectory()
        let meta = try RunningMeta("m1", directory)
        var port = try meta.connect()
        #expect(try port.ask("PING") == .simpleString(Array("PONG".utf8)))
        let answer = try port.tell(HeartbeatAnswer.self, "META.HEARTBEAT", beat("d1", number: 1))
        #expect(answer.refusal == nil)
        #expect(answer.delta?.nodes.map(\.id.rawValue) == ["d1"])
        let made = try port.tell(
            AdminAnswer.self, "META.ADMIN", AdminRequest.createKeyspace(Self.wish, plan: false))
        guard case .keyspaceCreated(_, let keyspace, let shards) = made else {
            Issue.record("not created: \(made)")
            return
        }
        #expect(keyspace.name == "default" && shards.count == 4)
        let routes = try port.ask(RouteDelta.self, "META.ROUTES", "0")
        #expect(routes.shards.count == 4 && routes.cluster == answer.cluster)
        #expect(routes.shards.allSatisfy { $0.members.map(\.node.rawValue) == ["d1"] })
        let status = try port.ask(MetaStatus.self, "META.STATUS")
        #expect(status.role == .primary && status.primary == meta.host.address)
        #expect(status.routeVersion == routes.version)
        #expect(meta.stop())
    }

    @Test func whatWasDoneIsThereAfterARestart() throws {
        let directory = LogDirectory()
        let first = try RunningMeta("m1", directory)
        var port = try first.connect()
        let founded = try port.tell(HeartbeatAnswer.self, "META.HEARTBEAT", beat("d1", number: 1))
        _ = try port.tell(AdminAnswer.self, "META.ADMIN", AdminRequest.createKeyspace(Self.wish, plan: false))
        let before = try port.ask(RouteDelta.self, "META.ROUTES", "0")
        #expect(first.stop())

        let second = try RunningMeta("m1", directory)
        var other = try second.connect()
        let after = try other.ask(RouteDelta.self, "META.ROUTES", "0")
        #expect(after.shards == before.shards && after.keyspaces == before.keyspaces)
        #expect(after.cluster == founded.cluster)
        let status = try other.ask(MetaStatus.self, "META.STATUS")
        #expect(status.role == .primary && status.term.rawValue == 2)
        #expect(second.stop())
    }

    @Test func watchersAreToldOfChanges() throws {
        let directory = LogDirectory()
        let meta = try RunningMeta("m1", directory)
        var watcher = try meta.connect()
        watcher.send([Array("META.WATCH".utf8), Array("0".utf8)])
        let first = try #require(try Self.delta(watcher.next()))
        #expect(first.nodes.isEmpty)
        var port = try meta.connect()
        _ = try port.tell(HeartbeatAnswer.self, "META.HEARTBEAT", beat("d1", number: 1))
        let second = try #require(try Self.delta(watcher.next()))
        #expect(second.since == first.version && second.nodes.map(\.id.rawValue) == ["d1"])
        _ = try port.tell(AdminAnswer.self, "META.ADMIN", AdminRequest.createKeyspace(Self.wish, plan: false))
        let third = try #require(try Self.delta(watcher.next()))
        #expect(third.since == second.version && third.shards.count == 4)
        #expect(meta.stop())
    }

    private static func delta(_ value: RESPValue) throws -> RouteDelta? {
        guard case .array(let parts) = value, parts.count == 2, parts[0] == .bulkString(Array("META.DELTA".utf8)) else {
            return nil
        }
        return try MetaPort.document(RouteDelta.self, parts[1])
    }

    @Test func aStandbyNamesThePrimary() throws {
        let directory = LogDirectory()
        let primary = try RunningMeta("m1", directory, takeover: 8000)
        let standby = try RunningMeta("m2", directory, takeover: 8000)
        var port = try standby.connect()
        let line = "NOTPRIMARY \(primary.host.address)"
        #expect(errorText(try port.ask("META.ROUTES", "0")) == line)
        #expect(errorText(try port.ask("META.WATCH", "0")) == line)
        port.send([Array("META.HEARTBEAT".utf8), Array(try JSONEncoder().encode(beat("d1", number: 1)))])
        #expect(errorText(try port.next()) == line)
        #expect(try port.ask("PING") == .simpleString(Array("PONG".utf8)))
        let status = try port.ask(MetaStatus.self, "META.STATUS")
        #expect(status.role == .standby && status.id == "m2" && status.primary == primary.host.address)
        guard case .bulkString(let info) = try port.ask("INFO") else {
            Issue.record("INFO gives no text")
            return
        }
        #expect(String(decoding: info, as: UTF8.self).contains("role:standby\r\n"))
        #expect(standby.stop())
        #expect(primary.stop())
    }

    @Test func nothingIsSaidWithoutTheSecret() throws {
        let directory = LogDirectory()
        let meta = try RunningMeta("m1", directory, secret: "s3cret")
        var port = try meta.connect()
        for command in ["PING", "INFO", "META.STATUS", "COMMAND"] {
            #expect(try #require(errorText(try port.ask(command))).hasPrefix("NOAUTH"))
        }
        #expect(try #require(errorText(try port.ask("META.ROUTES", "0"))).hasPrefix("NOAUTH"))
        #expect(try #require(errorText(try port.ask("AUTH", "s3creT"))).hasPrefix("WRONGPASS"))
        #expect(try #require(errorText(try port.ask("AUTH"))).hasPrefix("ERR wrong number"))
        #expect(try port.ask("AUTH", "s3cret") == .simpleString(Array("OK".utf8)))
        #expect(try port.ask(MetaStatus.self, "META.STATUS").role == .primary)
        // A wrong one later takes nothing away.
        #expect(try #require(errorText(try port.ask("AUTH", "default", "no"))).hasPrefix("WRONGPASS"))
        #expect(try port.ask("PING") == .simpleString(Array("PONG".utf8)))
        #expect(meta.stop())
    }

    @Test func malformedDocumentsAreRefusedByTheirField() throws {
        let directory = LogDirectory()
        let meta = try RunningMeta("m1", directory)
        var port = try meta.connect()
        let cases = [
            ("META.HEARTBEAT", "{", "META.HEARTBEAT"), ("META.HEARTBEAT", "{}", "node is missing"),
            ("META.HEARTBEAT", "\u{0}", "META.HEARTBEAT"),
            ("META.ADMIN", "{\"dropKeyspace\":{\"name\":7,\"plan\":false}}", "dropKeyspace.name"),
            ("META.ADMIN", "{\"explode\":{}}", "META.ADMIN"), ("META.RECONFIGURE", "{\"expected\":\"x\"}", "expected"),
            ("META.ROUTES", "now", "META.ROUTES takes one number"), ("META.ADMIN", "[]", "META.ADMIN"),
        ]
        for (command, document, reason) in cases {
            let line = try #require(errorText(try port.ask(command, document)))
            #expect(line.hasPrefix("ERR ") && line.contains(reason), "\(line)")
        }
        #expect(try #require(errorText(try port.ask("GET", "a"))).hasPrefix("ERR unknown command 'get'"))
        #expect(meta.stop())
    }

    @Test func pipelinedRequestsAreAnsweredInOrder() throws {
        let directory = LogDirectory()
        let meta = try RunningMeta("m1", directory)
        var port = try meta.connect()
        // More than may wait at once, so that reading pauses and goes on.
        let count = 5000
        var bytes = ClusterModel.ByteBuffer()
        for index in 0..<count {
            RESPRequestWriter.command([Array("PING".utf8), Array("\(index)".utf8)], into: &bytes)
            RESPRequestWriter.command([Array("META.STATUS".utf8)], into: &bytes)
        }
        let request = bytes.view.array
        let client = port.client
        Thread { client.send(request) }.start()
        for index in 0..<count {
            #expect(try port.next() == .bulkString(Array("\(index)".utf8)))
            _ = try MetaPort.document(MetaStatus.self, try port.next())
        }
        #expect(meta.stop())
    }

    @Test(arguments: [
        "*1000000000\r\n", "*2\r\n$-5\r\n", "*1\r\n$600000000\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\0\0\0\r\n",
        "*1\r\n$4\r\nQUIT\r\n*1\r\n$4\r\nPING\r\n", "*3\r\n$1\r\na\r\n:7\r\n", "+OK\r\n\"unbalanced\r\n",
    ])
    func hostileBytesEndTheirConnectionAlone(_ bytes: String) throws {
        let directory = LogDirectory()
        let meta = try RunningMeta("m1", directory)
        var other = try meta.connect()
        let hostile = try PlainClient(meta.host.address)
        hostile.send(bytes)
        // Whatever it is answered, it ends or waits; the others do not notice.
        #expect(try other.ask("PING") == .simpleString(Array("PONG".utf8)))
        if bytes.contains("QUIT") { #expect(hostile.rest() == "+OK\r\n") }
        #expect(meta.stop())
    }

    @Test func aPortInUseAndADamagedLogAreToldInOneLine() throws {
        let directory = LogDirectory()
        let meta = try RunningMeta("m1", directory)
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let taken = MetaHostSettings(id: "m2", listen: meta.host.address, log: directory.path)
        #expect {
            try MetaHost(taken, logger: logger, ready: {})
        } throws: { error in
            "\(error)".contains("cannot listen on --listen \(meta.host.address): Address already in use")
        }
        #expect(meta.stop())

        let file = LogDirectory()
        #expect(FileManager.default.createFile(atPath: file.path, contents: Data("x".utf8)))
        let blocked = MetaHostSettings(id: "m1", listen: Address(host: "127.0.0.1", port: 0), log: file.path + "/log")
        #expect {
            try MetaHost(blocked, logger: logger, ready: {})
        } throws: { error in
            "\(error)".contains("the metadata log cannot be opened") && !"\(error)".contains("\n")
        }
    }

    @Test func itsMetricsAreReadByAStrictParser() throws {
        let directory = LogDirectory()
        let meta = try RunningMeta("m1", directory, withHTTP: true)
        var port = try meta.connect()
        _ = try port.tell(HeartbeatAnswer.self, "META.HEARTBEAT", beat("d1", number: 1))
        _ = try port.tell(AdminAnswer.self, "META.ADMIN", AdminRequest.createKeyspace(Self.wish, plan: false))
        let http = try PlainClient(try #require(meta.host.http))
        http.send("GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        let body = try #require(http.rest().components(separatedBy: "\r\n\r\n").last)
        let families = try ExpositionParser.parse(body)
        #expect(families["ostraka_meta_primary"]?.value() == 1)
        #expect(families["ostraka_meta_nodes"]?.value() == 1)
        #expect(families["ostraka_meta_shards"]?.value() == 4)
        #expect(families["ostraka_meta_requests_total"]?.value(["command": "meta.heartbeat"]) == 1)
        #expect(try #require(families["ostraka_meta_log_position"]?.value()) > 2)
        let ready = try PlainClient(try #require(meta.host.http))
        ready.send("GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        #expect(ready.rest().hasPrefix("HTTP/1.1 200"))
        #expect(meta.stop())
    }
}
