import ClusterModel
import Synchronization
import Testing

@testable import NodeRuntime

@Suite(.timeLimit(.minutes(1))) struct ObserveServerTests {
    private static let loopback = Address(host: "127.0.0.1", port: 0)

    private struct Response {
        var status: String
        var headers: String
        var body: String
    }

    private func ask(_ server: ObserveServer, _ request: String) throws -> Response {
        let client = try PlainClient(server.address)
        client.send("\(request)\r\nHost: x\r\nConnection: close\r\n\r\n")
        let parts = client.rest().split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
        let head = try #require(parts.first)
        let status = try #require(head.split(separator: "\r\n").first?.split(separator: " ").dropFirst().first)
        return Response(
            status: String(status), headers: head.lowercased(), body: parts.count > 1 ? String(parts[1]) : "")
    }

    @Test func answersWhatItHasAndRefusesTheRest() throws {
        let server = try ObserveServer(Self.loopback, notReady: { nil }, sources: [])
        defer { server.close() }
        #expect(try ask(server, "GET /healthz HTTP/1.1").status == "200")
        #expect(try ask(server, "GET /readyz?full=1 HTTP/1.1").body == "ready\n")
        #expect(try ask(server, "GET / HTTP/1.1").status == "404")
        #expect(try ask(server, "GET /../etc/passwd HTTP/1.1").status == "404")
        let posted = try ask(server, "POST /metrics HTTP/1.1")
        #expect(posted.status == "405")
        #expect(posted.headers.contains("allow: get, head"))
        let asked = try ask(server, "HEAD /healthz HTTP/1.1")
        #expect(asked.status == "200" && asked.body.isEmpty && asked.headers.contains("content-length: 3"))
    }

    @Test func readinessChanges() throws {
        let reason = Mutex<String?>("no routes yet")
        let server = try ObserveServer(Self.loopback, notReady: { reason.withLock { $0 } }, sources: [])
        defer { server.close() }
        let before = try ask(server, "GET /readyz HTTP/1.1")
        #expect(before.status == "503" && before.body == "not ready: no routes yet\n")
        #expect(try ask(server, "GET /healthz HTTP/1.1").status == "200")
        reason.withLock { $0 = nil }
        #expect(try ask(server, "GET /readyz HTTP/1.1").status == "200")
    }

    @Test func metricsAreReadByAStrictParser() throws {
        let hanging = MetricsSource { _ in }
        let twice = MetricsSource { done in
            done([MetricFamily("twice", .gauge, help: "Given twice.", 1)])
            done([MetricFamily("twice", .gauge, help: "Given twice.", 2)])
        }
        let server = try ObserveServer(
            Self.loopback, notReady: { nil }, sources: [hanging, ProcessMetrics.source, twice])
        defer { server.close() }
        let response = try ask(server, "GET /metrics HTTP/1.1")
        #expect(response.headers.contains("content-type: text/plain; version=0.0.4; charset=utf-8"))
        let families = try ExpositionParser.parse(response.body)
        #expect(families["twice"]?.value() == 1)
        #expect(try #require(families["process_resident_memory_bytes"]?.value()) > 1_048_576)
        #expect(try #require(families["process_cpu_seconds_total"]?.value()) > 0)
        #expect(try #require(families["process_open_fds"]?.value()) > 3)
    }

    @Test(arguments: ["\0\0\0\0\r\n\r\n", "GET\r\n\r\n", "*1\r\n$4\r\nPING\r\n", "GET /healthz HTTP/9.9\r\n\r\n"])
    func hostileBytesEndTheirConnectionAlone(_ bytes: String) throws {
        let server = try ObserveServer(Self.loopback, notReady: { nil }, sources: [])
        defer { server.close() }
        let client = try PlainClient(server.address)
        client.send(bytes)
        #expect(!client.rest().hasPrefix("HTTP/1.1 200"))
        #expect(try ask(server, "GET /healthz HTTP/1.1").status == "200")
    }

    @Test func aPortInUseIsToldInOneLine() throws {
        let server = try ObserveServer(Self.loopback, notReady: { nil }, sources: [])
        defer { server.close() }
        let error = #expect(throws: ObserveServer.BindError.self) {
            try ObserveServer(server.address, notReady: { nil }, sources: [])
        }
        let text = try #require(error?.description)
        #expect(text.contains("--http \(server.address)") && !text.contains("\n"))
    }
}
