public import ClusterModel

/// The whole brain of a metasrv: the metadata state, its role in the group, and what nodes and operators ask of it.
///
/// One owner, no locks, no clock: the host reads the clocks, feeds one input at a time and runs the effects in their order.
/// After `init` the host gives a first `.tick`; everything else follows from the effects.
public struct MetaNode: Sendable {
    public let settings: MetaSettings
    /// Only what is durable in the log.
    public internal(set) var state: ClusterState
    public internal(set) var role: MetaRole = .joining

    var now = Tick(monotonic: 0, wall: 0)
    var entropy: Entropy
    var reader: LogReader
    /// The append under way.
    var appending: PendingAppend?
    /// When an append was last begun or had failed, ns.
    var lastAppend: UInt64 = 0
    /// An append failed and none has succeeded since: said once.
    var isLogFailing = false
    var lastSnapshot: LogPosition
    /// Requests that need the log, in their order.
    var queue: [QueuedRequest] = []
    /// In the order of their ids.
    var watchers: [Watcher] = []
    var fetching: Set<RequestID> = []
    /// What was heard of each node in this term.
    var heard: [NodeID: Heard] = [:]
    /// Of nodes that primaries put out of their shards in this term.
    var setbacks: [ShardID: [NodeID: Setback]] = [:]
    /// When this process became primary, ns.
    var termStart: UInt64 = 0
    /// Of a standby: who turns to it because the primary is silent (RULES B9).
    var appeals: [NodeID: Appeal] = [:]

    public init(settings: MetaSettings, snapshot: MetaSnapshot?) {
        self.settings = settings
        state = snapshot?.state ?? ClusterState()
        lastSnapshot = state.position
        entropy = Entropy(seed: settings.seed)
        reader = LogReader()
    }

    public mutating func step(_ input: MetaInput, now: Tick, effects: inout Effects<MetaEffect>) {
        self.now = now
        guard role != .deposed else { return answerDeposed(input, &effects) }
        switch input {
        case .tick: break
        case .request(let id, let request): take(id, request, &effects)
        case .closed(let id): forget(id)
        case .appended(let position, let outcome): appended(position, outcome, &effects)
        case .appendFailed(let position, let reason): appendFailed(position, reason, &effects)
        case .tailed(let records): tailed(records, &effects)
        case .restored(let snapshot): restored(snapshot, &effects)
        case .readFailed(let reason): readFailed(reason, &effects)
        case .fetched(let id, let records): fetched(id, records, &effects)
        }
        guard role != .deposed else { return }
        if case .primary(let term) = role {
            pump(term, &effects)
        } else {
            readIfDue(&effects)
        }
    }

    /// A deposed process keeps nobody waiting until it is executed anew.
    private func answerDeposed(_ input: MetaInput, _ effects: inout Effects<MetaEffect>) {
        if case .request(let id, _) = input { effects.emit(.reply(id, .notPrimary(nil))) }
    }

    private mutating func forget(_ id: RequestID) {
        watchers.removeAll { $0.id == id }
        fetching.remove(id)
        queue.removeAll { $0.id == id }
        appending?.held.removeAll { $0.id == id }
    }

    /// Milliseconds from a moment until now.
    func elapsed(since moment: UInt64) -> UInt64 {
        now.monotonic > moment ? (now.monotonic - moment) / 1_000_000 : 0
    }
}

/// A request that waits for its turn at the log.
struct QueuedRequest: Sendable {
    var id: RequestID
    var request: MetaRequest
}

/// A watcher and the version it was last told.
struct Watcher: Sendable {
    var id: RequestID
    var version: RouteVersion
}

/// An entry on its way into the log, and who waits for it.
struct PendingAppend: Sendable {
    var position: LogPosition
    var entry: LogEntry
    /// Whether it claims the next term.
    var isClaim: Bool
    var held: [HeldAnswer]
}

/// An answer that waits until what it tells is durable (RULES B4).
struct HeldAnswer: Sendable {
    var id: RequestID
    var answer: PlannedAnswer
}
