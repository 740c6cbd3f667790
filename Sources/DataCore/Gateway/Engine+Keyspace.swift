import ClusterModel

// Commands over all shards of a keyspace (gateway port), or over those this node is primary of (cluster port): each shard
// gets its part, by the same way as forwarded commands.
extension Engine {
    mutating func runOverKeyspace(_ call: inout Call, _ spec: CommandSpec) -> Attempt {
        let place = call.connection
        let index = connections[place].keyspace
        guard let keyspace = keyspaces[index].keyspace else { return reject(call, missingKeyspace(index)) }
        var entries = Array(keyspaces[index].entries.indices)
        if isClusterPort(place) { entries = entries.filter { keyspaces[index].entries[$0].replica >= 0 } }
        if !connections[place].inFlight.isEmpty { return .blocked(.order) }
        for entry in entries where owner(of: keyspaces[index].entries[entry]) == nil { return .blocked(.serving) }
        switch spec.id {
        case .dbsize: return gather(&call, .sum, entries, "shard.count")
        case .flushdb, .flushall:
            guard
                call.count == 1
                    || call.count == 2 && (call[1].equalsIgnoringCase("sync") || call[1].equalsIgnoringCase("async"))
            else { return reject(call, "ERR syntax error") }
            return gather(&call, .ok, entries, "shard.flush", isWrite: true)
        case .keys: return gather(&call, .concatenation, entries, "shard.walk", [call[1]])
        case .randomkey: return randomKey(&call, entries)
        case .scan: return scan(&call, keyspace, entries)
        case .shardRange: return range(&call, keyspace, entries)
        default: return reject(call, CommandTable.unknown(call))
        }
    }

    /// One part for every shard at once.
    private mutating func gather(
        _ call: inout Call, _ kind: Gather.Kind, _ entries: [Int], _ name: StaticString, _ rest: [ByteView] = [],
        isWrite: Bool = false
    ) -> Attempt {
        let gather = newGather(&call, kind, parts: entries.count, isWrite: isWrite)
        for (part, entry) in entries.enumerated() { sendOwn(gather, part, entry, name, rest) }
        if entries.isEmpty { finishEmpty(gather) }
        return .done
    }

    private mutating func newGather(
        _ call: inout Call, _ kind: Gather.Kind, parts: Int, isWrite: Bool = false
    ) -> Gather {
        let gather = Gather(
            request: takeRequest(), connection: id(call.connection), keyspace: connections[call.connection].keyspace,
            isWrite: isWrite, kind: kind, parts: parts)
        gateway.gathers[gather.request] = gather
        pushRemote(gather.request, call.connection)
        call.isDeferred = true
        return gather
    }

    /// No shard, no part: the reply of an empty keyspace.
    private mutating func finishEmpty(_ gather: Gather) {
        gather.parts = [[UInt8]("*0\r\n".utf8)]
        if case .sum = gather.kind { gather.parts = [[UInt8](":0\r\n".utf8)] }
        gathered(gather.request, part: 0, gather.parts[0] ?? [])
    }

    private mutating func sendOwn(
        _ gather: Gather, _ part: Int, _ entry: Int, _ name: StaticString, _ rest: [ByteView]
    ) {
        let shard = Array("\(keyspaces[gather.keyspace].entries[entry].shard)".utf8)
        shard.withByteView { sendPart(gather, part, entry: entry, keyPosition: 0, [ByteView(name), $0] + rest) }
    }

    // MARK: RANDOMKEY

    private mutating func randomKey(_ call: inout Call, _ entries: [Int]) -> Attempt {
        var order = entries
        order.shuffle(using: &entropy)
        let first = order.popLast()
        let gather = newGather(&call, .random(left: order), parts: 1)
        if let first { sendOwn(gather, 0, first, "shard.random", []) } else { finishRandomEmpty(gather) }
        return .done
    }

    private mutating func finishRandomEmpty(_ gather: Gather) {
        gathered(gather.request, part: 0, Array("$-1\r\n".utf8))
    }

