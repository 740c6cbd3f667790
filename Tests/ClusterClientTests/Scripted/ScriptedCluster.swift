import ClusterClient
import ClusterModel
import Foundation
import Synchronization

/// A cluster played by the test: one metasrv, data nodes d1 and d2, and a keyspace of one shard, or of two that share the
/// slots half and half. What the data nodes answer is each test's matter.
final class ScriptedCluster: Sendable {
    let meta: ScriptedServer
    /// d1 and d2.
    let nodes: [ScriptedServer]
    private let map: Mutex<RouteDelta>

    static let keyspace = Keyspace(
        id: KeyspaceID(rawValue: 1), name: "default", scheme: SchemeParameters(kind: .hash, shards: 2),
        policy: ReplicationPolicy(replicas: 1))

    /// Every shard begins in epoch 1; shard n lies on node d`n`.
    init(shards: Int = 1, _ first: @escaping ScriptedServer.Script, _ second: @escaping ScriptedServer.Script)
        async throws
    {
        nodes = [try await ScriptedServer(first), try await ScriptedServer(second)]
        let infos = nodes.enumerated().map { index, server in
            Node(
                id: NodeID(rawValue: "d\(index + 1)"), store: UniqueID(high: 3, low: UInt64(index)),
                boot: BootNonce(rawValue: UInt64(index) + 1), address: server.address, gateway: server.address,
                peer: server.address, zone: "", host: "", weight: 1)
        }
        let start = RouteDelta(
            cluster: UniqueID(high: 7, low: 7), since: .zero, version: RouteVersion(rawValue: 1),
            keyspaces: [Self.keyspace],
            shards: (1...shards).map { Self.shard($0, of: shards, on: $0, epoch: 1) }, nodes: infos)
        meta = try await ScriptedServer { _ in .hangUp }
        map = Mutex(start)
        meta.follow { [weak self] _ in self?.routes ?? .hangUp }
    }

    /// The answer to META.ROUTES: the whole map.
    var routes: ScriptedServer.Step {
        let map = map.withLock { $0 }
        guard let text = try? JSONEncoder().encode(map) else { return .hangUp }
        return .bulk(String(decoding: text, as: UTF8.self))
    }

    /// The metadata group changes a shard.
    func publish(_ shard: ShardConfiguration) {
        map.withLock { map in
            map.version = RouteVersion(rawValue: map.version.rawValue + 1)
            map.shards.removeAll { $0.id == shard.id }
            map.shards.append(shard)
        }
    }

    static func shard(_ number: Int, of shards: Int = 1, on node: Int, epoch: UInt64) -> ShardConfiguration {
        let width = 16384 / shards
        return ShardConfiguration(
            id: ShardID(rawValue: UInt64(number)), keyspace: keyspace.id, epoch: Epoch(rawValue: epoch),
            range: .slots(from: UInt16((number - 1) * width), to: UInt16(number * width)), policy: keyspace.policy,
            members: [Member(node: NodeID(rawValue: "d\(node)"), incarnation: .first)],
            proposal: Proposal(proposer: "test", request: epoch), primaryBoot: BootNonce(rawValue: UInt64(node)))
    }

    /// What a node answers that holds another configuration than the stamp's.
    static func stale(_ configuration: ShardConfiguration) -> ScriptedServer.Step {
        var buffer = ClusterModel.ByteBuffer()
        configuration.encode(into: &buffer)
        let hint = Base64.encode(buffer.view.array)
        return .say("-STALE \(configuration.id) \(configuration.epoch) \(hint)\r\n")
    }

    /// A client of it; waits between tries are short.
    func client(_ change: (inout ClusterClientOptions) -> Void = { _ in }) async throws -> ClusterClient {
        var options = ClusterClientOptions(
            meta: [meta.address], timeout: .seconds(30),
            backoff: RetryBackoff(base: .milliseconds(1), factor: 2, cap: .milliseconds(4)))
        change(&options)
        return try await ClusterClient.connect(options)
    }

    /// How many requests of a command the data nodes have received.
    func count(of command: String) -> Int {
        nodes.reduce(0) { $0 + $1.requests.filter { $0.command.first == command }.count }
    }
}

/// The key of a GET comes back as its value, so that a reply in the wrong place shows.
func echo(_ request: ScriptedServer.Request) -> ScriptedServer.Step {
    request.command.first == "GET" ? .bulk(request.command[1]) : .say("+OK\r\n")
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
