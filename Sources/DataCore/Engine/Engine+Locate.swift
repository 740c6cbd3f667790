import ClusterModel

// Which shard a command's keys lie in, and who serves it.
extension Engine {
    enum Located {
        /// Index of the replica here that serves it.
        case here(Int)
        /// Index in the connection's keyspace of a shard that another node serves; it takes the command.
        case forward(Int)
        case blocked(Connection.Block)
        case refused(String)
    }

    /// The one shard of a command's keys.
    enum Entry {
        /// Index in the keyspace; the slot if the client can follow MOVED for it.
        case found(Int, slot: UInt16?)
        case refused(String)
    }

    /// Locates the one shard of a command's keys in the connection's keyspace, and who serves it.
    func locate(_ call: Call, _ spec: CommandSpec) -> Located {
        locate(call, spec, in: connections[call.connection].keyspace)
    }

    /// The same in the keyspace at `index`.
    func locate(_ call: Call, _ spec: CommandSpec, in index: Int) -> Located {
        switch entry(of: call, spec, in: index) {
        case .refused(let text): .refused(text)
        case .found(let entry, let slot): locate(entry: entry, in: index, slot: slot, place: call.connection)
        }
    }

    func entry(of call: Call, _ spec: CommandSpec) -> Entry {
        entry(of: call, spec, in: connections[call.connection].keyspace)
    }

    func entry(of call: Call, _ spec: CommandSpec, in index: Int) -> Entry {
        guard keyspaces[index].keyspace != nil else { return .refused(missingKeyspace(index)) }
        let onlyOneSlot = isClusterPort(call.connection) && keyspaces[index].usesSlots
        var entry = -1
        var slot: UInt16 = 0
        for position in spec.keyPositions(count: call.count) {
            let here = keyspaces[index].locate(call[position])
            if onlyOneSlot {
                let hashed = unsafe Slot.number(of: call[position].buffer)
                if entry >= 0, hashed != slot { return .refused(Self.crossSlot) }
                slot = hashed
            }
            if entry >= 0, here != entry { return .refused(Self.crossSlot) }
            guard here >= 0 else {
                return .refused("CLUSTERDOWN Hash slot not served")
            }
            entry = here
        }
        guard entry >= 0 else { return .refused("ERR the command names no key") }
        return .found(entry, slot: onlyOneSlot ? slot : nil)
    }

    /// Who serves the shard at `entry`. `slot`: the client can follow MOVED for it.
    func locate(entry: Int, in index: Int, slot: UInt16?, place: Int) -> Located {
        let shard = keyspaces[index].entries[entry]
        if shard.replica >= 0 {
            return numbers[shard.replica].isServing ? .here(shard.replica) : .blocked(.serving)
        }
        if connections[place].isSession { return .forward(entry) }
        guard let primary = shard.primary, primary != settings.id, let node = routes.node(primary) else {
            return .blocked(.serving)
        }
        if let slot { return .refused("MOVED \(slot) \(node.address.host):\(node.address.port)") }
        return .forward(entry)
    }

    func isClusterPort(_ place: Int) -> Bool {
        if case .client(.cluster) = connections[place].kind { return true }
        return false
    }

    func missingKeyspace(_ index: Int) -> String {
        // Before the first map nobody knows which keyspaces there are.
        guard routes.version > .zero else { return "TRYAGAIN the shard map is not known here yet" }
        let name = keyspaces[index].name
        return index == 0
            ? "ERR no keyspace 'default': shardctl keyspace create default" : "ERR no such keyspace '\(name)'"
    }

    static let crossSlot = "CROSSSLOT Keys in request don't hash to the same slot"
}
