import ClusterModel
internal import DequeModule

// The gateway's half of forwarding: a command goes to the node that serves its shard, its reply takes its place in the
// connection's order. What was refused is sent again, what may have run never is (RULES G1).
extension Engine {
    /// Forwards a command whole. Its reply comes by a mark.
    /// - Parameter toPrimary: even if another member may answer it.
    mutating func forward(
        _ call: inout Call, _ spec: CommandSpec, to entry: Int, toPrimary: Bool = false
    ) -> Attempt {
        let place = call.connection
        let index = connections[place].keyspace
        let shard = keyspaces[index].entries[entry]
        if connections[place].isSession { return refuseSession(call, shard.shard) }
        guard let primary = owner(of: shard) else { return .blocked(.serving) }
        let isRead = spec.flags.contains(.readonly) && !toPrimary
        let node = isRead ? readTarget(shard.shard, place) ?? primary : primary
        if isOrdered(place, shard.shard, behind: node) || hasForwardedEnough(call) { return .blocked(.order) }
        let request = takeRequest()
        let keyPosition = spec.keyPositions(count: call.count).first { _ in true } ?? 0
        let forward = Forward(
            request: request, connection: id(place), keyspace: index, shard: shard.shard, node: node,
            isWrite: spec.flags.contains(.write), protocolVersion: protocolVersion(place), sink: .mark,
            keyPosition: keyPosition)
        forward.arguments.append(count: call.count) { call[$0] }
        pushRemote(request, place)
        if forward.isWrite { noteWritten(shard.shard, place) }
        if node != primary {
            gateway.readLimits.append((now.monotonic + settings.leaseMillis * 1_000_000 / 4, request))
        }
        send(forward)
        call.isDeferred = true
        return .done
    }

    /// Bytes of one connection's commands that may be under way to other nodes.
    static let forwardedBytes = 4 << 20

    /// Whether so much of the connection is under way that a further command waits for the replies.
    private func hasForwardedEnough(_ call: Call) -> Bool {
        connections[call.connection].forwardedBytes > Engine.forwardedBytes
    }

    func owner(of shard: KeyspaceIndex.Entry) -> NodeID? { shard.replica >= 0 ? settings.id : shard.primary }

    func protocolVersion(_ place: Int) -> UInt8 { connections[place].out.resp3 ? 3 : 2 }

    mutating func takeRequest() -> UInt64 {
        let request = gateway.nextRequest
        gateway.nextRequest += 1
        gateway.limits.append((now.monotonic + settings.gatewayTimeoutMillis * 1_000_000, request))
        return request
    }

    /// Keeps the place of a reply that comes later.
    mutating func pushRemote(_ request: UInt64, _ place: Int) {
        let isSilent = connections[place].replyMode != .on
        if connections[place].replyMode == .skipNext { connections[place].replyMode = .skip }
        if connections[place].replyMode == .skip { connections[place].replyMode = .on }
        push(
            Connection.Mark(
                length: 0, count: isSilent ? 0 : 1, isRemote: true, isLogged: false, replica: -1, seq: 0,
                request: request), place)
    }

    /// Whether commands of the shard are under way to somebody else, or wait to be sent again, so that this one would
    /// overtake them.
    func isOrdered(_ place: Int, _ shard: ShardID, behind node: NodeID?) -> Bool {
        guard !connections[place].inFlight.isEmpty else { return false }
        return connections[place].inFlight.contains { $0.shard == shard && $0.node != node }
            || gateway.refused.contains(place)
    }

    /// Gives a forward to its node's frame of this turn.
    mutating func send(_ forward: Forward) {
        guard let place = place(forward.connection) else { return }
        stats.forwards += 1
        forward.isRefused = false
        note(inFlight: forward, place)
        gateway.forwards[forward.request] = forward
        guard let id = keyspaces[forward.keyspace].keyspace?.id else {
            return complete(forward, Array("-\(missingKeyspace(forward.keyspace))\r\n".utf8))
        }
        guard forward.arguments.footprint <= ForwardBatch.longestCommand else {
            return complete(forward, Array("-ERR the command is too long to be forwarded: above 64 MiB\r\n".utf8))
        }
        let session =
            connections[place].client.id << 17 | UInt64(forward.keyspace & 0xFFFF) << 1
            | (forward.protocolVersion == 3 ? 1 : 0)
        var views: [ByteView] = []
        forward.arguments.views(into: &views)
        let size = views.reduce(64) { $0 + 4 + $1.count }
        guard size <= ForwardBatch.framePayload || forward.node == settings.id else {
            return complete(
                forward, Array("-ERR a command of \(size) bytes is too long to be forwarded to another node\r\n".utf8))
        }
        let attempt = attempt(of: session, at: forward.node, place)
        let batch = roomToForward(size, to: forward.node)
        batch.begin(
            ForwardedCommand(
                session: session, attempt: Mutant.g3AttemptsBeginAnew.isOn ? forward.attempt : attempt,
                request: forward.request, keyspace: id,
                shard: forward.shard, epoch: routes.shard(forward.shard)?.epoch ?? .none,
                protocolVersion: forward.protocolVersion), arguments: forward.arguments.argumentCount(0))
        for view in views { batch.append(argument: view) }
        gateway.outgoing[forward.node] = batch
    }

