import ClusterModel

// Commands that must wait: the first of a connection blocks it, those behind queue, and all run in order afterwards.
extension Engine {
    /// Keeps a command behind the one its connection waits with.
    mutating func enqueue(_ place: Int, _ arguments: UnsafePointer<ByteView>, _ count: Int, request: UInt64) {
        unsafe connections.address(place).pointee.queue.append(count: count, request: request) { unsafe arguments[$0] }
        if case .rows = connections[place].block { unsafe prefetch(place, arguments, count) }
    }

    /// The connection waits for rows: asks already for those of a command behind, so that a pipeline costs one wait.
    private mutating func prefetch(_ place: Int, _ arguments: UnsafePointer<ByteView>, _ count: Int) {
        guard count >= 2, !connections[place].transaction.isOpen,
            let spec = unsafe CommandTable.find(arguments[0], arguments[1]), spec.reach == .shard,
            spec.needsRows(count: count)
        else { return }
        let keyspace = connections[place].keyspace
        for position in spec.keyPositions(count: count) {
            let key = unsafe arguments[position]
            let replica = localReplica(of: key, keyspace: keyspace)
            guard replica >= 0, numbers[replica].isServing else { return }
            _ = ensureRow(key, replica: replica, keyspace: keyspaces[keyspace].number)
        }
    }

    mutating func block(_ place: Int, _ block: Connection.Block) {
        connections[place].block = block
        connections[place].blockedSince = now.monotonic
        switch block {
        case .none, .rows, .scan, .order, .exec: break
        case .serving, .lookup:
            connections[place].blockedUntil = now.monotonic + settings.gatewayTimeoutMillis * 1_000_000
            parked.append(place)
        case .backlog, .pause, .wait, .output: parked.append(place)
        }
    }

    /// Ends the block and runs what queued, until the connection blocks again.
    mutating func unblock(_ place: Int) {
        connections[place].block = .none
        connections[place].blockedUntil = 0
        resume(place)
    }

    private mutating func resume(_ place: Int) {
        var arguments = takeViews()
        while !connections[place].isBlocked, !connections[place].queue.isEmpty {
            if isOutputFull(place) {
                block(place, .output)
                break
            }
            arguments.removeAll(keepingCapacity: true)
            let request = connections[place].queue.request()
            if refuseQueued(place, request) {
                connections[place].queue.dropFirst()
                continue
            }
            connections[place].queue.views(into: &arguments)
            let attempt = unsafe arguments.withUnsafeBufferPointer { views -> Attempt in
                guard let base = views.baseAddress else { return .done }
                if unsafe runFast(place, base, views.count, request: request) { return .done }
                return unsafe self.attempt(place, base, views.count, request: request)
            }
            switch attempt {
            case .done, .refused:
                if connections[place].queue.isEmpty { break }
                connections[place].queue.dropFirst()
            case .blocked(let block):
                self.block(place, block)
            }
        }
        give(back: arguments)
        resumeReading(place)
    }

    /// Has the host read on from a connection that had too much waiting.
    @inline(__always)
    mutating func resumeReading(_ place: Int) {
        guard connections[place].isThrottled, isReadable(place) else { return }
        connections[place].isThrottled = false
        effects.emit(.resumeReading(id(place)))
    }

    /// Whether more of the connection's commands may be read: what it has queued is bounded.
    func isReadable(_ place: Int) -> Bool {
        connections[place].queue.footprint < Engine.queueBytes
            && connections[place].held.bytes.count < Limits.outputBytes
            && connections[place].marks.count < Engine.queueMarks
    }

    /// Bytes of queued commands above which a connection is not read.
    static let queueBytes = 4 << 20
    /// Unanswered replies above which it is not read.
    static let queueMarks = 16384

    /// Tries again every connection whose block satisfies the condition.
    mutating func resumeParked(where condition: (Connection.Block) -> Bool) {
        guard !parked.isEmpty else { return }
        let all = parked
        parked.removeAll(keepingCapacity: true)
        for place in all {
            guard connections[place].isOpen, connections[place].isBlocked else { continue }
            if condition(connections[place].block) { unblock(place) } else { parked.append(place) }
        }
    }

    /// Ends blocks whose time limit came: the waiting command is answered TRYAGAIN, which says it was not executed.
    mutating func expireParked() {
        guard !parked.isEmpty else { return }
        let all = parked
        parked.removeAll(keepingCapacity: true)
        for place in all {
            guard connections[place].isOpen, connections[place].isBlocked else { continue }
            let limit = connections[place].blockedUntil
            if limit > 0, limit <= now.monotonic {
                refuseHead(place)
            } else {
                parked.append(place)
            }
        }
    }

    private mutating func refuseHead(_ place: Int) {
        let text: String
        connections[place].lookupSince = 0
        switch connections[place].block {
        case .wait: return answerHead(place) { $0.integer(0) }
        case .lookup: text = "ERR no such keyspace: no metasrv answered in time"
        default: text = "TRYAGAIN no serving primary for this shard just now"
        }
        noteRefusedInTransaction(place)
        answerHead(place) { $0.error(text) }
    }

    /// A command that could not be queued dooms its transaction, as any error there does; a refused EXEC ends it.
    private mutating func noteRefusedInTransaction(_ place: Int) {
        guard connections[place].transaction.isOpen else { return }
        var head: [ByteView] = []
        connections[place].queue.views(into: &head)
        if head.first?.equalsIgnoringCase("exec") == true {
            endTransaction(place)
        } else {
            connections[place].transaction.isAborted = true
        }
    }

    /// An array for views that is kept between uses: commands may run inside commands.
    mutating func takeViews() -> [ByteView] {
        let taken = views
        views = []
        return taken
    }

    mutating func give(back array: [ByteView]) {
        var array = array
        array.removeAll(keepingCapacity: true)
        if array.capacity > views.capacity { views = array }
    }
}
