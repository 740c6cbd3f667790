import ClusterModel

// Transactions whose shard another node serves. WATCH goes to that node's session, which remembers the keys; EXEC carries
// all commands at once, and how many keys the client believes watched: a session that knows of another number is a new one,
// and the transaction is not executed (RULES G4).
extension Engine {
    /// `shard.watch shard isFirst key ...` to the node that serves the keys.
    mutating func watchElsewhere(_ call: inout Call, _ entry: Int) -> Attempt {
        let place = call.connection
        let shard = keyspaces[connections[place].keyspace].entries[entry].shard
        if let known = connections[place].transaction.watchShard, known != shard {
            call.reply.error(Self.crossSlot)
            return .done
        }
        var arguments = [ByteView("shard.watch")]
        let isFirst = connections[place].transaction.watchCount == 0
        let number = Array("\(shard)".utf8)
        return number.withByteView { number in
            arguments.append(number)
            arguments.append(ByteView(isFirst ? "1" : "0"))
            for index in 1..<call.count { arguments.append(call[index]) }
            let index = connections[place].keyspace
            let attempt = forwardOwn(&call, entry, in: index, arguments, isWrite: false, sink: .mark)
            if case .done = attempt {
                connections[place].transaction.watchShard = shard
                connections[place].transaction.shardKeyspace = index
                connections[place].transaction.watchCount += call.count - 1
            }
            return attempt
        }
    }

    /// `shard.exec shard watched count (argc argument ...)...`: what touches a key goes to the node that serves the shard, at
    /// `index` in the keyspaces. The rest is about this node's client and runs here, when the answer says that all was
    /// executed; of it only HELLO's version goes along, since the replies behind it are written in it.
    mutating func execElsewhere(
        _ call: inout Call, _ shard: ShardID, in index: Int, _ commands: [[ByteView]]
    ) -> Attempt {
        let place = call.connection
        guard let entry = keyspaces[index].entries.firstIndex(where: { $0.shard == shard }) else {
            endTransaction(place)
            call.reply.error("EXECABORT Transaction discarded because its shard is gone.")
            return .done
        }
        if isClusterPort(place), keyspaces[index].usesSlots, let key = firstKey(commands),
            let node = keyspaces[index].entries[entry].primary.flatMap({ routes.node($0) })
        {
            endTransaction(place)
            let slot = unsafe Slot.number(of: key.buffer)
            call.reply.error("MOVED \(slot) \(node.address.host):\(node.address.port)")
            return .done
        }
        // Keys that were watched here no session knows: the sum is none that it has.
        let watched = connections[place].transaction.watchCount + connections[place].transaction.watched.count
        let isSent = commands.map { isSentAlong($0, call) }
        let isWhole = commands.allSatisfy { spec(of: $0)?.reach != .connection }
        let sent = zip(commands, isSent).compactMap { command, isSent -> [ByteView]? in
            // HELLO with its version alone.
            isSent ? spec(of: command)?.reach == .connection ? Array(command[0..<2]) : command : nil
        }
        var texts: [[UInt8]] = [Array("\(shard)".utf8), Array("\(watched)".utf8), Array("\(sent.count)".utf8)]
        texts += sent.map { Array("\($0.count)".utf8) }
        var bytes = ByteBuffer(capacity: 256)
        var places: [Range<Int>] = []
        for text in texts {
            places.append(bytes.count..<bytes.count + text.count)
            bytes.append(text)
        }
        let numbers = places.map { bytes.view[$0] }
        var arguments = [ByteView("shard.exec")] + numbers[0..<3]
        for (index, command) in sent.enumerated() { arguments += [numbers[3 + index]] + command }
        let isPlain = isWhole && connections[place].replyMode == .on
        let attempt = forwardOwn(
            &call, entry, in: index, arguments, isWrite: true, sink: isPlain ? .mark : .transaction(isSent))
        if case .done = attempt { endTransaction(place) }
        return attempt
    }

    /// Whether the node that serves the shard has to know of a queued command.
    private func isSentAlong(_ command: [ByteView], _ call: Call) -> Bool {
        guard let spec = spec(of: command) else { return false }
        if spec.reach != .connection { return true }
        guard spec.id == .hello, command.count > 1 else { return false }
        return unsafe command.withUnsafeBufferPointer { views in
            guard let base = views.baseAddress else { return false }
            return (try? unsafe greeting(call.with(arguments: base, count: views.count))) != nil
        }
    }

    /// The answer to an EXEC that waits for it at the head of its connection's queue.
    mutating func answerTransaction(_ place: Int, _ isSent: [Bool], _ answer: [UInt8]) {
        let request = connections[place].queue.request()
        let target = unsafe replyTarget(place)
        let start = unsafe target.pointee.bytes.count
        var call = unsafe Call(arguments: [], count: 0, connection: place, keyspace: 0, replica: -1, target: target)
        writeTransaction(&call, isSent, answer)
        endTransaction(place)
        settleReply(call, from: start, request: request)
        connections[place].queue.dropFirst()
        unblock(place)
    }