    mutating func continueRandom(_ gather: Gather, _ left: [Int]) -> [UInt8]? {
        let reply = gather.parts[0] ?? []
        var left = left
        let isNull = reply.starts(with: Array("$-1".utf8)) || reply.first == 0x5F
        guard isNull, let next = left.popLast() else { return reply }
        gather.kind = .random(left: left)
        gather.parts = [nil]
        sendOwn(gather, 0, next, "shard.random", [])
        return nil
    }

    // MARK: SCAN

    private mutating func scan(_ call: inout Call, _ keyspace: Keyspace, _ entries: [Int]) -> Attempt {
        guard let cursor = call[1].decimal else { return reject(call, "ERR invalid cursor") }
        var walk = Gather.ScanWalk(entry: 0, count: Array("10".utf8), pattern: [])
        var isOtherType = false
        var index = 2
        while index < call.count {
            guard index + 1 < call.count else { return reject(call, "ERR syntax error") }
            if call[index].equalsIgnoringCase("match") {
                walk.pattern = call[index + 1].array
            } else if call[index].equalsIgnoringCase("count") {
                guard let count = call[index + 1].decimal, count <= UInt64(Int64.max) else {
                    return reject(call, "ERR value is not an integer or out of range")
                }
                guard count > 0 else { return reject(call, "ERR syntax error") }
                walk.count = call[index + 1].array
            } else if call[index].equalsIgnoringCase("type") {
                isOtherType = !call[index + 1].equalsIgnoringCase("string")
            } else {
                return reject(call, "ERR syntax error")
            }
            index += 2
        }
        if walk.pattern == Array("*".utf8) { walk.pattern = [] }
        let found =
            cursor == 0
            ? 0
            : ScanCursor.entry(of: cursor, in: keyspaces[connections[call.connection].keyspace], keyspace.scheme.kind)
        guard let first = entries.first(where: { $0 >= found }), found >= 0, !isOtherType else {
            call.reply.array(2)
            call.reply.bulk("0")
            call.reply.array(0)
            return .done
        }
        walk.entry = first
        let gather = newGather(&call, .scan(walk), parts: 1)
        sendPage(gather, walk, cursor: first == found ? cursor : startCursor(gather.keyspace, first))
        return .done
    }

    private func startCursor(_ index: Int, _ entry: Int) -> UInt64 {
        routes.shard(keyspaces[index].entries[entry].shard).map { ScanCursor.start(of: $0, entry: entry) } ?? 0
    }

    private mutating func sendPage(_ gather: Gather, _ walk: Gather.ScanWalk, cursor: UInt64) {
        let (position, entry) = (Array("\(cursor)".utf8), Array("\(walk.entry)".utf8))
        position.withByteView { position in
            walk.count.withByteView { count in
                entry.withByteView { entry in
                    walk.pattern.withByteView { pattern in
                        sendOwn(gather, 0, walk.entry, "shard.scan", [position, count, entry, pattern])
                    }
                }
            }
        }
    }

    /// A shard's page came: the reply, or nil when the next shard belongs to the same position.
    mutating func continueScan(_ gather: Gather, _ walk: Gather.ScanWalk) -> [UInt8]? {
        var walk = walk
        var cursor: UInt64 = 0
        (gather.parts[0] ?? []).withByteView { bytes in
            for (index, element) in (ReplySlicer.elements(bytes) ?? []).enumerated() {
                if index == 0 {
                    cursor = ReplySlicer.bulk(element)?.decimal ?? 0
                } else {
                    walk.found.append(element.array)
                }
            }
        }
        if cursor == 0, let place = place(gather.connection) {
            let all = keyspaces[gather.keyspace].entries.indices
            let isLocal = isClusterPort(place)
            if let next = all.first(where: {
                $0 > walk.entry && (!isLocal || keyspaces[gather.keyspace].entries[$0].replica >= 0)
            }) {
                walk.entry = next
                cursor = startCursor(gather.keyspace, next)
                // A shard that begins inside a position is walked at once: the cursor could not tell it from the last.
                if cursor == 0 || beginsInsidePosition(gather.keyspace, next) {
                    gather.kind = .scan(walk)
                    gather.parts = [nil]
                    sendPage(gather, walk, cursor: cursor)
                    return nil
                }
            }
        }
        var reply = ReplyBuffer()
        reply.array(2)
        reply.bulk("\(cursor)")
        reply.array(walk.found.count)
        for key in walk.found { reply.bytes.append(key) }
        return reply.bytes.view.array
    }

