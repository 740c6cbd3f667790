public import ClusterModel
internal import FoundationEssentials
internal import Wire

extension MetaClient {
    /// META.STATUS of one metasrv, primary or standby.
    public func status(of address: Address) async throws(MetaClientError) -> MetaStatus {
        try JSONText.decode(await send([Array("META.STATUS".utf8)], to: address))
    }

    /// META.STATUS of every address this client was given, in that order; nil where none answered.
    public func statuses() async -> [(address: Address, status: MetaStatus?)] {
        await withTaskGroup(of: (Int, MetaStatus?).self) { tasks in
            for (index, address) in addresses.enumerated() {
                tasks.addTask { (index, try? await self.status(of: address)) }
            }
            var answers = [MetaStatus?](repeating: nil, count: addresses.count)
            for await (index, status) in tasks { answers[index] = status }
            return addresses.indices.map { (addresses[$0], answers[$0]) }
        }
    }

    /// META.ROUTES: what changed in the shard map since a version; `zero` asks for the whole map.
    public func routes(since version: RouteVersion) async throws(MetaClientError) -> RouteDelta {
        let arguments = [Array("META.ROUTES".utf8), Array(version.description.utf8)]
        return try JSONText.decode(await send(arguments, isRepeatable: true))
    }

    /// META.ADMIN: an operator's request. Requests that change something are sent once.
    public func admin(_ request: AdminRequest) async throws(MetaClientError) -> AdminAnswer {
        let arguments = [Array("META.ADMIN".utf8), try JSONText.encode(request)]
        return try JSONText.decode(await send(arguments, isRepeatable: request.changesNothing))
    }

    /// META.RECONFIGURE: a compare-and-set of one shard's configuration. Safe to repeat, since the configuration
    /// carries proposer and request number (RULES B10).
    public func reconfigure(_ request: ReconfigureRequest) async throws(MetaClientError) -> ReconfigureAnswer {
        let arguments = [Array("META.RECONFIGURE".utf8), try JSONText.encode(request)]
        return try JSONText.decode(await send(arguments, isRepeatable: true))
    }

    /// META.HEARTBEAT: a data node's beat. Safe to repeat.
    public func heartbeat(_ beat: Heartbeat) async throws(MetaClientError) -> HeartbeatAnswer {
        let arguments = [Array("META.HEARTBEAT".utf8), try JSONText.encode(beat)]
        return try JSONText.decode(await send(arguments, isRepeatable: true))
    }

    /// The newest entries of the shared log, oldest first.
    public func log(count: Int) async throws(MetaClientError) -> [LogEntryInfo] {
        switch try await admin(.logTail(count: count)) {
        case .log(let items): return items
        case .failed(let code, let message):
            throw .refused(ServerError(code: code.rawValue.uppercased(), message: message))
        default: throw .malformed("META.ADMIN logTail got another request's answer")
        }
    }
}

extension AdminRequest {
    /// Whether it only looks, or only plans.
    public var changesNothing: Bool {
        switch self {
        case .listKeyspaces, .listShards, .listNodes, .status, .logTail: true
        case .createKeyspace(_, let plan), .setKeyspace(_, _, let plan), .dropKeyspace(_, let plan),
            .setWeight(_, _, let plan), .setMaintenance(_, _, let plan), .setDraining(_, _, let plan),
            .promote(_, _, let plan),
            .removeNode(_, let plan):
            plan
        }
    }
}

/// JSON documents as the metadata group's bulk strings carry them.
enum JSONText {
    static func encode(_ value: some Encodable) throws(MetaClientError) -> [UInt8] {
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return Array(try encoder.encode(value))
        } catch {
            throw .malformed("a request that JSON cannot hold: \(error)")
        }
    }

    static func decode<Value: Decodable>(_ reply: RESPValue) throws(MetaClientError) -> Value {
        guard let bytes = reply.stringBytes else { throw .malformed("not a bulk string") }
        do {
            return try JSONDecoder().decode(Value.self, from: Data(bytes))
        } catch {
            throw .malformed("\(error)")
        }
    }
}
