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
        return Apportionment(sites: sites, replicas: replicas).follow(owned)
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
