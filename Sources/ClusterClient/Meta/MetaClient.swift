public import ClusterModel
internal import FoundationEssentials
public import NIOCore
public import NIOPosix
public import Wire

/// A client of the metadata group: finds the primary among the addresses it knows, follows NOTPRIMARY, and tries again
/// within bounds. A request that changes something is never sent twice once bytes of it left (RULES G1).
public actor MetaClient {
    private let options: MetaOptions
    private let group: any EventLoopGroup
    private var connections: [Address: RESPConnection] = [:]
    /// Who answered as primary last, or was named so.
    private var hint: Address?
    private var generator = SystemRandomNumberGenerator()

    public init(options: MetaOptions, on group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton) {
        self.options = options
        self.group = group
    }

    /// The addresses this client was given.
    public nonisolated var addresses: [Address] { options.addresses }

    /// Closes all connections; requests that wait fail.
    public func close() {
        for connection in connections.values { connection.close() }
        connections = [:]
    }

    /// Sends a request to the primary.
    ///
    /// - Parameters:
    ///   - arguments: the command's name and arguments.
    ///   - isRepeatable: whether sending it twice does no harm; only then is it sent again when its outcome is unknown.
    /// - Returns: the reply, which is no error.
    public func send(
        _ arguments: [[UInt8]], isRepeatable: Bool
    ) async throws(MetaClientError) -> RESPValue {
        var search = Search(deadline: ContinuousClock.now + options.deadline)
        var round = 0
        while true {
            round += 1
            var queue = candidates()
            var redirects = 0
            while !queue.isEmpty, ContinuousClock.now < search.deadline {
                let address = queue.removeFirst()
                switch try await attempt(address, arguments, isRepeatable: isRepeatable, search: &search) {
                case .answer(let value): return value
                case .elsewhere(let primary):
                    redirects += 1
                    if redirects <= Limits.routeAttempts, primary != address {
                        hint = primary
                        queue.removeAll { $0 == primary }
                        queue.insert(primary, at: 0)
                    }
                case .nothing: if hint == address { hint = nil }
                }
            }
            let delay = options.backoff.delay(retry: round, using: &generator)
            if search.isOver(round: round, of: options.rounds, after: delay) { throw search.failure }
            do { try await Task.sleep(for: delay) } catch { throw search.failure }
        }
    }

    /// Sends a request to one metasrv, whatever its role, once.
    public func send(_ arguments: [[UInt8]], to address: Address) async throws(MetaClientError) -> RESPValue {
        do {
            let value = try await connection(to: address).send(arguments, timeout: options.requestTimeout)
            if let line = value.errorLine { throw MetaClientError.refused(ServerError(line: line)) }
            return value
        } catch let error as RESPConnectionError {
            throw .unreachable(tried: [address], reason: error.detail)
        } catch let error as MetaClientError {
            throw error
        } catch {
            throw .malformed("\(error)")
        }
    }

    /// The primary if it is known, then the addresses as given.
    private func candidates() -> [Address] {
        guard let hint else { return options.addresses }
        return [hint] + options.addresses.filter { $0 != hint }
    }

    private enum Attempt {
        case answer(RESPValue)
        case elsewhere(Address)
        case nothing
    }

    private func attempt(
        _ address: Address, _ arguments: [[UInt8]], isRepeatable: Bool, search: inout Search
    ) async throws(MetaClientError) -> Attempt {
        search.note(tried: address)
        let value: RESPValue
        do {
            let left = search.deadline - ContinuousClock.now
            value = try await connection(to: address).send(arguments, timeout: min(options.requestTimeout, left))
        } catch {
            if case .handshake(let refusal) = error.kind, !refusal.mayPass { throw .refused(refusal) }
            if error.bytesLeft, !isRepeatable { throw .uncertain(address, reason: error.detail) }
            search.reason = error.description
            return .nothing
        }
        guard let line = value.errorLine else {
            hint = address
            return .answer(value)
        }
        let error = ServerError(line: line)
        switch error.code {
        case "NOTPRIMARY":
            search.answered = true
            search.reason = "\(address) is a standby"
            return Address(error.message).map { .elsewhere($0) } ?? .nothing
        case "TRYAGAIN", "OVERLOADED", "LOADING":
            search.answered = true
            search.reason = "\(address) answers \(error)"
            return .nothing
        case "UNCERTAIN": throw .uncertain(address, reason: error.message)
        default: throw .refused(error)
        }
    }

    private func connection(to address: Address) async throws(RESPConnectionError) -> RESPConnection {
        if let known = connections[address], known.isUsable { return known }
        connections[address]?.close()
        connections[address] = nil
        let made = try await RESPConnection.connect(
            to: address,
            options: ConnectionOptions(
                connectTimeout: options.connectTimeout, requestTimeout: options.requestTimeout,
                credentials: options.secret),
            on: group)
        // Another request of this actor may have connected meanwhile.
        if let known = connections[address], known.isUsable {
            made.close()
            return known
        }
        connections[address] = made
        return made
    }
}

/// One request's way through the metadata group.
private struct Search {
    let deadline: ContinuousClock.Instant
    var tried: [Address] = []
    /// Whether any metasrv answered at all.
    var answered = false
    var reason = "no address given"

    init(deadline: ContinuousClock.Instant) { self.deadline = deadline }

    mutating func note(tried address: Address) {
        if !tried.contains(address) { tried.append(address) }
    }

    func isOver(round: Int, of rounds: Int, after delay: Duration) -> Bool {
        ContinuousClock.now + delay >= deadline || (!answered && round >= rounds)
    }

    var failure: MetaClientError {
        answered ? .noPrimary(tried: tried, reason: reason) : .unreachable(tried: tried, reason: reason)
    }
}
