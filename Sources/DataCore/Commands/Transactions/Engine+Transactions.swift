import ClusterModel

// MULTI, EXEC and their like, within one shard: EXEC is one record, so it is executed wholly or not at all (RULES G4).
extension Engine {
    mutating func runTransaction(_ call: inout Call, _ spec: CommandSpec) -> Attempt {
        let place = call.connection
        switch spec.id {
        case .multi:
            if connections[place].transaction.isOpen { return refuseInside(call, "ERR MULTI calls can not be nested") }
            connections[place].transaction.isOpen = true
            call.reply.ok()
        case .discard:
            guard connections[place].transaction.isOpen else { return refuseInside(call, "ERR DISCARD without MULTI") }
            endTransaction(place)
            call.reply.ok()
        case .watch:
            if connections[place].transaction.isOpen {
                return refuseInside(call, "ERR WATCH inside MULTI is not allowed")
            }
            return watch(&call, spec)
        case .unwatch:
            unwatch(place)
            call.reply.ok()
        default: return exec(&call)
        }
        return .done
    }

    /// Refuses without dooming the transaction, as Redis does.
    private func refuseInside(_ call: Call, _ text: String) -> Attempt {
        call.reply.error(text)
        return .done
    }

    /// A command behind MULTI: its shard is checked now, it runs at EXEC.
    mutating func queueInTransaction(_ call: inout Call, _ spec: CommandSpec) -> Attempt {
        let place = call.connection
        if spec.flags.contains(.noMulti) || spec.reach == .keyspace || spec.group == .shard || spec.id.mayNotQueue {
            return reject(call, "ERR Command not allowed inside a transaction")
        }
        if spec.id == .select {
            switch selected(call) {
            case .unknown: return .blocked(.lookup)
            case .refused: connections[place].transaction.selections.append(nil)
            case .keyspace(let index):
                connections[place].transaction.selections.append(index)
                connections[place].transaction.keyspace = index
            }
        }
        if spec.reach != .connection {
            let index = connections[place].transaction.keyspace ?? connections[place].keyspace
            let entry: Int
            switch locate(call, spec, in: index) {
            case .refused(let text): return reject(call, text)
            case .blocked(let block): return .blocked(block)
            case .forward(let found): entry = found
            case .here(let replica):
                let shard = replicas[replica].configuration.id
                guard let found = keyspaces[index].entries.firstIndex(where: { $0.shard == shard }) else {
                    return .blocked(.serving)
                }
                entry = found
            }
            let shard = keyspaces[index].entries[entry].shard
            if let known = connections[place].transaction.shard ?? connections[place].transaction.watchShard,
                known != shard
            {
                return reject(call, Self.crossSlot)
            }
            connections[place].transaction.shard = shard
            connections[place].transaction.shardKeyspace = index
        }
        connections[place].transaction.queue.append(count: call.count) { call[$0] }
        call.reply.simple("QUEUED")
        return .done
    }

    /// An EXEC with arguments ends the transaction, as in Redis.
    @inline(never)
    mutating func abortExec(_ call: Call) -> Attempt {
        endTransaction(call.connection)
        call.reply.error(
            "EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command")
        return .done
    }

    private mutating func exec(_ call: inout Call) -> Attempt {
        let place = call.connection
        guard connections[place].transaction.isOpen else { return refuseInside(call, "ERR EXEC without MULTI") }
        if connections[place].transaction.isAborted {
            endTransaction(place)
            call.reply.error("EXECABORT Transaction discarded because of previous errors.")
            return .done
        }
        var commands: [[ByteView]] = []
        for index in 0..<connections[place].transaction.queue.count {
            var views: [ByteView] = []
            connections[place].transaction.queue.views(index, into: &views)
            commands.append(views)
        }
        guard let shard = connections[place].transaction.shard ?? connections[place].transaction.watchShard else {
            runQueued(&call, commands)
            endTransaction(place)
            return .done
        }
        let index = connections[place].transaction.shardKeyspace ?? connections[place].keyspace
        call.keyspace = keyspaces[index].number
        // What a session watches it guards itself, also where that session is one of this node's own.
        guard connections[place].transaction.watchCount == 0, let held = replicaIndex[shard],
            replicas[held].state == .starting || replicas[held].state == .serving
        else {
            return execElsewhere(&call, shard, in: index, commands)
        }
        // A part of an earlier command may still be on its way to this very shard.
        if isOrdered(place, shard, behind: nil) { return .blocked(.order) }
        guard numbers[held].isServing else { return .blocked(.serving) }
        let missing = loadWatched(place, replica: held)
        if missing > 0 { return .blocked(.rows(missing)) }
        if connections[place].transaction.isDirty || isWatchedKeyExpired(place) {
            endTransaction(place)
            call.reply.nullArray()
            return .done
        }
        call.replica = held
        let attempt = execHere(&call, commands)
        if case .done = attempt { endTransaction(place) }
        return attempt
    }

