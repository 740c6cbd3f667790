public import ClusterModel

/// The whole brain of a datasrv: commands, rows, replicas, routes, replies. It reads no clock and starts no thread; its
/// host feeds it inputs and runs the effects it emits, in their order.
///
/// One owner, no locks. After a step the host sends what `drainReplies` gives for each connection of `dirtyConnections`.
@safe public struct DataNode: ~Copyable {
    let engine: UnsafeMutablePointer<Engine>

    public init(settings: DataSettings, now: Tick) {
        unsafe engine = UnsafeMutablePointer<Engine>.allocate(capacity: 1)
        unsafe engine.initialize(to: Engine(settings: settings))
        unsafe engine.pointee.begin(now)
        unsafe engine.pointee.stats.started = now.wall
        unsafe engine.pointee.stats.boot = now.monotonic
    }

    deinit {
        unsafe engine.deinitialize(count: 1)
        unsafe engine.deallocate()
    }

    /// Takes one input. Effects are appended to `effects`.
    public mutating func step(_ input: DataInput, now: Tick, effects: inout Effects<DataEffect>) {
        unsafe engine.pointee.begin(now)
        unsafe swap(&engine.pointee.effects, &effects)
        unsafe engine.pointee.take(input)
        unsafe swap(&engine.pointee.effects, &effects)
    }

    /// Ends a turn of the host's loop: what the steps of the turn gathered is emitted, one persist, one read, one frame a
    /// peer. To be called after the last step of a turn, before effects are run.
    public mutating func endTurn(now: Tick, effects: inout Effects<DataEffect>) {
        unsafe engine.pointee.begin(now)
        unsafe swap(&engine.pointee.effects, &effects)
        unsafe engine.pointee.endTurn()
        unsafe swap(&engine.pointee.effects, &effects)
    }

    // MARK: Connections

    /// A client connected; nil when there are too many: answer `-ERR max number of clients reached` and close.
    public mutating func open(_ port: PortKind, _ peer: Peer, now: Tick) -> ConnectionID? {
        unsafe engine.pointee.begin(now)
        return unsafe engine.pointee.open(port, peer)
    }

    /// The client's connection is gone.
    public mutating func close(_ connection: ConnectionID) {
        guard let place = unsafe engine.pointee.place(connection) else { return }
        unsafe engine.pointee.close(place)
    }

    /// Whether more may be read from the connection; if not, `DataEffect.resumeReading` tells when.
    public mutating func isReadable(_ connection: ConnectionID) -> Bool {
        guard let place = unsafe engine.pointee.place(connection) else { return false }
        if unsafe engine.pointee.isReadable(place) { return true }
        unsafe engine.pointee.connections[place].isThrottled = true
        return false
    }

    /// Bytes wait to be sent. Lends each such connection's reply arena, with the word whether it is to be closed behind
    /// them; the body empties it.
    @inline(__always)
    public mutating func drainReplies(_ body: (ConnectionID, _ isClosing: Bool, inout ByteBuffer) -> Void) {
        unsafe engine.pointee.drainReplies(body)
    }

    /// Whether the client of the connection has authenticated, or need not.
    public func isAuthenticated(_ connection: ConnectionID) -> Bool {
        guard let place = unsafe engine.pointee.place(connection) else { return false }
        return unsafe engine.pointee.connections[place].isAuthenticated
    }

    /// Bytes for one link above which the host has to tell `DataInput.linkBacklog`, or `DataInput.wayBacklog`.
    public static let reportedBytes = 1 << 20

    /// The node's cluster, once known.
    public var cluster: UniqueID? { unsafe engine.pointee.cluster }
    /// Where another node's peer port is, by the map.
    public func peerAddress(of node: NodeID) -> Address? { unsafe engine.pointee.routes.node(node)?.peer }

    /// Whether a clean stop may end: nothing logged waits for its commit.
    public var isDrained: Bool { unsafe engine.pointee.isDrained }
    /// Whether a command waits until committed records are in the stores.
    public var awaitsApplied: Bool {
        unsafe engine.pointee.walks.values.contains { !$0.isStarted }
    }
    /// Whether the node is registered and holds routes.
    public var isReady: Bool {
        unsafe engine.pointee.beats.isRegistered && engine.pointee.routes.cluster != nil
    }
}

