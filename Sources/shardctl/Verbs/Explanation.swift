import ClusterModel

/// The way from a key to its node: what `key explain` and `shard where` show.
struct Explanation: Encodable {
    let key: Key
    let keyspace: String
    let scheme: SchemeKind
    /// The slot, of slot keyspaces.
    let slot: UInt16?
    /// The part of the key that is hashed or listed, when it is not the whole.
    let part: Key?
    let shard: ShardID
    let epoch: Epoch
    let range: String
    let primary: NodeID?
    let address: Address?
    let gateway: Address?
    let members: [NodeID]

    /// - Throws: when the map does not have the keyspace, or no shard of it covers the key.
    init(of key: Key, in name: String, by table: RouteTable) throws(CommandFailure) {
        guard let keyspace = table.keyspace(named: name) else {
            throw CommandFailure(.refused, "no keyspace '\(name)'")
        }
        guard let found = table.locate(key.bytes, in: keyspace.id) else {
            throw CommandFailure(.refused, "no shard of '\(name)' covers the key")
        }
        self.key = key
        self.keyspace = name
        scheme = keyspace.scheme.kind
        slot = scheme.usesSlots ? Slot(ofKey: key.bytes).number : nil
        let part = Explanation.decidingPart(of: key.bytes, keyspace.scheme)
        self.part = part == key.bytes ? nil : Key(part)
        shard = found.id
        epoch = found.epoch
        range = Words.range(found.range)
        primary = found.primary?.node
        let node = primary.flatMap { table.node($0) }
        address = node?.address
        gateway = node?.gateway
        members = found.members.map(\.node)
    }

    /// The {tag} of slot keyspaces, the prefix of list keyspaces, else the whole key.
    private static func decidingPart(of key: [UInt8], _ scheme: SchemeParameters) -> [UInt8] {
        switch scheme.kind {
        case .hash, .ring:
            guard let open = key.firstIndex(of: 0x7B), let close = key[open...].firstIndex(of: 0x7D), close > open + 1
            else { return key }
            return Array(key[(open + 1)..<close])
        case .list: return key.firstIndex(of: scheme.separator ?? 0x3A).map { Array(key[..<$0]) } ?? key
        case .range: return key
        }
    }

    func show(_ globals: GlobalOptions) throws {
        if globals.isJSON { return try JSONOutput.write(self) }
        var facts: [(String, Table.Cell)] = [
            ("key", "\(key)"), ("keyspace", .init(keyspace)), ("scheme", .init(scheme.rawValue)),
        ]
        if let part { facts.append((scheme.usesSlots ? "hash tag" : "value", "\(part)")) }
        if let slot { facts.append(("slot", "\(slot)")) }
        facts += [
            ("shard", "\(shard)"), ("range", .init(range)), ("epoch", "\(epoch)"),
            ("primary", .init(primary?.description ?? "-")),
            ("cluster port", .init(address?.description ?? "-")),
            ("gateway port", .init(gateway?.description ?? "-")), ("members", .init(Words.list(members))),
        ]
        Table.facts(facts).show()
    }
}
