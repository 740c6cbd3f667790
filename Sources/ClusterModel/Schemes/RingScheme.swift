/// Arcs between virtual nodes: each node has `vnodes` x weight tokens at hash(node#i) on the circle of slots, and the arc from
/// a token to the next is a shard. One token a node is plain consistent hashing.
///
/// The arc over slot 0 is two shards, since a shard is one interval. Tokens that fall on one slot count once. Where chance
/// leaves a node more than its share, arcs are mapped to another node: a virtual node's owner need not be the node that
/// gave it its token.
public struct RingScheme: Scheme {
    public let parameters: SchemeParameters
    private let virtualNodes: Int

    public init(_ parameters: SchemeParameters) throws(SchemeProblem) {
        try parameters.allow(virtualNodes: true)
        virtualNodes = parameters.virtualNodes ?? 32
        guard (1...Limits.virtualNodes).contains(virtualNodes) else {
            throw SchemeProblem("--vnodes must be 1 to \(Limits.virtualNodes), not \(virtualNodes)")
        }
        self.parameters = SchemeParameters(kind: .ring, virtualNodes: virtualNodes)
    }

    public func token(of key: [UInt8]) -> Token { .slot(Slot(ofKey: key)) }

    /// The slots of a node's tokens, ascending, each once. Depends on nothing but the node's name and number of tokens.
    public func tokens(of site: Site) -> [UInt16] {
        let wished = (Double(virtualNodes) * site.weight).rounded()
        let count = max(1, min(wished.isFinite ? wished : 1, Double(Slot.count)))
        var slots: Set<UInt16> = []
        for index in 0..<Int(count) {
            slots.insert(UInt16(truncatingIfNeeded: Self.hash(Array("\(site.node)#\(index)".utf8)) >> 50))
        }
        return slots.sorted()
    }

    public func placement(
        on sites: [Site], replicas: Int, current: [PlannedShard]
    ) throws(SchemeProblem) -> [PlannedShard] {
        let sites = sites.sorted { $0.node < $1.node }
        guard !sites.isEmpty else { return current.map { PlannedShard(range: $0.range) } }
        var arcs = Arcs(sites: sites, current: current)
        for site in sites where !arcs.knows(site.node) {
            for slot in tokens(of: site) { arcs.cut(at: slot, for: site.node) }
        }
        guard arcs.count <= Limits.shardsPerKeyspace else {
            throw SchemeProblem(
                "--vnodes \(virtualNodes) on these \(sites.count) nodes makes \(arcs.count) shards, above "
                    + "\(Limits.shardsPerKeyspace)")
        }
        if virtualNodes > 1 { arcs.evenOut() }
        let owned = arcs.shards()
        guard replicas > 1 else { return owned }
        return follow(owned, sites: sites, replicas: replicas)
    }

    /// The next distinct nodes on the circle hold the other replicas: on distinct hosts, and as long as there are zones left,
    /// in distinct zones.
    private func follow(_ owned: [PlannedShard], sites: [Site], replicas: Int) -> [PlannedShard] {
        let zones = Set(sites.map(\.zone)).count
        let circle = owned.map { shard in sites.firstIndex { $0.node == shard.members.first } ?? 0 }
        return owned.indices.map { arc in
            var chosen = [circle[arc]]
            // Nodes without an arc come last, by name.
            let rest = Array(circle[(arc + 1)...]) + circle[..<arc] + sites.indices
            func take(upTo limit: Int, _ isWanted: (Site) -> Bool) {
                for next in rest where chosen.count < limit {
                    let site = sites[next]
                    if !chosen.contains(where: { sites[$0].host == site.host }), isWanted(site) { chosen.append(next) }
                }
            }
            take(upTo: min(replicas, zones)) { site in !chosen.contains { sites[$0].zone == site.zone } }
            take(upTo: replicas) { _ in true }
            return PlannedShard(range: owned[arc].range, members: chosen.map { sites[$0].node })
        }
    }

    /// FNV-1a over the bytes, then SplitMix64's finisher, since FNV's high bits mix badly.
    static func hash(_ bytes: [UInt8]) -> UInt64 {
        var mixed: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in bytes { mixed = (mixed ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
