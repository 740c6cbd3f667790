import ClusterModel

// SHARD.* commands: what clients may ask of a shard, and what gateways ask of the node that serves one.
extension Engine {
    mutating func runOwnCommand(_ call: inout Call, _ spec: CommandSpec) -> Attempt {
        switch spec.id {
        case .shardStamp: return runStamped(&call)
        case .shardStatus: return shardStatus(call)
        case .shardWhere: return shardWhere(call)
        case .shardRefuse: return refuse(call)
        default: break
        }
        // The rest is between nodes: a client is told what it would be told of any unknown command.
        guard connections[call.connection].isSession else { return reject(call, CommandTable.unknown(call)) }
        guard let number = call[1].decimal, let held = replicaIndex[ShardID(rawValue: number)], numbers[held].isServing
        else {
            let shard = ShardID(rawValue: call[1].decimal ?? 0)
            if let held = replicaIndex[shard], replicas[held].state == .starting { return .blocked(.serving) }
            return refuseSession(call, shard)
        }
        call.replica = held
        let range = replicas[held].configuration.range
        let bounds = RowBounds.of(range)
        switch spec.id {
        case .shardCount:
            return beginWalk(call, .count, from: bounds.from, to: bounds.to, limit: .max)
        case .shardWalk:
            return beginWalk(
                call, .keys(pattern: call[2].array), from: bounds.from, to: bounds.to, limit: Walk.chunk)
        case .shardScan: return beginPage(call, bounds)
        case .shardRandom: return beginRandom(call, bounds)
        case .shardRangePart: return beginRange(call, bounds)
        case .shardFlush:
            if backlog >= settings.backlogBytes { return .blocked(.backlog) }
            flushShard(&call)
            endRecord(call)
            call.reply.ok()
            return .done
        case .shardWatch: return watchForwarded(&call)
        case .shardExec: return runForwardedTransaction(&call)
        default: return reject(call, CommandTable.unknown(call))
        }
    }

    /// The client's bytes are no request: after all it is owed comes the reason, then the end.
    private mutating func refuse(_ call: Call) -> Attempt {
        if call.count > 1 { call.reply.error(call[1].text) }
        connections[call.connection].isClosing = true
        markDirty(call.connection)
        return .done
    }

    /// `SHARD.SCAN shard cursor count entry pattern`
    private mutating func beginPage(_ call: Call, _ bounds: (from: [UInt8], to: [UInt8])) -> Attempt {
        guard call.count == 6, let cursor = call[2].decimal, let count = call[3].decimal, let entry = call[4].decimal
        else { return reject(call, "ERR syntax error") }
        let kind = routes.keyspace(replicas[call.replica].configuration.keyspace)?.scheme.kind ?? .hash
        let position = RowBounds.row(ScanCursor.position(cursor, kind))
        let from = position.lexicographicallyPrecedes(bounds.from) ? bounds.from : position
        return beginWalk(
            call, .page(pattern: call[5].array), from: from, to: bounds.to,
            limit: Int(min(max(count, 1), 100_000)), entry: Int(min(entry, 65535)))
    }

    /// `SHARD.RANDOM shard`: the rows behind a position drawn by chance, from the start if there are none.
    private mutating func beginRandom(_ call: Call, _ bounds: (from: [UInt8], to: [UInt8])) -> Attempt {
        var from = bounds.from
        if case .slots(let first, let end) = replicas[call.replica].configuration.range {
            let slot = UInt64(first) + entropy.next() % UInt64(end - first)
            from = RowBounds.row(ScanCursor.position(slot << 48 | entropy.next() >> 16, .hash))
        }
        return beginWalk(call, .random(isSecondTry: false), from: from, to: bounds.to, limit: 64)
    }

    /// `SHARD.RANGE.PART shard from to limit rev`
    private mutating func beginRange(_ call: Call, _ bounds: (from: [UInt8], to: [UInt8])) -> Attempt {
        guard call.count == 6, let limit = call[4].decimal else { return reject(call, "ERR syntax error") }
        let from = RangeEnd(call[2]).row(start: bounds.from, end: bounds.to)
        let to = RangeEnd(call[3]).row(start: bounds.from, end: bounds.to)
        let low = from.lexicographicallyPrecedes(bounds.from) ? bounds.from : from
        let high = to.lexicographicallyPrecedes(bounds.to) ? to : bounds.to
        return beginWalk(
            call, .range(isReverse: call[5].equalsIgnoringCase("1")), from: low, to: high,
            limit: Int(min(limit, 1_000_000)))
    }