    private func beginsInsidePosition(_ index: Int, _ entry: Int) -> Bool {
        guard case .keys(let from?, _) = routes.shard(keyspaces[index].entries[entry].shard)?.range else {
            return false
        }
        return from.bytes.count > 8
    }

    // MARK: SHARD.RANGE

    /// `SHARD.RANGE from to [LIMIT n] [REV]`
    private mutating func range(_ call: inout Call, _ keyspace: Keyspace, _ entries: [Int]) -> Attempt {
        guard keyspace.scheme.kind == .range else {
            return reject(
                call, "ERR SHARD.RANGE needs a range keyspace; '\(keyspace.name)' is \(keyspace.scheme.kind.rawValue)")
        }
        var walk = Gather.RangeWalk(from: call[1].array, to: call[2].array, isReverse: false, limit: 1000, left: [])
        var index = 3
        while index < call.count {
            if call[index].equalsIgnoringCase("rev") {
                walk.isReverse = true
                index += 1
            } else if call[index].equalsIgnoringCase("limit"), index + 1 < call.count {
                guard let limit = call[index + 1].decimal, limit <= 1_000_000 else {
                    return reject(call, "ERR value is not an integer or out of range")
                }
                walk.limit = Int(limit)
                index += 2
            } else {
                return reject(call, "ERR syntax error")
            }
        }
        walk.left = entries.filter { overlaps($0, in: connections[call.connection].keyspace, walk) }
        if !walk.isReverse { walk.left.reverse() }
        guard walk.limit > 0, let first = walk.left.popLast() else {
            call.reply.array(0)
            return .done
        }
        let gather = newGather(&call, .range(walk), parts: 1)
        sendRange(gather, walk, entry: first)
        return .done
    }

    private func overlaps(_ entry: Int, in index: Int, _ walk: Gather.RangeWalk) -> Bool {
        guard case .keys(let low, let high) = routes.shard(keyspaces[index].entries[entry].shard)?.range else {
            return false
        }
        if case .key(let from) = walk.from.withByteView({ RangeEnd($0) }), let high,
            !from.lexicographicallyPrecedes(high.bytes)
        {
            return false
        }
        if case .key(let to) = walk.to.withByteView({ RangeEnd($0) }), let low, !low.bytes.lexicographicallyPrecedes(to)
        {
            return false
        }
        return true
    }

    private mutating func sendRange(_ gather: Gather, _ walk: Gather.RangeWalk, entry: Int) {
        let limit = Array("\(walk.limit - walk.found.count / 2)".utf8)
        walk.from.withByteView { from in
            walk.to.withByteView { to in
                limit.withByteView { limit in
                    sendOwn(
                        gather, 0, entry, "shard.range.part", [from, to, limit, ByteView(walk.isReverse ? "1" : "0")])
                }
            }
        }
    }

    mutating func continueRange(_ gather: Gather, _ walk: Gather.RangeWalk) -> [UInt8]? {
        var walk = walk
        (gather.parts[0] ?? []).withByteView { bytes in
            for element in ReplySlicer.elements(bytes) ?? [] { walk.found.append(element.array) }
        }
        if walk.found.count / 2 < walk.limit, let next = walk.left.popLast() {
            gather.kind = .range(walk)
            gather.parts = [nil]
            sendRange(gather, walk, entry: next)
            return nil
        }
        var reply = ReplyBuffer()
        reply.array(walk.found.count / 2)
        for pair in 0..<walk.found.count / 2 {
            reply.array(2)
            reply.bytes.append(walk.found[pair * 2])
            reply.bytes.append(walk.found[pair * 2 + 1])
        }
        return reply.bytes.view.array
    }
}