    /// Runs queued commands whose shard serves here, as one record.
    mutating func execHere(_ call: inout Call, _ commands: [[ByteView]]) -> Attempt {
        guard numbers[call.replica].isServing else { return .blocked(.serving) }
        if let blocked = prepare(call, commands) { return blocked }
        runQueued(&call, commands)
        endRecord(call)
        return .done
    }

    /// Has the rows of all commands, and room for their writes; nil = all is there.
    private mutating func prepare(_ call: Call, _ commands: [[ByteView]]) -> Attempt? {
        for command in commands {
            guard let spec = spec(of: command), spec.reach != .connection else { continue }
            if spec.flags.contains(.write), backlog >= settings.backlogBytes { return .blocked(.backlog) }
            if spec.flags.contains(.write), !numbers[call.replica].isWritable { return reject(call, Engine.tooFew) }
            if spec.flags.contains(.denyoom), isDiskLow {
                return reject(call, "READONLY the disk reserve is reached: only deletes are accepted")
            }
        }
        var missing = 0
        forEachKey(of: commands) { engine, key in
            missing += engine.awaitRow(key, replica: call.replica, keyspace: call.keyspace, place: call.connection)
        }
        guard missing > 0 else { return nil }
        if isShortOfMemory {
            forEachKey(of: commands) { engine, key in
                missing += engine.pin(key, keyspace: call.keyspace, place: call.connection)
            }
            missing += pinWatched(call.connection)
        }
        return .blocked(.rows(missing))
    }

    /// The keys whose rows queued commands read.
    private mutating func forEachKey(of commands: [[ByteView]], _ body: (inout Engine, ByteView) -> Void) {
        for command in commands {
            guard let spec = spec(of: command), spec.reach != .connection, spec.needsRows(count: command.count) else {
                continue
            }
            for position in spec.keyPositions(count: command.count) { body(&self, command[position]) }
        }
    }

    /// Runs each command into the same reply and the same record.
    private mutating func runQueued(_ call: inout Call, _ commands: [[ByteView]]) {
        beginReplies(&call, commands.count)
        var selections = 0
        for command in commands {
            let start = call.reply.bytes.count
            let isClosing = connections[call.connection].isClosing
            unsafe command.withUnsafeBufferPointer { views in
                guard let base = views.baseAddress, let spec = spec(of: command) else {
                    return call.reply.error("ERR the command is not known any more")
                }
                var inner = unsafe call.with(arguments: base, count: views.count)
                inner.isInExec = true
                stats.count(spec.id)
                if spec.reach == .connection {
                    runQueuedConnection(&inner, spec, &selections)
                } else if let text = limitsViolation(inner, spec) {
                    inner.reply.error(text)
                } else {
                    run(&inner, spec)
                }
                call.seq = inner.seq
                call.wait = max(call.wait, inner.wait)
            }
            silence(call, from: start, isClosing: isClosing)
        }
    }

    /// Runs a queued command that touches no key. `selections` counts the SELECTs so far.
    mutating func runQueuedConnection(_ call: inout Call, _ spec: CommandSpec, _ selections: inout Int) {
        let place = call.connection
        switch spec.id {
        case .unwatch:
            // The end of EXEC unwatches all; the shard of the transaction must stay known until then.
            call.reply.ok()
        case .select:
            let chosen = connections[place].transaction.selections
            useQueued(call, selections < chosen.count ? chosen[selections] : nil)
            selections += 1
        default: _ = runConnection(&call, spec)
        }
    }

    /// Begins the reply of EXEC. As in Redis, CLIENT REPLY holds for each of its parts, from where it stands among them.
    mutating func beginReplies(_ call: inout Call, _ count: Int) {
        let start = call.reply.bytes.count
        call.isSilenced = true
        call.reply.array(count)
        silence(call, from: start)
    }

    /// Takes back a part of EXEC's reply that CLIENT REPLY says is not given, or that comes after the client killed itself.
    func silence(_ call: Call, from start: Int, isClosing: Bool = false) {
        if isClosing { return call.reply.bytes.truncate(to: start) }
        switch connections[call.connection].replyMode {
        case .off, .skip: call.reply.bytes.truncate(to: start)
        case .on, .skipNext: break
        }
    }

    func spec(of command: [ByteView]) -> CommandSpec? {
        command.first.flatMap { CommandTable.find($0, command.count > 1 ? command[1] : nil) }
    }

    /// The connection is as before MULTI, and watches nothing.
    mutating func endTransaction(_ place: Int) {
        unwatch(place)
        connections[place].transaction.isOpen = false
        connections[place].transaction.isAborted = false
        connections[place].transaction.shard = nil
        connections[place].transaction.selections = []
        connections[place].transaction.keyspace = nil
        connections[place].transaction.shardKeyspace = nil
        connections[place].transaction.queue.removeAll()
    }
}
