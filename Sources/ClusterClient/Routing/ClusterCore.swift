internal import ClusterModel
internal import NIOCore
internal import NIOPosix
internal import Wire

/// What all handles of one client share: routes, connections, retry budget.
final class ClusterCore: Sendable {
    let options: ClusterClientOptions
    let meta: MetaClient
    let routes: RouteCache
    let budget: RetryBudget
    /// To the cluster ports.
    let nodes: ConnectionPool
    /// To the gateway ports, for what spans shards.
    let gateways: ConnectionPool

    init(options: ClusterClientOptions, group: any EventLoopGroup) {
        self.options = options
        meta = MetaClient(
            options: MetaOptions(
                addresses: options.meta, secret: options.secret,
                connectTimeout: min(options.connectTimeout, .seconds(1)), requestTimeout: options.routeTimeout,
                deadline: options.routeTimeout, rounds: 1),
            on: group)
        routes = RouteCache(meta: meta)
        budget = RetryBudget(ratio: options.retryRatio, reserve: options.retryReserve)
        let connection = ConnectionOptions(
            connectTimeout: options.connectTimeout, requestTimeout: options.timeout, credentials: options.password)
        nodes = ConnectionPool(width: options.connectionsPerNode, options: connection, group: group)
        gateways = ConnectionPool(width: 1, options: connection, group: group)
    }

    func close() async {
        nodes.close()
        gateways.close()
        await meta.close()
    }

    /// Makes sure that a keyspace is in the map, asking the metadata group once if it is not.
    func keyspace(named name: String) async throws(ClusterClientError) -> Keyspace {
        let generation = routes.generation
        if let known = routes.keyspace(named: name) { return known }
        let failure = await routes.refresh(after: generation)
        if let known = routes.keyspace(named: name) { return known }
        if let failure { throw .noRoutes(failure.description) }
        throw .noSuchKeyspace(name)
    }

    /// Sends one command to the primary of its key's shard, with all tries.
    func execute(
        _ arguments: [[UInt8]], key: [UInt8], keyspace: String, isRead: Bool
    ) async throws(ClusterClientError) -> RESPValue {
        budget.deposit()
        var loop = RetryLoop(core: self, deadline: ContinuousClock.now + options.timeout)
        while true {
            loop.begin()
            let verdict: Verdict
            switch routes.route(of: key, in: keyspace) {
            case .success(let route):
                let result = await send(Request(arguments, stamp: route.stamp), to: route.address, timeout: loop.left)
                verdict = .of(result, stamp: route.stamp, isRead: isRead, routes: routes)
            case .failure(let missing): verdict = try await find(missing, keyspace: keyspace)
            }
            switch verdict {
            case .done(let result): return try result.get()
            case .again(let again, let reason):
                if let failure = await loop.prepare(for: again, reason: reason) { throw failure }
            }
        }
    }

    /// Looks for what the map does not have.
    func find(_ missing: RouteCache.Missing, keyspace name: String) async throws(ClusterClientError) -> Verdict {
        switch missing {
        case .keyspace:
            _ = try await keyspace(named: name)
            return .again(.redirected, reason: "keyspace '\(name)' was not in the map")
        case .shard: return .again(.refresh, reason: "no shard of '\(name)' covers the key")
        case .primary: return .again(.refresh, reason: "the key's shard has no primary")
        }
    }

    private func send(_ request: Request, to address: Address, timeout: Duration) async -> ReplyResult {
        do {
            let connection = try await nodes.connection(to: ConnectionPool.Name(address: address))
            return .success(try await connection.send(request, timeout: timeout))
        } catch {
            return .failure(error)
        }
    }

    /// Sends a command that spans shards to any gateway, the next one when one does not answer. For reads alone.
    func askGateway(_ arguments: [[UInt8]], keyspace: String) async throws(ClusterClientError) -> RESPValue {
        _ = try await self.keyspace(named: keyspace)
        budget.deposit()
        var loop = RetryLoop(core: self, deadline: ContinuousClock.now + options.timeout)
        while true {
            loop.begin()
            let addresses = routes.gateways
            guard !addresses.isEmpty else { throw .noRoutes("the map has no nodes") }
            let address = addresses[(loop.attempts - 1) % addresses.count]
            let verdict: Verdict
            do {
                let connection = try await gateways.connection(
                    to: ConnectionPool.Name(address: address, keyspace: keyspace))
                let value = try await connection.send(arguments, timeout: loop.left)
                verdict = .ofGateway(.success(value))
            } catch {
                verdict = .ofGateway(.failure(error))
            }
            switch verdict {
            case .done(let result): return try result.get()
            case .again(let again, let reason):
                if let failure = await loop.prepare(for: again, reason: reason) { throw failure }
            }
        }
    }
}
