import ClusterModel

// The way of a command through the node: look up, check, locate its shard, have its rows, run, settle its reply.
extension Engine {
    /// What became of a try to run a command.
    enum Attempt {
        case done
        /// A session's command whose refusal was already sent, or a command of a connection that closes: no reply.
        case refused
        /// It waits; nothing of it was done.
        case blocked(Connection.Block)
    }

    /// All commands of one turn. Rows are touched in windows first, so that the processor fetches many at a time.
    mutating func execute(_ commands: CommandBatch) {
        let arguments = commands.arguments
        unsafe arguments.withUnsafeBufferPointer { views in
            guard let base = views.baseAddress else { return }
            var start = 0
            while start < commands.entries.count {
                let end = min(start + Engine.window, commands.entries.count)
                unsafe touchRows(commands, start..<end, base)
                for index in start..<end {
                    let entry = commands.entries[index]
                    guard let place = self.place(entry.connection) else { continue }
                    unsafe accept(place, base + Int(entry.first), Int(entry.count), request: 0)
                }
                start = end
            }
        }
    }

    static let tooFew = "TRYAGAIN fewer members than the keyspace's min-in-sync: writes are refused"

    /// Commands looked at together.
    static let window = 64

    /// Loads the cache lines that the commands of a window will need: first the table's, then the rows'.
    private func touchRows(_ commands: CommandBatch, _ range: Range<Int>, _ base: UnsafePointer<ByteView>) {
        guard range.count > 1 else { return }
        unsafe withUnsafeTemporaryAllocation(of: UInt64.self, capacity: Engine.window) { hashes in
            var filled = 0
            for index in range {
                let entry = commands.entries[index]
                guard entry.count > 1 else { continue }
                let keyspace = keyspaces[connections[Int(entry.connection.place)].keyspace].number
                let hash = unsafe hash(base[Int(entry.first) + 1], keyspace: keyspace)
                rows.prefetch(hash)
                unsafe hashes[filled] = hash
                filled += 1
            }
            for index in 0..<filled { unsafe rows.prefetchRow(hashes[index]) }
        }
    }

    /// A command that has just arrived: runs it, or keeps it behind what its connection waits for.
    @inline(__always)
    mutating func accept(_ place: Int, _ arguments: UnsafePointer<ByteView>, _ count: Int, request: UInt64) {
        if connections[place].isBlocked {
            return unsafe enqueue(place, arguments, count, request: request)
        }
        if unsafe connections.address(place).pointee.takesNoMore {
            connections[place].isClosing = true
            return
        }
        if unsafe runFast(place, arguments, count, request: request) { return }
        switch unsafe attempt(place, arguments, count, request: request) {
        case .done, .refused: break
        case .blocked(let block):
            unsafe enqueue(place, arguments, count, request: request)
            self.block(place, block)
        }
    }

    /// One try. What it answers `.blocked` may be tried again later: nothing was done.
    mutating func attempt(
        _ place: Int, _ arguments: UnsafePointer<ByteView>, _ count: Int, request: UInt64
    ) -> Attempt {
        // Behind QUIT nothing runs.
        if connections[place].isClosing { return .refused }
        let target = unsafe replyTarget(place)
        let start = unsafe target.pointee.bytes.count
        let keyspace = keyspaces[connections[place].keyspace].number
        var call = unsafe Call(
            arguments: arguments, count: count, connection: place, keyspace: keyspace, replica: -1, target: target)
        call.request = request
        let counted = stats.total
        let attempt = dispatch(&call)
        if case .done = attempt, !call.isDeferred {
            if unsafe target.pointee.bytes.count > start, unsafe target.pointee.bytes.view[start] == UInt8(ascii: "-") {
                unsafe stats.noteError(
                    target.pointee.bytes.view[start + 1..<start + 33], of: connections[place].client.command,
                    wasRun: stats.total != counted)
            }
            settleReply(call, from: start, request: request)
        } else if case .blocked(let block) = attempt, stats.total != counted, block.isRetried,
            let id = connections[place].client.command
        {
            stats.uncount(id)
        }
        return attempt
    }

