internal import ClusterModel
public import Wire

extension ClusterClient {
    /// Sends many commands at once: those of one node travel in one piece, all nodes work at the same time.
    ///
    /// Results come in the order of the commands. Commands of one shard are executed in that order too, but for one that
    /// its node refused (the shard moved, or had no primary just then) and that was tried again after later ones. The
    /// whole is not atomic.
    ///
    /// - Parameter commands: each a command's name and its arguments, routed by its first key.
    /// - Returns: a reply, which is no error, or an error for each command.
    public func pipeline(_ commands: [[[UInt8]]]) async -> [Result<RESPValue, ClusterClientError>] {
        var run = PipelineRun(core: core, keyspace: keyspace, commands: commands)
        return await run.results()
    }
}

/// The way of one pipeline through its rounds: each round sends what is not done yet.
private struct PipelineRun {
    private struct Item {
        let index: Int
        let key: [UInt8]
        let isRead: Bool
        var route: RouteCache.Route?
    }

    private let core: ClusterCore
    private let keyspace: String
    private let commands: [[[UInt8]]]
    private var done: [Result<RESPValue, ClusterClientError>?]
    private var open: [Item] = []

    init(core: ClusterCore, keyspace: String, commands: [[[UInt8]]]) {
        self.core = core
        self.keyspace = keyspace
        self.commands = commands
        done = Array(repeating: nil, count: commands.count)
        for (index, arguments) in commands.enumerated() {
            core.budget.deposit()
            do {
                let (key, shape) = try ClusterClient.shape(arguments, routedBy: nil)
                open.append(Item(index: index, key: key, isRead: shape.isRead))
            } catch {
                done[index] = .failure(error)
            }
        }
    }

    mutating func results() async -> [Result<RESPValue, ClusterClientError>] {
        var loop = RetryLoop(core: core, deadline: ContinuousClock.now + core.options.timeout)
        while !open.isEmpty {
            loop.begin()
            guard let (again, reason) = await round(timeout: loop.left) else { break }
            if let failure = await loop.prepare(for: again, reason: reason) {
                for item in open { done[item.index] = .failure(failure) }
                break
            }
        }
        return done.map { $0 ?? .failure(.unexpectedReply("a command without a result")) }
    }

    /// Sends what is open, once. Returns what must come before the next round; nil when all is done.
    private mutating func round(timeout: Duration) async -> (Verdict.Again, String)? {
        var next: (again: Verdict.Again, reason: String)?
        var still: [Item] = []
        func keep(_ item: Item, _ again: Verdict.Again, _ reason: String) {
            still.append(item)
            if again.rawValue > next?.again.rawValue ?? -1 { next = (again, reason) }
        }
        var groups: [(address: Address, items: [Item])] = []
        var places: [Address: Int] = [:]
        for var item in open {
            switch core.routes.route(of: item.key, in: keyspace) {
            case .success(let route):
                item.route = route
                let place = places[route.address] ?? groups.count
                if place == groups.count {
                    groups.append((route.address, []))
                    places[route.address] = place
                }
                groups[place].items.append(item)
            case .failure(let missing):
                do {
                    switch try await core.find(missing, keyspace: keyspace) {
                    case .again(let again, let reason): keep(item, again, reason)
                    case .done(let result): done[item.index] = result
                    }
                } catch {
                    done[item.index] = .failure(error)
                }
            }
        }
        let sent = groups.flatMap(\.items)
        let results = await send(groups, timeout: timeout)
        for (item, result) in zip(sent, results) {
            guard let route = item.route else { continue }
            switch Verdict.of(result, stamp: route.stamp, isRead: item.isRead, routes: core.routes) {
            case .done(let outcome): done[item.index] = outcome
            case .again(let again, let reason): keep(item, again, reason)
            }
        }
        open = still.sorted { $0.index < $1.index }
        return next.map { ($0.again, $0.reason) }
    }

    /// Hands every group to its connection, then waits for all.
    private func send(_ groups: [(address: Address, items: [Item])], timeout: Duration) async -> [ReplyResult] {
        let count = groups.reduce(0) { $0 + $1.items.count }
        guard count > 0 else { return [] }
        let collector = ReplyCollector(count: count)
        var first = 0
        for (address, items) in groups {
            let base = first
            first += items.count
            do {
                let connection = try await core.nodes.connection(to: ConnectionPool.Name(address: address))
                let requests = items.map { Request(commands[$0.index], stamp: $0.route?.stamp) }
                connection.submit(requests, timeout: timeout) { .collected(collector, index: base + $0) }
            } catch {
                for offset in items.indices { collector.complete(base + offset, .failure(error)) }
            }
        }
        return await collector.all()
    }
}
