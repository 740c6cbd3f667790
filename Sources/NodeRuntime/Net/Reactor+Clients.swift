internal import ClusterModel
internal import DataCore
internal import Logging
internal import Wire

// Clients of the cluster and gateway ports: accepted, read, parsed, answered, closed.
extension Reactor {
    /// Commands of one connection in one turn: a flood of one client leaves room for the others.
    private static let commandsPerTurn = 1024
    /// Connections accepted in one turn from one listener.
    private static let acceptsPerTurn = 64
    /// An incomplete command of so many bytes is read straight into its socket's input; a shorter one by way of the
    /// arena, so that ten thousand slow clients hold what they sent and no buffer.
    private static let longInput = 64 << 10

    func accept(_ listener: Listener) {
        for _ in 0..<Self.acceptsPerTurn {
            guard let descriptor = Socket.accept(listener.descriptor) else { return }
            guard descriptor >= 0 else {
                logger.warning("cannot accept a connection: \(SocketError.text(-descriptor))")
                return pauseAccepting()
            }
            if let port = listener.port { open(descriptor, port) } else { peers.accepted(descriptor) }
        }
    }

    private func open(_ descriptor: Int32, _ port: PortKind) {
        let peer = Peer(
            address: "\(Socket.peerAddress(descriptor))", local: "\(Socket.localAddress(descriptor))")
        guard let id = node.open(port, peer, now: Clocks.tick()) else {
            _ = Socket.write(descriptor, ByteView("-ERR max number of clients reached\r\n"))
            return Socket.close(descriptor)
        }
        let index = sockets.insert(ClientSocket(descriptor: descriptor, id: id))
        sockets[index].parser.isAuthenticated = !requiresPassword
        let place = Int(id.place)
        while socketOfPlace.count <= place { socketOfPlace.append(-1) }
        socketOfPlace[place] = index
        if !poller.add(descriptor, .read, Self.data(.client, index)) { close(index) }
    }

    // MARK: Requests

    /// Reads once and parses. What is no whole command stays with the socket.
    @inline(__always)
    func receive(_ index: Int) {
        guard sockets.isUsed(index), sockets[index].takesInput else { return }
        let descriptor = sockets[index].descriptor
        var outcome = Socket.Outcome.wouldBlock
        guard sockets[index].input.count < Self.longInput else { return receiveLong(index) }
        let view = unsafe arena.read { room in
            unsafe outcome = Socket.read(descriptor, room)
            if case .bytes(let count) = outcome { return count }
            return 0
        }
        switch outcome {
        case .wouldBlock: return
        case .closed: return close(index)
        case .bytes: break
        }
        if sockets[index].input.isEmpty {
            let consumed = parse(index, view)
            if consumed < view.count { sockets[index].input.append(view[consumed..<view.count]) }
        } else {
            sockets[index].input.append(view)
            parseInput(index)
        }
    }

    private func receiveLong(_ index: Int) {
        let descriptor = sockets[index].descriptor
        switch sockets[index].input.read(from: descriptor) {
        case .wouldBlock: return
        case .closed: return close(index)
        case .bytes: parseInput(index)
        }
        if sockets[index].input.count > Limits.queryBytes {
            logger.warning("client \(sockets[index].id.place) sent a command above \(Limits.queryBytes) bytes: closed")
            close(index)
        }
    }

    /// Parses what the socket holds; consumed bytes stay until the core has run (`dropConsumed`).
    private func parseInput(_ index: Int) {
        let consumed = parse(index, sockets[index].input.view)
        if consumed > 0 { consumedInputs.append((index, consumed)) }
    }

    func dropConsumed() {
        guard !consumedInputs.isEmpty else { return }
        for (index, count) in consumedInputs where sockets.isUsed(index) { sockets[index].dropInput(count) }
        consumedInputs.removeAll(keepingCapacity: true)
    }

    private func parse(_ index: Int, _ view: ByteView) -> Int {
        let id = sockets[index].id
        if requiresPassword, !sockets[index].parser.isAuthenticated {
            sockets[index].parser.isAuthenticated = node.isAuthenticated(id)
        }
        let result = sockets[index].parser.parse(view, connection: id, into: batch, limit: Self.commandsPerTurn)
        sockets[index].hasLeftover = result.isLimited
        if let error = result.error { refuse(index, error) }
        if !node.isReadable(id) {
            sockets[index].isPaused = true
            updateInterest(index)
        } else if result.isLimited {
            leftovers.append(index)
        }
        return result.consumed
    }

