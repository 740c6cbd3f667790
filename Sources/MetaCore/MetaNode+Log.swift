import ClusterModel

/// How a standby follows the log.
struct LogReader: Sendable {
    /// A read is under way.
    var isBusy = false
    /// When the last one was begun, ns; nil = none yet.
    var begun: UInt64?
    /// The log's end was seen once.
    var hasCaughtUp = false
    /// When the log last grew, ns.
    var grew: UInt64 = 0
    /// How long it may stand still before this process claims the next term, ms; drawn anew each time (RULES B7).
    var patience: UInt64 = 0
    /// The last failure, so that it is said once.
    var complaint: String?

    static let limit = 512
}

// Following the log, claiming a term, and what becomes of appends.
extension MetaNode {
    /// Reads on when it is time. A standby decides nothing but on what a read just said.
    mutating func readIfDue(_ effects: inout Effects<MetaEffect>) {
        guard !reader.isBusy, appending == nil else { return }
        if let begun = reader.begun, elapsed(since: begun) < settings.readEvery { return }
        read(&effects)
    }

    private mutating func read(_ effects: inout Effects<MetaEffect>) {
        guard let next = state.position.successor else { return }
        if reader.begun == nil { logGrew() }
        reader.isBusy = true
        reader.begun = now.monotonic
        effects.emit(.read(from: next, limit: LogReader.limit))
    }

    private mutating func logGrew() {
        reader.grew = now.monotonic
        reader.patience = settings.takeover + entropy.next() % (settings.takeover / 2 + 1)
    }

    mutating func tailed(_ records: [LogRecord], _ effects: inout Effects<MetaEffect>) {
        reader.isBusy = false
        reader.complaint = nil
        guard !isPrimary else { return }
        guard !records.isEmpty else { return caughtUp(&effects) }
        for record in records where record.position > state.position {
            do {
                try state.apply(record)
            } catch {
                return effects.emit(.halt("the metadata log is damaged: \(error)"))
            }
        }
        logGrew()
        if reader.hasCaughtUp { follow(&effects) }
        read(&effects)
    }

    mutating func restored(_ snapshot: MetaSnapshot, _ effects: inout Effects<MetaEffect>) {
        reader.isBusy = false
        guard !isPrimary else { return }
        if Mutant.b6SkipsGap.isOn { state.position = max(state.position, snapshot.position) }
        if snapshot.position > state.position {
            state = snapshot.state
            lastSnapshot = snapshot.position
            logGrew()
        }
        read(&effects)
    }

    mutating func readFailed(_ reason: String, _ effects: inout Effects<MetaEffect>) {
        reader.isBusy = false
        if reader.complaint != reason { effects.emit(.note(.warning, "the metadata log cannot be read: \(reason)")) }
        reader.complaint = reason
    }

    /// An entry that came after the end had been seen: somebody else is primary.
    private mutating func follow(_ effects: inout Effects<MetaEffect>) {
        let next = MetaRole.standby(primary: state.primary)
        guard role != next else { return }
        role = next
        appeals = [:]
        effects.emit(.role(next))
    }

    /// Nothing stands after what is known. On an empty log found the cluster; on one that stands still, or when the nodes
    /// turn to this process, claim the next term (RULES B1, B9).
    private mutating func caughtUp(_ effects: inout Effects<MetaEffect>) {
        reader.hasCaughtUp = true
        let isSilent = elapsed(since: reader.grew) >= reader.patience
        guard state.cluster == nil || isSilent || isAppealedTo else { return }
        guard let term = state.term.successor else {
            return effects.emit(.halt("the metadata log has reached the last term there is"))
        }
        var commands: [ClusterCommand] = []
        if state.cluster == nil { commands.append(.found(cluster: settings.newCluster)) }
        commands.append(.takeOver(term: term, id: settings.id, listen: settings.listen))
        append(commands, term: term, isClaim: true, held: [], &effects)
    }

