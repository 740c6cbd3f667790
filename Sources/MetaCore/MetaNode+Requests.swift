import ClusterModel

/// What will be answered once the entry that it rests on is durable.
enum PlannedAnswer: Sendable {
    /// Known already.
    case ready(MetaAnswer)
    /// A beat's answer, with the map's changes since.
    case heartbeat(since: RouteVersion)
    /// AdminAnswer.done
    case done(summary: String)
    case keyspaceCreated(KeyspaceID)
    case reconfigured(ShardID)

    /// The answer that tells a failure, in the form its asker reads.
    func failed(_ code: AdminErrorCode, _ message: String) -> MetaAnswer {
        switch self {
        case .done, .keyspaceCreated, .ready(.admin): .admin(.failed(code: code, message: message))
        case .ready, .heartbeat, .reconfigured: .unavailable(message)
        }
    }
}

/// What a request comes to: commands for the log, and the answer after them.
struct Judgement: Sendable {
    var commands: [ClusterCommand] = []
    var answer: PlannedAnswer

    static func answer(_ answer: MetaAnswer) -> Judgement { Judgement(answer: .ready(answer)) }
}

// Requests: what can be answered from the durable state is answered at once, the rest waits for the log.
extension MetaNode {
    /// Requests that may wait for the log, and how many go into one entry.
    static let queueLimit = 4096
    static let batchLimit = 64

    mutating func take(_ id: RequestID, _ request: MetaRequest, _ effects: inout Effects<MetaEffect>) {
        if case .status = request { return effects.emit(.reply(id, .status(status))) }
        guard isPrimary else {
            if case .heartbeat(let beat) = request { noteAppeal(beat) }
            return effects.emit(.reply(id, .notPrimary(otherPrimary)))
        }
        switch request {
        case .status: break
        case .heartbeat(let beat):
            if noteBeat(beat) {
                effects.emit(.reply(id, .heartbeat(beatAnswer(since: beat.routeVersion))))
            } else {
                enqueue(id, request, &effects)
            }
        case .reconfigure: enqueue(id, request, &effects)
        case .admin(let admin): takeAdmin(id, admin, &effects)
        case .routes(let since): effects.emit(.reply(id, routes(since: since)))
        case .watch(let since):
            effects.emit(.reply(id, routes(since: since)))
            watchers.removeAll { $0.id == id }
            watchers.append(Watcher(id: id, version: state.routeVersion))
        }
    }

    private mutating func takeAdmin(_ id: RequestID, _ admin: AdminRequest, _ effects: inout Effects<MetaEffect>) {
        switch admin {
        case .listKeyspaces, .listShards, .listNodes, .status:
            effects.emit(.reply(id, .admin(report(admin))))
        case .logTail(let count):
            guard (1...1024).contains(count) else {
                let answer = AdminAnswer.failed(code: .usage, message: "1 to 1024 log entries may be asked for")
                return effects.emit(.reply(id, .admin(answer)))
            }
            let last = state.position.rawValue
            let first = last >= UInt64(count) ? last - UInt64(count) + 1 : 1
            fetching.insert(id)
            effects.emit(.fetch(id, from: LogPosition(rawValue: first), through: state.position))
        default: enqueue(id, .admin(admin), &effects)
        }
    }

    mutating func fetched(_ id: RequestID, _ records: [LogRecord], _ effects: inout Effects<MetaEffect>) {
        guard fetching.remove(id) != nil else { return }
        let items = records.flatMap { record in
            record.entry.commands.map {
                LogEntryInfo(
                    position: record.position, term: record.entry.term, wall: record.entry.wall, command: $0)
            }
        }
        effects.emit(.reply(id, .admin(.log(items: items))))
    }

    private mutating func enqueue(_ id: RequestID, _ request: MetaRequest, _ effects: inout Effects<MetaEffect>) {
        guard queue.count < Self.queueLimit else {
            return effects.emit(.reply(id, .unavailable("too many requests wait for the metadata log: try again")))
        }
        queue.append(QueuedRequest(id: id, request: request))
    }