    /// A native client's command: it runs only while this node is the serving primary of exactly that epoch.
    /// `SHARD.STAMP keyspace shard epoch command ...`
    private mutating func runStamped(_ call: inout Call) -> Attempt {
        guard let keyspaceNumber = call[1].decimal, let shardNumber = call[2].decimal, let epoch = call[3].decimal
        else {
            return reject(call, "ERR a stamp is keyspace, shard and epoch, three numbers")
        }
        let shard = ShardID(rawValue: shardNumber)
        guard let index = keyspaceByID[KeyspaceID(rawValue: keyspaceNumber)] else {
            return stale(call, shard)
        }
        guard let held = replicaIndex[shard], numbers[held].epoch == epoch, replicas[held].state != .stopped else {
            return stale(call, shard)
        }
        // A native client's connection carries commands of many callers and shards: its client waits, not the connection.
        guard numbers[held].isServing else { return reject(call, "TRYAGAIN shard \(shard) does not serve here yet") }
        connections[call.connection].keyspace = index
        var inner = call.dropping(4, keyspace: keyspaces[index].number)
        guard let spec = CommandTable.find(inner[0], inner.count > 1 ? inner[1] : nil) else {
            return reject(call, CommandTable.unknown(inner))
        }
        guard spec.accepts(count: inner.count) else {
            return reject(call, "ERR wrong number of arguments for '\(spec.name)' command")
        }
        inner.replica = held
        let attempt: Attempt
        switch spec.reach {
        case .shard, .scatter:
            for position in spec.keyPositions(count: inner.count) {
                let entry = keyspaces[index].locate(inner[position])
                guard entry >= 0, keyspaces[index].entries[entry].shard == shard else { return stale(call, shard) }
            }
            attempt = runHere(&inner, spec)
        case .connection, .keyspace: return reject(call, "ERR only commands with keys take a stamp")
        }
        call.replica = inner.replica
        call.wait = inner.wait
        call.seq = inner.seq
        return attempt
    }

    /// `STALE shard epoch [configuration]`: the stamp is not of the configuration this node serves.
    private mutating func stale(_ call: Call, _ shard: ShardID) -> Attempt {
        guard let known = routes.shard(shard) else { return reject(call, "STALE \(shard) 0") }
        scratch.removeAll()
        known.encode(into: &scratch)
        return reject(call, "STALE \(shard) \(known.epoch) \(Base64.encode(scratch.view.array))")
    }

    /// `SHARD.WHERE key`: shard id, epoch, primary, members in chain order.
    private mutating func shardWhere(_ call: Call) -> Attempt {
        let index = connections[call.connection].keyspace
        guard keyspaces[index].keyspace != nil else { return reject(call, missingKeyspace(index)) }
        let entry = keyspaces[index].locate(call[1])
        guard entry >= 0, let shard = routes.shard(keyspaces[index].entries[entry].shard) else {
            return reject(call, "CLUSTERDOWN Hash slot not served")
        }
        call.reply.array(3 + shard.members.count)
        call.reply.integer(Int64(truncatingIfNeeded: shard.id.rawValue))
        call.reply.integer(Int64(truncatingIfNeeded: shard.epoch.rawValue))
        if let primary = shard.primary { call.reply.bulk(primary.node.rawValue) } else { call.reply.null() }
        for member in shard.members { call.reply.bulk(member.node.rawValue) }
        return .done
    }

    /// `SHARD.STATUS`: every replica held here.
    private mutating func shardStatus(_ call: Call) -> Attempt {
        let held = replicas.indices.filter { replicas[$0].state != .dropped }.sorted {
            replicas[$0].store < replicas[$1].store
        }
        call.reply.array(held.count)
        for index in held {
            let numbers = numbers[index]
            call.reply.map(11)
            call.reply.bulk("shard")
            call.reply.integer(Int64(truncatingIfNeeded: numbers.shard))
            call.reply.bulk("keyspace")
            call.reply.bulk(routes.keyspace(replicas[index].configuration.keyspace)?.name ?? "")
            call.reply.bulk("epoch")
            call.reply.integer(Int64(truncatingIfNeeded: numbers.epoch))
            call.reply.bulk("role")
            call.reply.bulk(role(index).rawValue)
            call.reply.bulk("serving")
            call.reply.integer(numbers.isServing ? 1 : 0)
            call.reply.bulk("last")
            call.reply.integer(Int64(truncatingIfNeeded: numbers.last))
            call.reply.bulk("commit")
            call.reply.integer(Int64(truncatingIfNeeded: numbers.commit))
            call.reply.bulk("applied")
            call.reply.integer(Int64(truncatingIfNeeded: numbers.applied))
            call.reply.bulk("bytes")
            call.reply.integer(Int64(truncatingIfNeeded: replicas[index].bytes))
            call.reply.bulk("lag")
            call.reply.integer(Int64(truncatingIfNeeded: lag(index).records))
            call.reply.bulk("heard")
            call.reply.integer(lag(index).millis)
        }
        return .done
    }
}

/// One end of SHARD.RANGE: `-`, `+`, or a key.
enum RangeEnd {
    case start, end
    case key([UInt8])

    init(_ argument: ByteView) {
        if argument.equalsIgnoringCase("-") {
            self = .start
        } else if argument.equalsIgnoringCase("+") {
            self = .end
        } else {
            self = .key(argument.array)
        }
    }

    func row(start: [UInt8], end: [UInt8]) -> [UInt8] {
        switch self {
        case .start: start
        case .end: end
        case .key(let key): RowBounds.row(key)
        }
    }
}

extension ByteView {
    /// An unsigned decimal number without sign, space or leading zero; nil for anything else.
    var decimal: UInt64? {
        guard count > 0, count <= 20, count == 1 || self[0] != 48 else { return nil }
        var value: UInt64 = 0
        for index in 0..<count {
            guard self[index] >= 48, self[index] <= 57 else { return nil }
            let (scaled, overflow) = value.multipliedReportingOverflow(by: 10)
            let (next, carry) = scaled.addingReportingOverflow(UInt64(self[index] - 48))
            if overflow || carry { return nil }
            value = next
        }
        return value
    }
}
