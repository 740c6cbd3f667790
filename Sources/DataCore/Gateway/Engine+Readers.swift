import ClusterModel

// Reads of keyspaces whose members may all answer: here if this node has a copy, else at the nearest member. What only the
// primary can decide goes to it: a key whose time may have come (RULES A13), and what a connection itself has under way.
extension Engine {
    /// Index of the secondary here that may answer a read of the connection, or -1.
    func reader(_ entry: KeyspaceIndex.Entry, _ place: Int, usesSlots: Bool) -> Int {
        guard entry.reader >= 0, numbers[entry.reader].mayRead, !mustAskPrimary(entry.shard, place) else { return -1 }
        // A cluster client that did not say READONLY wants MOVED.
        if usesSlots, isClusterPort(place), !connections[place].client.isReadonly { return -1 }
        return entry.reader
    }

    /// Whether earlier commands of the connection bind its reads of a shard to the primary: those under way there, and its
    /// writes if a member may lack them (RULES D7).
    private func mustAskPrimary(_ shard: ShardID, _ place: Int) -> Bool {
        connections[place].inFlight.contains { $0.shard == shard } || connections[place].written.contains(shard)
    }

    /// Notes a write that a member may lack though it was acknowledged: the connection's own reads go to the primary.
    mutating func noteWritten(_ shard: ShardID, _ place: Int) {
        guard let policy = routes.shard(shard)?.policy, policy.ack != .all, policy.read != .primary,
            !Mutant.d7ForgetsOwnWrites.isOn
        else { return }
        connections[place].written.insert(shard)
    }

    /// A read at a secondary here, with everything it needs in memory.
    mutating func readHere(_ call: inout Call, _ spec: CommandSpec, entry: Int) -> Attempt {
        let missing = ensureRows(call, spec)
        if missing > 0 { return .blocked(.rows(missing)) }
        if mayHaveExpired(call, spec), !Mutant.a13SecondaryDecides.isOn {
            return connections[call.connection].isSession
                ? refuseSession(call, keyspaces[connections[call.connection].keyspace].entries[entry].shard)
                : forward(&call, spec, to: entry, toPrimary: true)
        }
        run(&call, spec)
        return .done
    }

    /// Whether a key's deadline has come by this node's clock or by a record not committed yet: the primary alone decides
    /// that, by a record.
    private func mayHaveExpired(_ call: Call, _ spec: CommandSpec) -> Bool {
        let time = time(call)
        for position in spec.keyPositions(count: call.count) {
            let key = call[position]
            guard let row = rows.find(hash(key, keyspace: call.keyspace), keyspace: call.keyspace, key: key) else {
                continue
            }
            if row.deadline != 0, row.deadline <= time { return true }
        }
        return false
    }

    /// The member that a read is forwarded to: of the same host, else of the same zone, else each connection its own.
    func readTarget(_ shard: ShardID, _ place: Int) -> NodeID? {
        guard let known = routes.shard(shard), let primary = known.primary?.node else { return nil }
        if let route = connections[place].inFlight.first(where: { $0.shard == shard }) { return route.node ?? primary }
        guard known.policy.read != .primary, !mustAskPrimary(shard, place) else { return primary }
        let members = known.members.map(\.node).filter { $0 != settings.id }
        let others = known.policy.read == .secondary && members.count > 1 ? members.filter { $0 != primary } : members
        func nearest(_ isNear: (Node) -> Bool) -> [NodeID] {
            others.filter { id in routes.node(id).map(isNear) ?? false }
        }
        var choice = settings.host.isEmpty ? [] : nearest { $0.host == settings.host }
        if choice.isEmpty, !settings.zone.isEmpty { choice = nearest { $0.zone == settings.zone } }
        if choice.isEmpty { choice = others }
        guard !choice.isEmpty else { return primary }
        return choice[Int(connections[place].client.id % UInt64(choice.count))]
    }

    /// Reads that a secondary has not answered for a while go to the primary: a member may be gone and not yet left out.
    mutating func hurryReads() {
        while let limit = gateway.readLimits.first, limit.at <= now.monotonic {
            gateway.readLimits.removeFirst()
            guard let forward = gateway.forwards[limit.request], !forward.isRefused, forward.attempt == 0 else {
                continue
            }
            refuse(forward)
        }
    }
}