    /// Brings waiting requests into the log, as many as go into one entry; else shows that this primary lives.
    mutating func pump(_ term: Term, _ effects: inout Effects<MetaEffect>) {
        guard appending == nil else { return }
        if isLogFailing, elapsed(since: lastAppend) < settings.beatEvery { return }
        while appending == nil, !queue.isEmpty { pumpBatch(term, &effects) }
        guard appending == nil, elapsed(since: lastAppend) >= settings.beatEvery else { return }
        append(overdue() + [.beat(term: term)], term: term, isClaim: false, held: [], &effects)
    }

    /// What the group does by itself, at most one configuration a shard.
    private func overdue() -> [ClusterCommand] {
        let handOvers = finishedHandOvers()
        if !handOvers.isEmpty { return handOvers }
        let endings = withoutEndedCopies()
        if !endings.isEmpty { return endings }
        let revivals = revivals()
        if !revivals.isEmpty { return revivals }
        let departures = departures()
        return departures.isEmpty ? missingReplicas() : departures
    }

    private mutating func pumpBatch(_ term: Term, _ effects: inout Effects<MetaEffect>) {
        let batch = queue.prefix(Self.batchLimit)
        queue.removeFirst(batch.count)
        // Each is judged on what those before it will have done.
        var draft = state
        var commands: [ClusterCommand] = []
        var held: [HeldAnswer] = []
        for queued in batch {
            let judgement = judge(queued.request, draft)
            var next = draft
            let fits = judgement.commands.allSatisfy { next.apply($0, term: term) }
            guard fits else {
                let answer = judgement.answer.failed(.unavailable, "the metadata state has no room for this change")
                held.append(HeldAnswer(id: queued.id, answer: .ready(answer)))
                continue
            }
            draft = next
            commands += judgement.commands
            held.append(HeldAnswer(id: queued.id, answer: judgement.answer))
        }
        if commands.isEmpty {
            for answer in held { send(answer, &effects) }
        } else {
            append(commands, term: term, isClaim: false, held: held, &effects)
        }
    }

    private mutating func judge(_ request: MetaRequest, _ draft: ClusterState) -> Judgement {
        switch request {
        case .heartbeat(let beat): judgeBeat(beat, draft)
        case .reconfigure(let request): judgeReconfigure(request, draft)
        case .admin(let admin): judgeAdmin(admin, draft)
        case .routes, .watch, .status: .answer(.unavailable("not a change"))
        }
    }

    /// Tells what is durable now.
    func send(_ held: HeldAnswer, _ effects: inout Effects<MetaEffect>) {
        let answer: MetaAnswer
        switch held.answer {
        case .ready(let known): answer = known
        case .heartbeat(let since): answer = .heartbeat(beatAnswer(since: since))
        case .done(let summary): answer = .admin(.done(routeVersion: state.routeVersion, summary: summary))
        case .keyspaceCreated(let id): answer = .admin(created(id))
        case .reconfigured(let shard):
            answer = .reconfigure(ReconfigureAnswer(accepted: true, current: state.shard(shard)))
        }
        effects.emit(.reply(held.id, answer))
    }

    func routes(since: RouteVersion) -> MetaAnswer {
        guard let delta = state.delta(since: since) else { return .unavailable("no cluster is founded yet") }
        return .routes(delta)
    }

    mutating func pushToWatchers(_ effects: inout Effects<MetaEffect>) {
        for index in watchers.indices where watchers[index].version < state.routeVersion {
            guard let delta = state.delta(since: watchers[index].version) else { continue }
            watchers[index].version = state.routeVersion
            effects.emit(.push(watchers[index].id, delta))
        }
    }

    /// The primary as the log has it; nil when that was an earlier life of this process.
    var otherPrimary: Address? { state.primary == settings.listen ? nil : state.primary }

    var status: MetaStatus {
        MetaStatus(
            cluster: state.cluster, id: settings.id, role: isPrimary ? .primary : .standby, term: state.term,
            position: state.position, routeVersion: state.routeVersion,
            primary: isPrimary ? settings.listen : otherPrimary)
    }
}

extension MetaNode {
    /// Whether a request is a watcher that goes on to be told of changes.
    public func isWatched(_ id: RequestID) -> Bool { watchers.contains { $0.id == id } }
}