    /// Which attempt a session is at that a node holds for a connection here. It never falls: a command that was refused and
    /// given up has its session refuse whatever comes in the same attempt.
    private mutating func attempt(of session: UInt64, at node: NodeID, _ place: Int) -> UInt32 {
        if let known = connections[place].sessions.first(where: { $0.node == node && $0.number == session }) {
            return known.attempt
        }
        connections[place].sessions.append(RemoteSession(node: node, number: session))
        return 0
    }

    /// The turn's frame for a node; a full one is handed to the host first, since a frame is bounded.
    mutating func roomToForward(_ size: Int, to node: NodeID) -> ForwardBatch {
        guard let batch = gateway.outgoing[node] else { return ForwardBatch() }
        guard node != settings.id, batch.bytes.count + size > ForwardBatch.framePayload else { return batch }
        effects.emit(.forward(to: node, batch))
        return ForwardBatch()
    }

    private mutating func note(inFlight forward: Forward, _ place: Int) {
        connections[place].forwardedBytes += forward.arguments.footprint
        if let known = connections[place].inFlight.firstIndex(where: { $0.shard == forward.shard }) {
            connections[place].inFlight[known].count += 1
            connections[place].inFlight[known].node = forward.node
        } else {
            connections[place].inFlight.append(ForwardRoute(shard: forward.shard, node: forward.node, count: 1))
        }
    }

    private mutating func note(landed forward: Forward, _ place: Int) {
        connections[place].forwardedBytes -= forward.arguments.footprint
        guard let known = connections[place].inFlight.firstIndex(where: { $0.shard == forward.shard }) else { return }
        connections[place].inFlight[known].count -= 1
        if connections[place].inFlight[known].count <= 0 { connections[place].inFlight.remove(at: known) }
    }

    // MARK: Replies

    /// Replies of another node's peer port.
    mutating func noteForwardAnswers(_ node: NodeID, _ payload: ByteView) {
        var cursor = ForwardReplyCursor(payload)
        while let (request, outcome, body) = cursor.next() {
            guard let forward = gateway.forwards[request], forward.node == node, !forward.isRefused else { continue }
            switch outcome {
            case .reply: complete(forward, body.array)
            case .stale:
                if let newer = ShardConfiguration(decoding: body) { noteCorrection(newer) }
                refuse(forward)
            case .tryAgain: refuse(forward)
            }
        }
        if cursor.isDamaged { effects.emit(note(.error, "a malformed reply frame of \(node) was dropped")) }
    }

    /// A forward has its reply.
    mutating func complete(_ forward: Forward, _ reply: [UInt8]) {
        gateway.forwards[forward.request] = nil
        guard let place = place(forward.connection) else { return }
        note(landed: forward, place)
        switch forward.sink {
        case .mark:
            gateway.results[forward.request] = reply
            connections[place].resultBytes += reply.count
            release(place)
            if connections[place].resultBytes > Limits.outputBytes { closeOverfull(place) }
        case .transaction(let isSent):
            if case .exec(forward.request) = connections[place].block {
                answerTransaction(place, isSent, reply)
            } else {
                gateway.results[forward.request] = reply
            }
        case .gather(let number, let part):
            gathered(number, part: part, reply)
        }
    }

    /// Gives a remote reply its place in the order, if it is there.
    mutating func releaseRemote(_ mark: Connection.Mark, _ place: Int) -> Bool {
        guard let reply = gateway.results.removeValue(forKey: mark.request) else { return false }
        connections[place].resultBytes -= reply.count
        if mark.count > 0 {
            connections[place].out.bytes.append(reply)
            markDirty(place)
        }
        return true
    }

    /// Replies above the output bound wait behind an earlier one: as with a client that does not read, it is closed.
    private mutating func closeOverfull(_ place: Int) {
        effects.emit(note(.warning, "client \(connections[place].client.id) has too many replies waiting: closed"))
        connections[place].isClosing = true
        effects.emit(.close(id(place)))
    }

    // MARK: Refused and lost

    /// It was not executed: it is sent again when the map shows another way, or a little later.
    mutating func refuse(_ forward: Forward) {
        guard let place = place(forward.connection) else {
            gateway.forwards[forward.request] = nil
            return
        }
        forward.isRefused = true
        forward.notBefore = now.monotonic + Engine.retryPause
        gateway.refused.insert(place)
        beats.isDue = true
    }