    private mutating func dispatch(_ call: inout Call) -> Attempt {
        let name = call[0]
        guard let spec = CommandTable.find(name, call.count > 1 ? call[1] : nil) else {
            connections[call.connection].client.command = nil
            return reject(call, CommandTable.unknown(call))
        }
        if spec.isContainer, call.count > 1 {
            connections[call.connection].client.command = nil
            return reject(call, CommandTable.unknownSubcommand(call))
        }
        connections[call.connection].client.command = spec.id
        guard spec.accepts(count: call.count) else {
            if spec.id == .exec { return abortExec(call) }
            return reject(call, "ERR wrong number of arguments for '\(spec.name)' command")
        }
        if !connections[call.connection].isAuthenticated, settings.password != nil, !spec.flags.contains(.noAuth) {
            return reject(call, "NOAUTH Authentication required.")
        }
        if clientPause.until > now.monotonic, isPaused(spec) { return .blocked(.pause) }
        if connections[call.connection].transaction.isOpen, !spec.id.runsInsideMulti {
            return queueInTransaction(&call, spec)
        }
        stats.count(spec.id)
        switch spec.reach {
        case .connection:
            switch spec.group {
            case .shard: return runOwnCommand(&call, spec)
            case .transactions: return runTransaction(&call, spec)
            default: return runConnection(&call, spec)
            }
        case .shard: return runInShard(&call, spec)
        case .scatter: return runScattered(&call, spec)
        case .keyspace: return runOverKeyspace(&call, spec)
        }
    }

    private func isPaused(_ spec: CommandSpec) -> Bool {
        spec.reach != .connection && (!clientPause.isWriteOnly || spec.flags.contains(.write))
    }

    /// Refuses a command: nothing of it was done. An open MULTI is doomed by it.
    @inline(never)
    mutating func reject(_ call: Call, _ text: String) -> Attempt {
        call.reply.error(text)
        if connections[call.connection].transaction.isOpen { connections[call.connection].transaction.isAborted = true }
        return .done
    }

    /// A command all of whose keys lie in one shard.
    mutating func runInShard(_ call: inout Call, _ spec: CommandSpec) -> Attempt {
        let (entry, slot): (Int, UInt16?)
        switch self.entry(of: call, spec) {
        case .refused(let text): return reject(call, text)
        case .found(let found, let hashed): (entry, slot) = (found, hashed)
        }
        let keyspace = connections[call.connection].keyspace
        if spec.flags.contains(.readonly) {
            let secondary = reader(ofEntry: entry, call.connection)
            if secondary >= 0 {
                call.replica = secondary
                return readHere(&call, spec, entry: entry)
            }
        }
        switch locate(entry: entry, in: keyspace, slot: slot, place: call.connection) {
        case .refused(let text): return reject(call, text)
        case .blocked(let block): return .blocked(block)
        case .forward(let entry): return forward(&call, spec, to: entry)
        case .here(let replica):
            if isOrdered(call.connection, replicas[replica].configuration.id, behind: nil) { return .blocked(.order) }
            call.replica = replica
            return runHere(&call, spec)
        }
    }

    /// A command whose shard is served here.
    mutating func runHere(_ call: inout Call, _ spec: CommandSpec) -> Attempt {
        if let text = limitsViolation(call, spec) { return reject(call, text) }
        if spec.flags.contains(.write) {
            if backlog >= settings.backlogBytes { return .blocked(.backlog) }
            if !numbers[call.replica].isWritable {
                return reject(call, Engine.tooFew)
            }
            if isDiskLow, spec.flags.contains(.denyoom) {
                return reject(call, "READONLY the disk reserve is reached: only deletes are accepted")
            }
        }
        let missing = ensureRows(call, spec)
        if missing > 0 { return .blocked(.rows(missing)) }
        run(&call, spec)
        endRecord(call)
        return .done
    }

    /// Runs a command with everything in place.
    mutating func run(_ call: inout Call, _ spec: CommandSpec) {
        switch spec.group {
        case .string: runString(spec.id, &call)
        case .bitmap: runBit(spec.id, &call)
        case .generic: spec.isInspection ? runObject(spec.id, &call) : runKey(spec.id, &call)
        case .server: runObject(spec.id, &call)
        default: break
        }
    }

    /// Keys and values beyond the bounds are refused in Redis's words where it has them.
    func limitsViolation(_ call: Call, _ spec: CommandSpec) -> String? {
        guard spec.flags.contains(.write) else { return nil }
        var total = 0
        for index in 1..<max(call.count, 1) { total += call[index].count }
        if total <= Limits.keyBytes { return nil }
        for position in spec.keyPositions(count: call.count) where call[position].count > Limits.keyBytes {
            return "ERR key is too long: the longest is \(Limits.keyBytes) bytes"
        }
        for index in 1..<call.count where call[index].count > Limits.valueBytes {
            return "ERR string exceeds maximum allowed size (\(Limits.valueBytes) bytes)"
        }
        return nil
    }
}
