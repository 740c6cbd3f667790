/// What each scheme does when nodes join: shares, movement, and the size of the map, side by side.
///
/// Pure and without chance: the same question has the same answer. Range and list keyspaces are judged by whole shards of
/// equal size, since only the keys themselves could tell more; slot keyspaces by slots.
public struct SchemeSimulation: Hashable, Sendable {
    /// One scheme's line.
    public struct Row: Hashable, Codable, Sendable {
        /// The scheme and its parameters, as `keyspace create` takes them.
        public var scheme: String
        /// What is mapped to what, in words.
        public var mapping: String
        public var shardsBefore: Int
        public var shardsAfter: Int
        /// Of all keys, how much changes its node: 0 ... 1.
        public var moved: Double
        /// What the newcomers should hold: no scheme that evens out can move less.
        public var ideal: Double
        /// The largest share of a node divided by the share its weight gives it, before and after; 1 = even.
        public var skewBefore: Double
        public var skewAfter: Double
        /// Bytes of all shard configurations after the change, in their binary form.
        public var metadataBytes: Int
    }

    private struct Question {
        var name: String
        var mapping: String
        var parameters: SchemeParameters

        init(_ name: String, _ mapping: String, _ parameters: SchemeParameters) {
            self.name = name
            self.mapping = mapping
            self.parameters = parameters
        }
    }

    public var rows: [Row]

    /// - Parameters:
    ///   - nodes: how many there are, 1 ... 1000.
    ///   - adding: how many join, one after the other, 0 ... 1000.
    ///   - weights: of the nodes in turn; the last goes for all that follow.
    public init(nodes: Int, adding: Int, weights: [Double] = [1]) throws(SchemeProblem) {
        guard (1...1000).contains(nodes) else { throw SchemeProblem("--nodes must be 1 to 1000, not \(nodes)") }
        guard (0...1000).contains(adding) else { throw SchemeProblem("--add must be 0 to 1000, not \(adding)") }
        guard let last = weights.last, weights.allSatisfy({ $0 > 0 && $0 <= 1_000_000 }) else {
            throw SchemeProblem("weights are above 0 and at most 1000000")
        }
        let sites = (0..<(nodes + adding)).map { index in
            Site(node: NodeID(rawValue: "d\(index + 1)"), weight: index < weights.count ? weights[index] : last)
        }
        let shards = min(max(16, 8 * nodes), 2048)
        let cuts = (1..<shards).map { Key([UInt8($0 * 256 / shards % 256), UInt8($0 * 65536 / shards % 256)]) }
        let groups = (0..<(shards - 1)).map { index in
            ListGroup(name: "g\(index)", values: [Key(Array("value\(index)".utf8))])
        }
        let questions = [
            Question(
                "hash --shards \(shards)", "slot -> equal interval of slots",
                SchemeParameters(kind: .hash, shards: shards)),
            Question(
                "ring --vnodes 1", "slot -> the node before it on the circle",
                SchemeParameters(kind: .ring, virtualNodes: 1)),
            Question(
                "ring --vnodes 32", "slot -> the virtual node before it on the circle",
                SchemeParameters(kind: .ring, virtualNodes: 32)),
            Question(
                "ring --vnodes 128", "slot -> the virtual node before it on the circle",
                SchemeParameters(kind: .ring, virtualNodes: 128)),
            Question(
                "range, \(shards) shards", "key -> interval of keys in byte order",
                SchemeParameters(kind: .range, splitAt: cuts)),
            Question(
                "list, \(shards - 1) groups", "prefix -> explicit set, default shard for the rest",
                SchemeParameters(kind: .list, groups: groups)),
        ]
        rows = []
        for question in questions {
            // A ring of many nodes has more arcs than a keyspace may have shards: no line for it.
            guard let row = try? Self.row(question, sites, nodes) else { continue }
            rows.append(row)
        }
    }

    private static func row(
        _ question: Question, _ sites: [Site], _ nodes: Int
    ) throws(SchemeProblem) -> Row {
        let scheme = try question.parameters.scheme()
        let before = try scheme.placement(on: Array(sites[..<nodes]), replicas: 1, current: [])
        var after = before
        for count in (nodes..<sites.count).map({ $0 + 1 }) {
            after = try scheme.placement(on: Array(sites[..<count]), replicas: 1, current: after)
        }
        let (old, new) = (units(before), units(after))
        let moved = zip(old, new).count { $0 != $1 }
        let total = sites.map(\.weight).reduce(0, +)
        let joined = sites[nodes...].map(\.weight).reduce(0, +)
        return Row(
            scheme: question.name, mapping: question.mapping, shardsBefore: before.count, shardsAfter: after.count,
            moved: old.isEmpty ? 0 : Double(moved) / Double(old.count), ideal: joined / total,
            skewBefore: skew(old, Array(sites[..<nodes])), skewAfter: skew(new, sites),
            metadataBytes: bytes(after, scheme.parameters))
    }

    /// The owner of every slot, or of every shard where there are no slots.
    private static func units(_ shards: [PlannedShard]) -> [NodeID] {
        shards.flatMap { shard -> [NodeID] in
            guard let owner = shard.members.first else { return [] }
            guard case .slots(let from, let to) = shard.range else { return [owner] }
            return Array(repeating: owner, count: Int(to - from))
        }
    }

    private static func skew(_ owners: [NodeID], _ sites: [Site]) -> Double {
        var counts: [NodeID: Int] = [:]
        for owner in owners { counts[owner, default: 0] += 1 }
        let total = sites.map(\.weight).reduce(0, +)
        let ratios = sites.map { site in
            Double(counts[site.node] ?? 0) / Double(max(owners.count, 1)) / (site.weight / total)
        }
        return ratios.max() ?? 1
    }

    private static func bytes(_ shards: [PlannedShard], _ parameters: SchemeParameters) -> Int {
        var buffer = ByteBuffer()
        for (index, shard) in shards.enumerated() {
            let configuration = ShardConfiguration(
                id: ShardID(rawValue: UInt64(index + 1)), keyspace: KeyspaceID(rawValue: 1),
                epoch: Epoch(rawValue: 1), range: shard.range, policy: ReplicationPolicy(replicas: 1),
                members: shard.members.map { Member(node: $0, incarnation: .first) },
                proposal: Proposal(proposer: "metasrv", request: 1), primaryBoot: BootNonce(rawValue: .max))
            configuration.encode(into: &buffer)
        }
        return buffer.count
    }
}
