import ClusterModel

// Commands over several shards on the gateway port: each shard gets its part, the parts' replies become one.
extension Engine {
    /// DEL, EXISTS, MGET, MSET ... Where all keys lie in one shard, and where the client can follow MOVED, it is an
    /// ordinary command.
    mutating func runScattered(_ call: inout Call, _ spec: CommandSpec) -> Attempt {
        let place = call.connection
        let index = connections[place].keyspace
        guard keyspaces[index].keyspace != nil else { return reject(call, missingKeyspace(index)) }
        if connections[place].isSession || isClusterPort(place) && keyspaces[index].usesSlots {
            return runInShard(&call, spec)
        }
        guard spec.keyStep == 1 || (call.count - 1) % spec.keyStep == 0 else {
            return reject(call, "ERR wrong number of arguments for '\(spec.name)' command")
        }
        var order: [Int] = []
        var positions: [Int: [Int]] = [:]
        for position in spec.keyPositions(count: call.count) {
            let entry = keyspaces[index].locate(call[position])
            guard entry >= 0 else { return reject(call, "CLUSTERDOWN Hash slot not served") }
            if positions[entry] == nil { order.append(entry) }
            positions[entry, default: []].append(position)
        }
        if order.count <= 1 { return runInShard(&call, spec) }
        for entry in order {
            guard let node = owner(of: keyspaces[index].entries[entry]) else { return .blocked(.serving) }
            if isOrdered(place, keyspaces[index].entries[entry].shard, behind: node) { return .blocked(.order) }
        }
        let gather = Gather(
            request: takeRequest(), connection: id(place), keyspace: index, isWrite: spec.flags.contains(.write),
            kind: kind(of: spec, order.map { positions[$0] ?? [] }), parts: order.count)
        gateway.gathers[gather.request] = gather
        pushRemote(gather.request, place)
        for (part, entry) in order.enumerated() {
            sendPart(gather, part, entry: entry, keyPosition: 1, forwardedArguments(call, spec, positions[entry] ?? []))
        }
        call.isDeferred = true
        return .done
    }

    private func kind(of spec: CommandSpec, _ positions: [[Int]]) -> Gather.Kind {
        switch spec.id {
        case .mget:
            .values(positions.map { $0.map { $0 - 1 } }, total: positions.reduce(0) { $0 + $1.count })
        case .mset: .ok
        default: .sum
        }
    }

    private func forwardedArguments(_ call: Call, _ spec: CommandSpec, _ positions: [Int]) -> [ByteView] {
        var arguments = [call[0]]
        for position in positions {
            for offset in 0..<spec.keyStep { arguments.append(call[position + offset]) }
        }
        return arguments
    }

    /// Sends one part of a divided command. `keyPosition` 0: the arguments name the shard themselves.
    mutating func sendPart(_ gather: Gather, _ part: Int, entry: Int, keyPosition: Int, _ arguments: [ByteView]) {
        guard let place = place(gather.connection) else { return }
        let shard = keyspaces[gather.keyspace].entries[entry]
        let forward = Forward(
            request: takeRequest(), connection: gather.connection, keyspace: gather.keyspace, shard: shard.shard,
            node: owner(of: shard) ?? settings.id, isWrite: gather.isWrite, protocolVersion: protocolVersion(place),
            sink: .gather(gather.request, part: part), keyPosition: keyPosition)
        forward.arguments.append(count: arguments.count) { arguments[$0] }
        send(forward)
    }

    /// A part is answered.
    mutating func gathered(_ number: UInt64, part: Int, _ reply: [UInt8]) {
        guard let gather = gateway.gathers[number], part < gather.parts.count else { return }
        gather.parts[part] = reply
        guard gather.parts.allSatisfy({ $0 != nil }) else { return }
        guard let result = gather.failure ?? combine(gather) else { return }
        gateway.gathers[number] = nil
        gateway.results[number] = result
        guard let place = place(gather.connection) else { return }
        connections[place].resultBytes += result.count
        release(place)
    }

    /// The whole reply; nil when the gather goes on with further parts.
    private mutating func combine(_ gather: Gather) -> [UInt8]? {
        guard let place = place(gather.connection) else { return [] }
        var reply = ReplyBuffer(resp3: connections[place].out.resp3)
        switch gather.kind {
        case .sum:
            let sum = gather.parts.reduce(Int64(0)) { sum, part in
                sum + ((part ?? []).withByteView { ReplySlicer.integer($0) } ?? 0)
            }
            reply.integer(sum)
        case .ok: reply.ok()
        case .values(let positions, let total):
            var values = [[UInt8]](repeating: Array("$-1\r\n".utf8), count: total)
            for (part, places) in zip(gather.parts, positions) {
                (part ?? []).withByteView { bytes in
                    for (place, element) in zip(places, ReplySlicer.elements(bytes) ?? []) {
                        values[place] = element.array
                    }
                }
            }
            reply.array(total)
            for value in values { reply.bytes.append(value) }
        case .concatenation:
            var elements: [[UInt8]] = []
            for part in gather.parts {
                (part ?? []).withByteView { bytes in
                    for element in ReplySlicer.elements(bytes) ?? [] { elements.append(element.array) }
                }
            }
            reply.array(elements.count)
            for element in elements { reply.bytes.append(element) }
        case .scan(let walk): return continueScan(gather, walk)
        case .range(let walk): return continueRange(gather, walk)
        case .random(let left): return continueRandom(gather, left)
        }
        return reply.bytes.view.array
    }
}