    /// ns before a command goes again to the node that refused it.
    static let retryPause: UInt64 = 20_000_000

    /// Sends again what was refused and may go now, each connection's commands in their order.
    mutating func retryForwards() {
        for place in gateway.refused.sorted() { retryForwards(of: place) }
    }

    private mutating func retryForwards(of place: Int) {
        let use = connections[place].use
        let own = gateway.forwards.values
            .filter { Int($0.connection.place) == place && $0.connection.use == use }
            .sorted { $0.request < $1.request }
        let refused = own.filter(\.isRefused)
        guard let first = refused.first else {
            gateway.refused.remove(place)
            return
        }
        let targets = refused.compactMap { target(of: $0) }
        guard targets.count == refused.count else { return }
        // What is still under way to a refusing node is refused as well, behind this: all go again in one row. And where they
        // go nothing is under way that may be refused: behind a new attempt nobody would know of it.
        let nodes = Set(targets + refused.map(\.node))
        if own.contains(where: { !$0.isRefused && nodes.contains($0.node) }) { return }
        if targets.first == first.node, now.monotonic < first.notBefore { return }
        gateway.refused.remove(place)
        for index in connections[place].sessions.indices where targets.contains(connections[place].sessions[index].node)
        {
            connections[place].sessions[index].attempt += 1
        }
        for (forward, target) in zip(refused, targets) {
            note(landed: forward, place)
            forward.attempt += 1
            forward.node = target
            send(forward)
        }
    }

    /// Who serves it by the map as it is now; nil = nobody known.
    private func target(of forward: Forward) -> NodeID? {
        if forward.keyPosition > 0 {
            var views: [ByteView] = []
            forward.arguments.views(into: &views)
            guard forward.keyPosition < views.count else { return nil }
            let entry = keyspaces[forward.keyspace].locate(views[forward.keyPosition])
            return entry < 0 ? nil : owner(of: keyspaces[forward.keyspace].entries[entry])
        }
        return keyspaces[forward.keyspace].entries.first { $0.shard == forward.shard }.flatMap { owner(of: $0) }
    }

    /// The way to a node broke. Reads, and writes that never left, go again; the rest may have run.
    mutating func notePeerLost(_ node: NodeID, nothingSent: Bool) {
        let unsent = takeUnsent(to: node)
        let lost = gateway.forwards.values.filter { $0.node == node && !$0.isRefused }.sorted {
            $0.request < $1.request
        }
        for forward in lost {
            if forward.isWrite, !nothingSent, !unsent.contains(forward.request), !Mutant.g1ResendsWrites.isOn {
                complete(forward, Array("-UNCERTAIN the connection to \(node) broke after the command left\r\n".utf8))
            } else {
                refuse(forward)
            }
        }
    }

    /// Takes what this turn gathered for a node: it would leave on the next link, though its commands are refused now and
    /// go again, and so run twice.
    private mutating func takeUnsent(to node: NodeID) -> Set<UInt64> {
        guard let batch = gateway.outgoing.removeValue(forKey: node) else { return [] }
        var cursor = ForwardCursor(batch.bytes.view)
        var arguments: [ByteView] = []
        var requests: Set<UInt64> = []
        while let command = cursor.next(into: &arguments) {
            requests.insert(command.request)
            arguments.removeAll(keepingCapacity: true)
        }
        return requests
    }

    /// Ends what waits too long.
    mutating func expireForwards() {
        hurryReads()
        while let limit = gateway.limits.first, limit.at <= now.monotonic {
            gateway.limits.removeFirst()
            guard let forward = gateway.forwards[limit.request] else { continue }
            let text =
                forward.isWrite && !forward.isRefused && !Mutant.g2UnknownIsRefused.isOn
                ? "-UNCERTAIN \(forward.node) did not answer in time\r\n"
                : "-TRYAGAIN no serving primary for this shard just now\r\n"
            complete(forward, Array(text.utf8))
        }
        if !gateway.refused.isEmpty { retryForwards() }
    }

    /// The connection is gone: its forwards' replies go nowhere, and the nodes may forget its sessions.
    mutating func abandonForwards(of place: Int) {
        guard case .client = connections[place].kind else { return forgetSession(place) }
        endSessions(of: place)
        for mark in connections[place].marks where mark.isRemote {
            gateway.results[mark.request] = nil
            gateway.gathers[mark.request] = nil
        }
        guard !connections[place].inFlight.isEmpty else { return }
        let use = connections[place].use
        for forward in gateway.forwards.values.filter({
            Int($0.connection.place) == place && $0.connection.use == use
        }).sorted(by: { $0.request < $1.request }) {
            gateway.forwards[forward.request] = nil
        }
        gateway.refused.remove(place)
    }
}