    /// Puts the reply of EXEC together: the parts that the other node ran as it wrote them, the rest as it runs here now.
    private mutating func writeTransaction(_ call: inout Call, _ isSent: [Bool], _ answer: [UInt8]) {
        answer.withByteView { answer in
            guard let parts = ReplySlicer.elements(answer), parts.count == isSent.count(where: { $0 }) else {
                // An error, or null: nothing was executed, or nobody knows.
                return call.reply.bytes.append(answer)
            }
            let place = call.connection
            beginReplies(&call, isSent.count)
            var next = 0
            var selections = 0
            for (index, isSent) in isSent.enumerated() {
                let start = call.reply.bytes.count
                let isClosing = connections[place].isClosing
                var views: [ByteView] = []
                connections[place].transaction.queue.views(index, into: &views)
                let spec = spec(of: views)
                if let spec, spec.reach == .connection {
                    unsafe views.withUnsafeBufferPointer { views in
                        guard let base = views.baseAddress else { return }
                        var inner = unsafe call.with(arguments: base, count: views.count)
                        inner.isInExec = true
                        stats.count(spec.id)
                        runQueuedConnection(&inner, spec, &selections)
                    }
                } else {
                    call.reply.bytes.append(parts[next])
                }
                if isSent { next += 1 }
                silence(call, from: start, isClosing: isClosing)
            }
        }
    }

    private func firstKey(_ commands: [[ByteView]]) -> ByteView? {
        for command in commands {
            guard let name = command.first, let spec = CommandTable.find(name, command.count > 1 ? command[1] : nil),
                let position = spec.keyPositions(count: command.count).first(where: { _ in true })
            else { continue }
            return command[position]
        }
        return nil
    }

    /// Forwards a command of our own in place of the client's; its reply is the client's reply.
    private mutating func forwardOwn(
        _ call: inout Call, _ entry: Int, in index: Int, _ arguments: [ByteView], isWrite: Bool, sink: Forward.Sink
    ) -> Attempt {
        let place = call.connection
        let shard = keyspaces[index].entries[entry]
        guard let node = owner(of: shard) else { return .blocked(.serving) }
        if isOrdered(place, shard.shard, behind: node) { return .blocked(.order) }
        let forward = Forward(
            request: takeRequest(), connection: id(place), keyspace: index, shard: shard.shard, node: node,
            isWrite: isWrite, protocolVersion: protocolVersion(place), sink: sink, keyPosition: 0)
        forward.arguments.append(count: arguments.count) { arguments[$0] }
        if case .transaction(let isSent) = sink {
            send(forward)
            // What cannot be sent is answered at once.
            guard let answer = gateway.results.removeValue(forKey: forward.request) else {
                return .blocked(.exec(forward.request))
            }
            writeTransaction(&call, isSent, answer)
            return .done
        }
        pushRemote(forward.request, place)
        send(forward)
        call.isDeferred = true
        return .done
    }

    // MARK: Where the shard is served

    /// `shard.watch shard isFirst key ...`, in a gateway's session.
    mutating func watchForwarded(_ call: inout Call) -> Attempt {
        guard call.count >= 4, let spec = CommandTable.find(ByteView("watch"), nil) else {
            return reject(call, "ERR syntax error")
        }
        if call[2].equalsIgnoringCase("1") { unwatch(call.connection) }
        var inner = call.dropping(2, keyspace: call.keyspace)
        let attempt = watch(&inner, spec)
        call.replica = inner.replica
        call.wait = max(call.wait, inner.wait)
        return attempt
    }

    /// `shard.exec`, in a gateway's session.
    mutating func runForwardedTransaction(_ call: inout Call) -> Attempt {
        let place = call.connection
        guard call.count >= 4, let watched = call[2].decimal, let count = call[3].decimal, count <= UInt64(call.count)
        else {
            return reject(call, "ERR syntax error")
        }
        var commands: [[ByteView]] = []
        var index = 4
        for _ in 0..<count {
            guard index < call.count, let size = call[index].decimal, size >= 1, size < UInt64(call.count - index)
            else {
                return reject(call, "ERR syntax error")
            }
            commands.append((index + 1...index + Int(size)).map { call[$0] })
            index += Int(size) + 1
        }
        for command in commands where !isInShard(command, call) {
            return reject(call, "EXECABORT Transaction discarded because the shard's range changed.")
        }
        if watched > 0 {
            let missing = loadWatched(place, replica: call.replica)
            if missing > 0 { return .blocked(.rows(missing)) }
            guard connections[place].transaction.watched.count == Int(clamping: watched),
                !connections[place].transaction.isDirty, !isWatchedKeyExpired(place)
            else {
                unwatch(place)
                call.reply.nullArray()
                return .done
            }
        }
        let attempt = execHere(&call, commands)
        if case .done = attempt { unwatch(place) }
        return attempt
    }

    private func isInShard(_ command: [ByteView], _ call: Call) -> Bool {
        guard let name = command.first, let spec = CommandTable.find(name, command.count > 1 ? command[1] : nil) else {
            return false
        }
        let index = connections[call.connection].keyspace
        for position in spec.keyPositions(count: command.count) {
            let entry = keyspaces[index].locate(command[position])
            guard entry >= 0, keyspaces[index].entries[entry].replica == call.replica else { return false }
        }
        return true
    }
}
