import ClusterModel
import Testing

/// Where replicas are placed: never two on one host, in distinct zones where there are enough, as many as weights say.
@Suite(.timeLimit(.minutes(1)))
struct PlacementTests {
    private func scheme(_ chance: inout Entropy) throws -> any Scheme {
        switch chance.next() % 3 {
        case 0: try SchemeParameters(kind: .hash, shards: 60 + Int(chance.next() % 200)).scheme()
        case 1:
            try SchemeParameters(
                kind: .range, splitAt: (1...UInt8(80 + chance.next() % 100)).map { Key([$0]) }
            ).scheme()
        default:
            try SchemeParameters(
                kind: .list,
                groups: (0..<(70 + Int(chance.next() % 50))).map {
                    ListGroup(name: "g\($0)", values: [Key(Array("v\($0)".utf8))])
                }
            ).scheme()
        }
    }

    private func hosts(_ shard: PlannedShard, _ sites: [Site]) -> [String] {
        shard.members.compactMap { member in sites.first { $0.node == member }?.host }
    }

    /// Chance decides nodes, hosts, zones, weights, scheme and number of replicas.
    @Test(arguments: 1...60 as ClosedRange<UInt64>)
    func noHostHoldsTwoReplicasOfAShard(seed: UInt64) throws {
        var chance = Entropy(seed: seed)
        let count = 1 + Int(chance.next() % 12)
        let sites = (0..<count).map { index in
            Site(
                node: NodeID(rawValue: "d\(index)"), weight: Double(1 + chance.next() % 4),
                zone: "z\(chance.next() % 4)", host: "h\(chance.next() % 8)")
        }
        let all = Set(sites.map(\.host)).count
        let replicas = 1 + Int(chance.next() % 5)
        let schemes: [any Scheme] = [
            try scheme(&chance),
            try SchemeParameters(kind: .ring, virtualNodes: 1 + Int(chance.next() % 40)).scheme(),
        ]
        for scheme in schemes {
            let shards = try scheme.placement(on: sites, replicas: replicas, current: [])
            #expect(!shards.isEmpty)
            for shard in shards {
                let hosts = hosts(shard, sites)
                #expect(hosts.count == min(replicas, all))
                #expect(Set(hosts).count == hosts.count)
                #expect(Set(shard.members).count == shard.members.count)
            }
        }
    }

    /// Primaries by themselves, and all replicas, within a fifth of what the weights say.
    @Test(arguments: 100...140 as ClosedRange<UInt64>)
    func replicasFollowTheWeights(seed: UInt64) throws {
        var chance = Entropy(seed: seed)
        let replicas = 2 + Int(chance.next() % 2)
        // As many as needed that no node is owed more than one replica of every shard.
        let sites = (0..<(8 + Int(chance.next() % 5))).map { index in
            Site(
                node: NodeID(rawValue: "d\(index)"), weight: [1, 1.5, 2][Int(chance.next() % 3)], zone: "z",
                host: "h\(index)")
        }
        let total = sites.map(\.weight).reduce(0, +)
        let shards = try scheme(&chance).placement(on: sites, replicas: replicas, current: [])
        for site in sites {
            let share = site.weight / total
            let primaries = Double(shards.count { $0.members.first == site.node })
            let copies = Double(shards.count { $0.members.contains(site.node) })
            let owed = share * Double(shards.count)
            #expect(abs(primaries - owed) <= max(1, owed * 0.2), "\(site.node): \(primaries) primaries of \(owed)")
            #expect(
                abs(copies - owed * Double(replicas)) <= owed * Double(replicas) * 0.2,
                "\(site.node): \(copies) replicas of \(owed * Double(replicas))")
        }
    }

    @Test(arguments: [SchemeKind.hash, .ring], [2, 3, 4])
    func zonesAreDistinctAsFarAsTheyGo(kind: SchemeKind, zones: Int) throws {
        let sites = (0..<8).map { Site(node: NodeID(rawValue: "d\($0)"), zone: "z\($0 % zones)", host: "h\($0)") }
        let shards = try SchemeParameters(kind: kind).scheme().placement(on: sites, replicas: 3, current: [])
        for shard in shards {
            let found = shard.members.compactMap { member in sites.first { $0.node == member }?.zone }
            #expect(Set(found).count == min(3, zones))
        }
    }

    /// ring: the other replicas are on the nodes that come next on the circle.
    @Test func aRingsReplicasAreTheNextNodesOnTheCircle() throws {
        let sites = (0..<5).map { Site(node: NodeID(rawValue: "d\($0)"), zone: "", host: "h\($0)") }
        let shards = try SchemeParameters(kind: .ring, virtualNodes: 8).scheme()
            .placement(on: sites, replicas: 3, current: [])
        let owners = shards.map { $0.members[0] }
        for (index, shard) in shards.enumerated() {
            var expected: [NodeID] = []
            for step in owners.indices {
                let next = owners[(index + step) % owners.count]
                if !expected.contains(next), expected.count < 3 { expected.append(next) }
            }
            #expect(shard.members == expected)
        }
    }
}
