import ClusterModel
import Foundation
import Glibc
import Testing

@testable import NodeRuntime

/// The data ports over real sockets.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ReactorTests {
    static func set(_ key: String, _ value: String) -> String {
        "*3\r\n$3\r\nSET\r\n$\(key.utf8.count)\r\n\(key)\r\n$\(value.utf8.count)\r\n\(value)\r\n"
    }

    static func get(_ key: String) -> String { "*2\r\n$3\r\nGET\r\n$\(key.utf8.count)\r\n\(key)\r\n" }

    static var residentBytes: Int {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        return (Int(text.split(separator: " ").dropFirst().first ?? "0") ?? 0) * 4096
    }

    @Test func `a long pipeline is answered whole and in order`() throws {
        let host = try ReactorHost()
        let client = try PlainClient(host.address)
        let count = 5000
        let requests = (0..<count).map { Self.set("k\($0)", "v\($0)") + Self.get("k\($0)") }.joined()
        let expected = (0..<count).map { "+OK\r\n$\("v\($0)".utf8.count)\r\nv\($0)\r\n" }.joined()
        let sender = Thread { client.send(requests) }
        sender.start()
        #expect(client.text(expected.utf8.count) == expected)
    }

    @Test func `a command cut at any byte is answered`() throws {
        let host = try ReactorHost()
        let client = try PlainClient(host.address)
        for byte in Self.set("cut", "here").utf8 {
            client.send([byte])
            usleep(200)  // poll: one byte a read; the outcome does not hang on it
        }
        client.send(Self.get("cut"))
        #expect(client.text(15) == "+OK\r\n$4\r\nhere\r\n")
    }

    @Test func `a malformed request is refused behind the replies before it`() throws {
        let host = try ReactorHost()
        let client = try PlainClient(host.address)
        client.send(Self.set("a", "b") + "*1\r\n!4\r\nPING\r\n" + Self.set("a", "c"))
        #expect(client.rest() == "+OK\r\n-ERR Protocol error: expected '$', got '!'\r\n")
        let other = try PlainClient(host.address)
        other.send(Self.get("a"))
        #expect(other.text(7) == "$1\r\nb\r\n")
    }

    @Test func `HTTP is closed without an answer`() throws {
        let host = try ReactorHost()
        let client = try PlainClient(host.address)
        client.send("POST / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(client.rest() == "")
    }

    @Test func `one client too many is told so, and its place is free again later`() throws {
        let host = try ReactorHost(maxClients: 2)
        var clients = try (0..<2).map { _ in try PlainClient(host.address) }
        for client in clients {
            client.send(Self.set("a", "b"))
            #expect(client.text(5) == "+OK\r\n")
        }
        let refused = try PlainClient(host.address)
        #expect(refused.rest() == "-ERR max number of clients reached\r\n")
        clients.removeLast()
        let limit = Date(timeIntervalSinceNow: 10)
        var answer = ""
        while answer != "+OK\r\n", Date() < limit {
            let next = try PlainClient(host.address)
            next.send(Self.set("a", "b"))
            answer = next.text(5)
        }
        #expect(answer == "+OK\r\n")
    }

    @Test func `who does not read is closed at the output bound, and others do not notice`() throws {
        let host = try ReactorHost()
        let client = try PlainClient(host.address)
        let value = String(repeating: "x", count: 8 << 20)
        client.send(Self.set("big", value))
        #expect(client.text(5) == "+OK\r\n")
        let before = Self.residentBytes
        let lazy = try PlainClient(host.address)
        lazy.send(String(repeating: Self.get("big"), count: 40))
        let began = Date()
        client.send(Self.set("a", "b"))
        #expect(client.text(5) == "+OK\r\n")
        #expect(Date().timeIntervalSince(began) < 2)
        let limit = Date(timeIntervalSinceNow: 10)
        while Date() < limit, Self.residentBytes - before > 128 << 20 {
            usleep(10_000)  // poll: memory is given back
        }
        // Forty values of 8 MiB were asked for. Other tests of this process may hold something, too.
        #expect(Self.residentBytes - before < 128 << 20)
        var total = 0
        while let more = lazy.receive(1 << 20), !more.isEmpty { total += more.count }
        #expect(total < 80 << 20)
    }

    @Test func `a flood of one client does not stall another`() throws {
        let host = try ReactorHost()
        let flood = try PlainClient(host.address)
        let requests = Array(String(repeating: Self.set("f", "v"), count: 200_000).utf8)
        let reader = Thread { _ = flood.receive(exactly: 200_000 * 5) }
        let sender = Thread { flood.send(requests) }
        reader.start()
        sender.start()
        let client = try PlainClient(host.address)
        var slowest = 0.0
        for index in 0..<50 {
            let began = Date()
            client.send(Self.set("s", "\(index)"))
            #expect(client.text(5) == "+OK\r\n")
            slowest = max(slowest, Date().timeIntervalSince(began))
        }
        #expect(slowest < 2)
    }

    @Test func `declared lengths and slow senders take no memory`() throws {
        let host = try ReactorHost()
        let first = try PlainClient(host.address)
        first.send(Self.set("a", "b"))
        #expect(first.text(5) == "+OK\r\n")
        let before = Self.residentBytes
        let clients = try (0..<300).map { _ in try PlainClient(host.address) }
        for piece in ["*3\r\n$3\r\n", "SET\r\n", "$1\r\nk\r\n$536870912\r\n", "xxx"] {
            for client in clients { client.send(piece) }
            first.send(Self.get("a"))
            #expect(first.text(7) == "$1\r\nb\r\n")
        }
        // 150 GiB were declared. Other tests of this process may hold something, too.
        #expect(Self.residentBytes - before < 256 << 20)
    }

    @Test func `a gateway forwards to the node that has the shard, and keeps the order`() throws {
        let hosts = try ReactorHost.pair()
        let clients = try hosts.map { try PlainClient($0.address) }
        let count = 300
        let writes = (0..<count).map { Self.set("k\($0)", "v\($0)") }.joined()
        let reads = (0..<count).map { Self.get("k\($0)") }.joined()
        let values = (0..<count).map { "$\("v\($0)".utf8.count)\r\nv\($0)\r\n" }.joined()
        clients[0].send(writes + reads)
        #expect(clients[0].text(count * 5) == String(repeating: "+OK\r\n", count: count))
        #expect(clients[0].text(values.utf8.count) == values)
        clients[1].send(reads)
        #expect(clients[1].text(values.utf8.count) == values)
    }

    /// A node that hangs takes connections: what waits for its first word has not left, so that it is known not to have run.
    @Test func `a write that waits for the welcome of a node has not been sent`() throws {
        let host = try ReactorHost.besideHung()
        let client = try PlainClient(host.address)
        client.send(Self.set("bar", "b"))
        let refusal = "-TRYAGAIN no serving primary for this shard just now\r\n"
        #expect(client.text(refusal.utf8.count) == refusal)
    }

    @Test func `a bound port takes connections once it listens`() throws {
        let bound = try Socket.bound(to: Address(host: "127.0.0.1", port: 0))
        defer { Socket.close(bound) }
        let address = Socket.localAddress(bound)
        #expect(throws: (any Error).self) { try PlainClient(address) }
        try Socket.listen(bound)
        _ = try PlainClient(address)
        #expect(throws: SocketError.self) { try Socket.bound(to: address) }
    }

    @Test func `a stop answers what was sent, and ends`() throws {
        let host = try ReactorHost()
        let client = try PlainClient(host.address)
        client.send(Self.set("a", "b"))
        #expect(client.text(5) == "+OK\r\n")
        host.stop()
        #expect(host.ends())
    }
}
