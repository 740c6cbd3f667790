import ClusterModel

// The other half: commands that gateways forward here run in sessions, one for each of the gateway's connections, so that
// their order is kept. A session is a connection whose replies go back by number.
extension Engine {
    /// Commands of another node's gateway.
    mutating func noteForwarded(_ link: LinkID, _ payload: ByteView) {
        var cursor = ForwardCursor(payload)
        var arguments = takeViews()
        while let command = cursor.next(into: &arguments) {
            run(command, link, arguments)
            arguments.removeAll(keepingCapacity: true)
        }
        give(back: arguments)
        if cursor.isDamaged { effects.emit(note(.error, "a malformed frame of forwarded commands was dropped")) }
    }

    private mutating func run(_ command: ForwardedCommand, _ link: LinkID, _ arguments: [ByteView]) {
        let key = GatewayState.SessionKey(link: link, session: command.session)
        if command.request == ForwardedCommand.endsSession {
            if let place = gateway.sessions[key] { close(place) }
            return
        }
        let place = gateway.sessions[key] ?? openSession(key)
        guard let keyspace = keyspaceByID[command.keyspace] else {
            // The map is not here yet. What follows in the same attempt may come when it is, and must not be quicker.
            beats.isDue = true
            connections[place].refusedAttempt = max(connections[place].refusedAttempt ?? 0, command.attempt)
            return answer(link: link, request: command.request, .tryAgain, body: .empty)
        }
        connections[place].keyspace = keyspace
        connections[place].held.resp3 = command.protocolVersion == 3
        if let refused = connections[place].refusedAttempt {
            if refused >= command.attempt {
                return answer(link: link, request: command.request, .tryAgain, body: .empty)
            }
            connections[place].refusedAttempt = nil
        }
        connections[place].sessionAttempt = command.attempt
        unsafe arguments.withUnsafeBufferPointer { views in
            guard let base = views.baseAddress else { return }
            if !connections[place].isBlocked, isOutputFull(place) {
                unsafe enqueue(place, base, views.count, request: command.request)
                return block(place, .output)
            }
            unsafe accept(place, base, views.count, request: command.request)
        }
    }

    private mutating func openSession(_ key: GatewayState.SessionKey) -> Int {
        let place = take(.session(link: key.link, session: key.session))
        connections[place].isAuthenticated = true
        gateway.sessions[key] = place
        return place
    }

    /// Has the nodes forget a client's sessions, and what of its commands they have not run yet.
    mutating func endSessions(of place: Int) {
        let word = Array("shard.end".utf8)
        for session in connections[place].sessions {
            let batch = roomToForward(128, to: session.node)
            batch.begin(
                ForwardedCommand(
                    session: session.number, attempt: 0, request: ForwardedCommand.endsSession,
                    keyspace: KeyspaceID(rawValue: 0), shard: ShardID(rawValue: 0), epoch: .none, protocolVersion: 2),
                arguments: 1)
            word.withByteView { batch.append(argument: $0) }
            gateway.outgoing[session.node] = batch
        }
        connections[place].sessions.removeAll()
    }

    mutating func forgetSession(_ place: Int) {
        guard case .session(let link, let session) = connections[place].kind else { return }
        gateway.sessions[GatewayState.SessionKey(link: link, session: session)] = nil
    }

    /// The shard is not served here: says so with what is known, and refuses what follows in the same attempt.
    mutating func refuseSession(_ call: Call, _ shard: ShardID) -> Attempt {
        guard case .session(let link, _) = connections[call.connection].kind else { return .done }
        connections[call.connection].refusedAttempt = connections[call.connection].sessionAttempt
        scratch.removeAll()
        if let known = routes.shard(shard) { known.encode(into: &scratch) }
        answer(link: link, request: call.request, .stale, body: scratch.view)
        return .refused
    }

    /// Refuses a command that a session kept behind one that was refused: its gateway sends both again, in their order.
    mutating func refuseQueued(_ place: Int, _ request: UInt64) -> Bool {
        guard connections[place].refusedAttempt != nil, case .session(let link, _) = connections[place].kind else {
            return false
        }
        answer(link: link, request: request, .tryAgain, body: .empty)
        return true
    }

    /// A reply for a gateway. A full frame is handed to the host first, since a frame is bounded; a reply that fits none
    /// is replaced by an error: the command was executed, its reply cannot travel.
    mutating func answer(link: LinkID, request: UInt64, _ outcome: ForwardOutcome, body: ByteView) {
        let size = 16 + body.count
        var batch = gateway.answers[link] ?? ForwardReplyBatch()
        if link != GatewayState.loopback {
            guard size <= ForwardBatch.framePayload else {
                let error = "-ERR a reply of \(body.count) bytes is too long to be sent between nodes: ask for less\r\n"
                return Array(error.utf8).withByteView { answer(link: link, request: request, outcome, body: $0) }
            }
            if batch.bytes.count + size > ForwardBatch.framePayload {
                effects.emit(.answer(link: link, batch))
                batch = ForwardReplyBatch()
            }
        }
        batch.append(request: request, outcome, body: body)
        gateway.answers[link] = batch
    }

    /// Bytes of replies waiting for a link above which its sessions run nothing more: a client that reads slowly makes
    /// its gateway hold a bounded amount, and this node no more than that.
    static let linkBytes = 8 << 20

    /// What a session may add to a full link: small replies pass those of a client that asks for much.
    static let sessionBytes = 64 << 10

    /// Whether a session's link has enough to carry, and much of it is this session's.
    @inline(__always)
    mutating func isOutputFull(_ place: Int) -> Bool {
        guard case .session(let link, _) = connections[place].kind else { return false }
        if (gateway.answers[link]?.bytes.count ?? 0) + (gateway.backlogs[link] ?? 0) <= Engine.linkBytes {
            connections[place].linkBytes = 0
            return false
        }
        return connections[place].linkBytes > Engine.sessionBytes
    }

    /// The host tells what its links still hold.
    mutating func noteBacklog(of link: LinkID, _ bytes: Int) {
        gateway.backlogs[link] = bytes > 0 ? bytes : nil
        guard bytes <= Engine.linkBytes / 2 else { return }
        resumeParked { if case .output = $0 { true } else { false } }
    }

    /// A gateway's link is gone, and with it its sessions.
    mutating func noteLinkClosed(_ link: LinkID) {
        let gone = gateway.sessions.filter { $0.key.link == link }.map(\.value).sorted()
        for place in gone { close(place) }
        gateway.answers[link] = nil
        gateway.backlogs[link] = nil
    }

    /// Hands the turn's frames to the host; what this node owes itself runs at once.
    mutating func emitForwards() {
        if gateway.outgoing.isEmpty, gateway.answers.isEmpty { return }
        while true {
            if let batch = gateway.outgoing.removeValue(forKey: settings.id) {
                noteForwarded(GatewayState.loopback, batch.bytes.view)
            } else if let batch = gateway.answers.removeValue(forKey: GatewayState.loopback) {
                noteForwardAnswers(settings.id, batch.bytes.view)
            } else {
                break
            }
        }
        for node in gateway.outgoing.keys.sorted() {
            if let batch = gateway.outgoing.removeValue(forKey: node) { effects.emit(.forward(to: node, batch)) }
        }
        for link in gateway.answers.keys.sorted(by: { $0.number < $1.number }) {
            if let batch = gateway.answers.removeValue(forKey: link) { effects.emit(.answer(link: link, batch)) }
        }
    }
}
