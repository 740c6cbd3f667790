internal import ClusterModel
internal import Synchronization

/// The client's shard map and the ways it learns: deltas fetched from the metadata group, one fetch at a time whoever
/// asks, and corrections that data nodes hand out. Safe from any thread; a look-up takes one short lock.
final class RouteCache: Sendable {
    /// Where a key's requests go now.
    struct Route: Sendable {
        var stamp: Stamp
        var node: NodeID
        /// The node's cluster port.
        var address: Address
    }

    /// Why there is no route.
    enum Missing: Error {
        case keyspace
        case shard
        /// The shard has no primary, or the primary's node is not in the map.
        case primary
    }

    private struct State {
        var table = RouteTable()
        /// Fetches that ended, well or not.
        var generation: UInt64 = 0
        var fetch: Task<MetaClientError?, Never>?
        /// META.ROUTES requests sent.
        var fetches = 0
        /// Until then a failed fetch is not repeated.
        var barredUntil: ContinuousClock.Instant?
        var lastFailure: MetaClientError?
    }

    private let state = Mutex(State())
    private let meta: MetaClient
    /// How long a failed fetch is not repeated.
    private let patience: Duration

    init(meta: MetaClient, patience: Duration = .milliseconds(200)) {
        self.meta = meta
        self.patience = patience
    }

    /// META.ROUTES requests sent so far.
    var fetches: Int { state.withLock { $0.fetches } }
    /// A copy of the map as it is known now.
    var table: RouteTable { state.withLock { $0.table } }
    /// Counts ended fetches, so that whoever saw an older one does not ask again for what was just brought.
    var generation: UInt64 { state.withLock { $0.generation } }

    func keyspace(named name: String) -> Keyspace? { state.withLock { $0.table.keyspace(named: name) } }

    func route(of key: [UInt8], in keyspace: String) -> Result<Route, Missing> {
        state.withLock { state in
            guard let keyspace = state.table.keyspace(named: keyspace) else { return .failure(.keyspace) }
            guard let shard = state.table.locate(key, in: keyspace.id) else { return .failure(.shard) }
            guard let primary = shard.primary, let node = state.table.node(primary.node) else {
                return .failure(.primary)
            }
            return .success(
                Route(
                    stamp: Stamp(keyspace: keyspace.id, shard: shard.id, epoch: shard.epoch), node: node.id,
                    address: node.address))
        }
    }

    /// Gateway ports of the nodes that may answer, sorted by node.
    var gateways: [Address] {
        state.withLock { $0.table.sortedNodes.filter { $0.standing != .removed }.map(\.gateway) }
    }

    /// Takes a node's own configuration if it is newer.
    func correct(_ hint: ShardConfiguration) { state.withLock { _ = $0.table.correct(hint) } }

    /// Whether the map has moved on from a stamp.
    func isNewer(than stamp: Stamp) -> Bool {
        state.withLock { state in
            guard let shard = state.table.shard(stamp.shard) else { return true }
            return shard.epoch > stamp.epoch
        }
    }

    /// Takes a delta from outside, as a push. Returns false when it does not join on.
    @discardableResult
    func apply(_ delta: RouteDelta) -> Bool { state.withLock { $0.table.apply(delta) != .gap } }

    /// Fetches what is new, unless a fetch ended since `generation` was read. Waits for the fetch under way, if any.
    func refresh(after generation: UInt64) async -> MetaClientError? {
        enum Step {
            case done(MetaClientError?)
            case wait(Task<MetaClientError?, Never>)
        }
        let step = state.withLock { state -> Step in
            if state.generation > generation { return .done(state.lastFailure) }
            if let fetch = state.fetch { return .wait(fetch) }
            if let until = state.barredUntil, ContinuousClock.now < until { return .done(state.lastFailure) }
            state.fetches += 1
            let version = state.table.version
            let fetch = Task { await self.fetch(since: version) }
            state.fetch = fetch
            return .wait(fetch)
        }
        switch step {
        case .done(let failure): return failure
        case .wait(let fetch): return await fetch.value
        }
    }

    private func fetch(since version: RouteVersion) async -> MetaClientError? {
        let answer: Result<RouteDelta, MetaClientError>
        do {
            answer = .success(try await meta.routes(since: version))
        } catch {
            answer = .failure(error)
        }
        return state.withLock { state in
            state.fetch = nil
            state.generation += 1
            switch answer {
            case .success(let delta):
                _ = state.table.apply(delta)
                state.lastFailure = nil
                state.barredUntil = nil
                return nil
            case .failure(let error):
                state.lastFailure = error
                state.barredUntil = ContinuousClock.now + patience
                return error
            }
        }
    }
}