extension Engine {
    mutating func take(_ input: DataInput) {
        stats.steps &+= 1
        if now.monotonic >= replication.earliestLease, !Mutant.a1FlagSetByTimer.isOn { expireLeases() }
        switch input {
        case .recovered(let node): recover(node)
        case .commands(let commands): execute(commands)
        case .durable(let ticket): noteDurable(through: ticket)
        case .applied(let marks, let spent): noteApplied(marks, spent: spent)
        case .rows(let answers): noteRows(answers)
        case .scanned(let scan): noteScanned(scan)
        case .logRead(let read): noteLogRead(read)
        case .routes(let delta): noteRoutes(delta)
        case .beatAnswered(let answer, let sent): noteBeatAnswer(answer, sent: sent)
        case .beatFailed: beats.isInFlight = false
        case .forwarded(let link, let payload): noteForwarded(link, payload)
        case .forwardAnswered(let node, let payload): noteForwardAnswers(node, payload)
        // Sessions of a link begin with its first command.
        case .linkOpened: break
        case .linkClosed(let link): noteLinkClosed(link)
        case .linkBacklog(let link, let bytes): noteBacklog(of: link, bytes)
        case .wayBacklog(let node, let bytes): noteWay(to: node, bytes)
        case .peerLost(let node, let nothingSent):
            noteWay(to: node, 0)
            notePeerLost(node, nothingSent: nothingSent)
            noteFollowersLost(node)
        case .released(let release): noteRelease(release)
        case .replicated(let node, let payload): noteReplicated(from: node, payload)
        case .reconfigured(let shard, let proposal, let answer): noteReconfigured(shard, proposal, answer)
        case .installed(let store, let lesson, let number): noteInstalled(store, lesson: lesson, number)
        case .diskLow(let isLow): isDiskLow = isLow && !Mutant.e6GrowsBelowReserve.isOn
        case .stop: beats.isLeaving = true; beats.isDue = true
        case .tick: tick()
        }
    }

    private mutating func tick() {
        if Mutant.a1FlagSetByTimer.isOn { expireLeases() }
        expireParked()
        expireForwards()
        expireRows()
        evictRows()
        if !walks.isEmpty { endLostWalks() }
        watchLog()
        tickReplicas()
        stats.sampleRate(at: now.monotonic)
    }

    mutating func endTurn() {
        if now.monotonic >= replication.earliestLease, !Mutant.a1FlagSetByTimer.isOn, !Mutant.a1NoSecondLook.isOn,
            expireLeases()
        {
            distrustReplies()
        }
        if !unblocked.isEmpty { endUnblocked() }
        if clientPause.until > 0, clientPause.until <= now.monotonic {
            clientPause.until = 0
            resumeParked { if case .pause = $0 { true } else { false } }
        }
        if servingChanged {
            servingChanged = false
            linkReplicas()
            resumeParked { if case .serving = $0 { true } else { false } }
        }
        emitForwards()
        emitReads()
        persistBatch()
        emitReplication()
        if walksChanged {
            walksChanged = false
            startWalks()
        }
        evictRows()
        beatIfDue()
    }

    @inline(__always)
    mutating func drainReplies(_ body: (ConnectionID, Bool, inout ByteBuffer) -> Void) {
        for place in dirty {
            connections[place].isDirty = false
            guard connections[place].isOpen else { continue }
            let id = id(place)
            let isClosing = connections[place].isClosing && connections[place].marks.isEmpty
            body(id, isClosing, &connections[place].out.bytes)
        }
        dirty.removeAll(keepingCapacity: true)
    }

    /// The last beat of a clean stop has its answer too: then a successor need not be held off (RULES H2).
    var isDrained: Bool {
        batch.isEmpty && durableBatches == unapplied.count && waiting.allSatisfy { connections[$0].marks.isEmpty }
            && !(beats.isLeaving && (beats.isDue || beats.isInFlight))
    }
}