    mutating func append(
        _ commands: [ClusterCommand], term: Term, isClaim: Bool, held: [HeldAnswer],
        _ effects: inout Effects<MetaEffect>
    ) {
        guard let position = state.position.successor else { return }
        let entry = LogEntry(writer: settings.writer, term: term, wall: now.wall, commands: settled(commands))
        appending = PendingAppend(position: position, entry: entry, isClaim: isClaim, held: held)
        lastAppend = now.monotonic
        effects.emit(.append(position, entry))
        if Mutant.b4TellsBeforeDurable.isOn, !isClaim {
            try? state.apply(LogRecord(position: position, entry: entry))
            for held in held { send(held, &effects) }
            pushToWatchers(&effects)
        }
    }

    mutating func appended(
        _ position: LogPosition, _ outcome: AppendOutcome, _ effects: inout Effects<MetaEffect>
    ) {
        guard let pending = appending, pending.position == position else { return }
        appending = nil
        isLogFailing = false
        switch outcome {
        case .won where Mutant.b4TellsBeforeDurable.isOn && !pending.isClaim: saveIfDue(&effects)
        case .lost where Mutant.b1GoesOnWhenDeposed.isOn && isPrimary: fallthrough
        case .lost where Mutant.b7LoserServes.isOn && pending.isClaim: fallthrough
        case .won:
            noteSetbacks(pending.entry.commands)
            do {
                try state.apply(LogRecord(position: position, entry: pending.entry))
            } catch {
                return effects.emit(.halt("the metadata log is damaged: \(error)"))
            }
            if pending.isClaim { becomePrimary(pending.entry.term, &effects) }
            for held in pending.held { send(held, &effects) }
            pushToWatchers(&effects)
            saveIfDue(&effects)
        case .lost:
            if isPrimary { return becomeDeposed(pending, &effects) }
            // Another claim, or the primary's own entry, was faster: read it.
            appeals = [:]
            read(&effects)
        }
    }

    mutating func appendFailed(_ position: LogPosition, _ reason: String, _ effects: inout Effects<MetaEffect>) {
        guard let pending = appending, pending.position == position else { return }
        appending = nil
        lastAppend = now.monotonic
        if !isLogFailing { effects.emit(.note(.error, "nothing can be added to the metadata log: \(reason)")) }
        isLogFailing = true
        if pending.isClaim { logGrew() }
        for held in pending.held {
            effects.emit(.reply(held.id, held.answer.failed(.unavailable, "not done: \(reason)")))
        }
    }

    private mutating func becomePrimary(_ term: Term, _ effects: inout Effects<MetaEffect>) {
        role = .primary(term)
        termStart = now.monotonic
        heard = [:]
        setbacks = [:]
        appeals = [:]
        effects.emit(.note(.info, "primary of term \(term)"))
        effects.emit(.role(role))
    }

    /// Somebody else has the position: nothing this process knows may be told any more, and what waits may or may not be
    /// done by a later try.
    private mutating func becomeDeposed(_ pending: PendingAppend, _ effects: inout Effects<MetaEffect>) {
        role = .deposed
        effects.emit(.note(.warning, "deposed: position \(pending.position) belongs to another metasrv"))
        for held in pending.held { effects.emit(.reply(held.id, .notPrimary(nil))) }
        for queued in queue { effects.emit(.reply(queued.id, .notPrimary(nil))) }
        for id in fetching.sorted() { effects.emit(.reply(id, .notPrimary(nil))) }
        queue = []
        fetching = []
        effects.emit(.role(.deposed))
    }

    private mutating func saveIfDue(_ effects: inout Effects<MetaEffect>) {
        let count = state.position.rawValue - min(lastSnapshot.rawValue, state.position.rawValue)
        guard count >= settings.snapshotEvery else { return }
        lastSnapshot = state.position
        effects.emit(.save(MetaSnapshot(state: state)))
    }

    var isPrimary: Bool {
        if case .primary = role { return true }
        return false
    }
}
