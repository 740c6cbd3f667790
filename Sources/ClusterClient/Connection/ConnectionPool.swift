internal import ClusterModel
internal import NIOCore
internal import Synchronization

/// A few pipelined connections to each server, made when first needed and remade when they end. Callers that want the
/// same connection while it is being made share one attempt. Safe from any thread.
final class ConnectionPool: Sendable {
    /// Connections to one address may differ in the keyspace they have selected.
    struct Name: Hashable, Sendable {
        var address: Address
        var keyspace: String?
    }

    private struct Place {
        var connection: RESPConnection?
        var attempt: EventLoopFuture<RESPConnection>?
    }

    private struct Server {
        var places: [Place]
        var next = 0
        /// After a failed attempt, until this moment its error stands for all.
        var failure: (until: NIODeadline, error: RESPConnectionError)?
    }

    private struct State {
        var servers: [Name: Server] = [:]
        var isClosed = false
    }

    /// Longest time that one failed attempt stands for the next.
    private static let memoryOfFailure = TimeAmount.milliseconds(20)

    private let state = Mutex(State())
    private let width: Int
    private let options: ConnectionOptions
    private let group: any EventLoopGroup

    init(width: Int, options: ConnectionOptions, group: any EventLoopGroup) {
        self.width = width
        self.options = options
        self.group = group
    }

    private enum Choice {
        case ready(RESPConnection)
        case pending(EventLoopFuture<RESPConnection>)
        case failed(RESPConnectionError)
    }

    /// A connection that takes requests now, made if there is none.
    func connection(to name: Name) async throws(RESPConnectionError) -> RESPConnection {
        switch choose(name) {
        case .ready(let connection): return connection
        case .failed(let error): throw error
        case .pending(let attempt):
            do {
                return try await attempt.get()
            } catch let error as RESPConnectionError {
                throw error
            } catch {
                throw RESPConnectionError(
                    .unreachable, address: name.address, bytesLeft: false, detail: "\(error)")
            }
        }
    }

    private func choose(_ name: Name) -> Choice {
        state.withLock { state in
            guard !state.isClosed else {
                return .failed(
                    RESPConnectionError(
                        .closed, address: name.address, bytesLeft: false, detail: "the client was closed"))
            }
            var server = state.servers[name] ?? Server(places: Array(repeating: Place(), count: width))
            defer { state.servers[name] = server }
            let index = server.next
            server.next = (index + 1) % width
            if let connection = server.places[index].connection, connection.isUsable { return .ready(connection) }
            if let other = server.places.lazy.compactMap(\.connection).first(where: \.isUsable) {
                // Serve from a living one, and mend this place by the way.
                if server.places[index].attempt == nil, !isBarred(server) { dial(name, index, &server) }
                return .ready(other)
            }
            if let attempt = server.places.lazy.compactMap(\.attempt).first { return .pending(attempt) }
            if isBarred(server), let failure = server.failure { return .failed(failure.error) }
            return .pending(dial(name, index, &server))
        }
    }

    private func isBarred(_ server: Server) -> Bool {
        server.failure.map { NIODeadline.now() < $0.until } ?? false
    }

    @discardableResult
    private func dial(_ name: Name, _ index: Int, _ server: inout Server) -> EventLoopFuture<RESPConnection> {
        if let old = server.places[index].connection, !old.isClosed, old.outstanding == 0 { old.close() }
        server.places[index].connection = nil
        var options = options
        options.keyspace = name.keyspace
        let attempt = RESPConnection.dial(name.address, options: options, on: group.next())
        server.places[index].attempt = attempt
        // Hops off the caller's stack, since the pool's lock is held here.
        attempt.eventLoop.execute {
            attempt.whenComplete { self.settle(name, index, $0) }
        }
        return attempt
    }

    private func settle(_ name: Name, _ index: Int, _ result: Result<RESPConnection, any Error>) {
        let surplus = state.withLock { state -> RESPConnection? in
            guard var server = state.servers[name], !state.isClosed else { return try? result.get() }
            server.places[index].attempt = nil
            switch result {
            case .success(let connection):
                server.places[index].connection = connection
                server.failure = nil
            case .failure(let error):
                if let error = error as? RESPConnectionError {
                    server.failure = (.now() + ConnectionPool.memoryOfFailure, error)
                }
            }
            state.servers[name] = server
            return nil
        }
        surplus?.close()
    }

    /// Closes everything; later requests are refused.
    func close() {
        let open = state.withLock { state -> [RESPConnection] in
            state.isClosed = true
            defer { state.servers = [:] }
            return state.servers.values.flatMap { $0.places.compactMap(\.connection) }
        }
        for connection in open { connection.close() }
    }
}