    /// The bytes are no request: behind the commands before them goes one that says so and closes.
    private func refuse(_ index: Int, _ error: ProtocolError) {
        sockets[index].isFinished = true
        updateInterest(index)
        let first = batch.argumentCount
        batch.append(ByteView("shard.refuse"))
        if let text = error.text { batch.append(kept("ERR \(text)")) }
        batch.finish(connection: sockets[index].id, first: first)
    }

    private func kept(_ text: String) -> ByteView {
        let bytes = Array(text.utf8)
        let room = unsafe batch.keep(bytes.count)
        for (index, byte) in bytes.enumerated() { unsafe room[index] = byte }
        return unsafe ByteView(base: room, count: bytes.count)
    }

    /// Parses on where the turn before stopped at its bound.
    func takeDue() {
        guard !due.isEmpty else { return }
        for index in due where sockets.isUsed(index) && sockets[index].hasLeftover && !sockets[index].isPaused {
            if !sockets[index].isDoomed, !sockets[index].isFinished { parseInput(index) }
        }
        due.removeAll(keepingCapacity: true)
    }

    // MARK: Replies

    /// Writes replies; what the socket does not take is kept, within a bound.
    @inline(__always)
    func send(_ index: Int, _ bytes: inout ByteBuffer) {
        if sockets[index].unsent > 0 {
            keep(index, bytes.view)
        } else if !bytes.isEmpty {
            switch Socket.write(sockets[index].descriptor, bytes.view) {
            case .bytes(let count):
                if count < bytes.count { keep(index, bytes.view[count..<bytes.count]) }
            case .wouldBlock: keep(index, bytes.view)
            case .closed: close(index)
            }
        }
        bytes.removeAll()
        bytes.shrink(above: 64 << 10)
        if sockets[index].isClosing { closeIfDone(index) }
    }

    private func keep(_ index: Int, _ rest: ByteView) {
        guard sockets[index].unsent + rest.count <= Limits.outputBytes else {
            logger.warning("client \(sockets[index].id.place) reads its replies too slowly: closed at its output bound")
            return close(index)
        }
        sockets[index].output.append(rest)
        if !sockets[index].awaitsWrite {
            sockets[index].awaitsWrite = true
            updateInterest(index)
        }
    }

    func flush(_ index: Int) {
        guard sockets.isUsed(index), sockets[index].unsent > 0 else { return }
        let output = sockets[index].output.view
        switch Socket.write(sockets[index].descriptor, output[sockets[index].sent..<output.count]) {
        case .bytes(let count): sockets[index].noteSent(count)
        case .wouldBlock: return
        case .closed: return close(index)
        }
        guard sockets[index].unsent == 0 else { return }
        sockets[index].awaitsWrite = false
        updateInterest(index)
        closeIfDone(index)
    }

    func updateInterest(_ index: Int) {
        poller.modify(sockets[index].descriptor, sockets[index].interest, Self.data(.client, index))
    }

    // MARK: Ends

    func closeIfDone(_ index: Int) {
        if sockets[index].isClosing, sockets[index].unsent == 0 { close(index) }
    }

    func close(_ index: Int) {
        guard sockets.isUsed(index), !sockets[index].isDoomed else { return }
        sockets[index].isDoomed = true
        doomed.append(index)
    }

    /// Closes what this turn doomed. Commands it sent before have run.
    func reap() {
        guard !doomed.isEmpty else { return }
        for index in doomed {
            let id = sockets[index].id
            poller.remove(sockets[index].descriptor)
            Socket.close(sockets[index].descriptor)
            socketOfPlace[Int(id.place)] = -1
            sockets.remove(index)
            node.close(id)
        }
        doomed.removeAll(keepingCapacity: true)
    }

    @inline(__always)
    func socket(of id: ConnectionID) -> Int? {
        let place = Int(id.place)
        guard place < socketOfPlace.count else { return nil }
        let index = socketOfPlace[place]
        return index >= 0 && sockets[index].id == id ? index : nil
    }
}
