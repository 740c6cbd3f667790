import ClusterModel
import Dispatch
import Foundation
import Logging
import Wire

@testable import NodeRuntime

/// A directory for a metadata log, removed with this object.
final class LogDirectory: Sendable {
    let path = NSTemporaryDirectory() + "ostraka-meta-\(UUID().uuidString)"
    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A metasrv in this process, over a real log and a real port.
final class RunningMeta: Sendable {
    struct NotReady: Error {}

    let host: MetaHost
    private let ended = DispatchSemaphore(value: 0)

    /// Starts it and waits, at most 20 s, until its role is decided.
    init(
        _ id: String, _ directory: LogDirectory, at address: Address = Address(host: "127.0.0.1", port: 0),
        takeover: Int = 1000,
        secret: String? = nil, withHTTP: Bool = false
    ) throws {
        var settings = MetaHostSettings(id: id, listen: address, log: directory.path)
        settings.takeoverMillis = takeover
        settings.secret = secret.map { Array($0.utf8) }
        if withHTTP { settings.http = Address(host: "127.0.0.1", port: 0) }
        let decided = DispatchSemaphore(value: 0)
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        let host = try MetaHost(settings, logger: logger, ready: { decided.signal() })
        self.host = host
        let ended = ended
        Thread { [host] in
            host.runUntilStopped()
            ended.signal()
        }.start()
        guard decided.wait(timeout: .now() + 20) == .success else {
            host.stop()
            throw NotReady()
        }
    }

    /// Stops it and waits until it has.
    func stop() -> Bool {
        host.stop()
        return ended.wait(timeout: .now() + 10) == .success
    }

    func connect() throws -> MetaPort { MetaPort(try PlainClient(host.address)) }
}

/// A connection to a metasrv that asks and waits.
struct MetaPort {
    struct Silence: Error {}

    let client: PlainClient
    private var parser = ReplyParser()

    init(_ client: PlainClient) { self.client = client }

    mutating func next() throws -> RESPValue {
        while true {
            if let value = try parser.next() { return value }
            guard let bytes = client.receive(), !bytes.isEmpty else { throw Silence() }
            parser.append(bytes)
        }
    }

    func send(_ arguments: [[UInt8]]) {
        var buffer = ClusterModel.ByteBuffer()
        RESPRequestWriter.command(arguments, into: &buffer)
        client.send(buffer.view.array)
    }

    mutating func ask(_ arguments: String...) throws -> RESPValue {
        send(arguments.map { Array($0.utf8) })
        return try next()
    }

    /// The answer's JSON document.
    mutating func ask<Answer: Decodable>(_ answer: Answer.Type, _ arguments: String...) throws -> Answer {
        send(arguments.map { Array($0.utf8) })
        return try Self.document(answer, try next())
    }

    /// Sends a JSON document; the answer is another.
    mutating func tell<Answer: Decodable>(
        _ answer: Answer.Type, _ name: String, _ document: some Encodable
    ) throws -> Answer {
        send([Array(name.utf8), Array(try JSONEncoder().encode(document))])
        return try Self.document(answer, try next())
    }

    static func document<Answer: Decodable>(_ answer: Answer.Type, _ value: RESPValue) throws -> Answer {
        guard case .bulkString(let bytes) = value else { throw NoDocument(value: value) }
        return try JSONDecoder().decode(answer, from: Data(bytes))
    }

    struct NoDocument: Error { var value: RESPValue }
}

/// The text of an error reply; nil for any other.
func errorText(_ value: RESPValue) -> String? {
    if case .error(let line) = value { return String(decoding: line, as: UTF8.self) }
    return nil
}

/// A data node that says it lives.
func beat(_ name: String, number: UInt64, version: RouteVersion = .zero, cluster: UniqueID? = nil) -> Heartbeat {
    func address(_ port: Int) -> Address { Address(host: "127.0.0.1", port: port) }
    return Heartbeat(
        cluster: cluster,
        node: Node(
            id: NodeID(rawValue: name), store: UniqueID(high: number, low: number), boot: BootNonce(rawValue: number),
            address: address(7501), gateway: address(7502), peer: address(7503), zone: "", host: name, weight: 1),
        routeVersion: version, shards: [])
}
