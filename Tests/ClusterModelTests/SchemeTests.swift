import ClusterModel
import Testing

@Suite(.timeLimit(.minutes(1)))
struct SchemeTests {
    private func sites(_ count: Int, weights: [Double] = [1]) -> [Site] {
        (0..<count).map { index in
            Site(
                node: NodeID(rawValue: "d\(index + 1)"), weight: weights[index % weights.count],
                zone: "z\(index % 3)", host: "h\(index)")
        }
    }

    private func key(_ text: String) -> Key { Key(Array(text.utf8)) }

    /// Keys of many forms, empty and binary ones among them.
    private func keys(_ count: Int) -> [[UInt8]] {
        var chance = Entropy(seed: 4)
        return [[], [0], [255, 255], Array("a:b:c".utf8), Array(":".utf8)]
            + (0..<count).map { index in
                index % 2 == 0
                    ? Array("user:\(index)".utf8)
                    : (0..<Int(chance.next() % 12)).map { _ in UInt8(truncatingIfNeeded: chance.next()) }
            }
    }

    private var everyScheme: [SchemeParameters] {
        [
            SchemeParameters(kind: .hash), SchemeParameters(kind: .hash, shards: 1),
            SchemeParameters(kind: .hash, shards: 4096), SchemeParameters(kind: .hash, shards: 7),
            SchemeParameters(kind: .ring), SchemeParameters(kind: .ring, virtualNodes: 1),
            SchemeParameters(kind: .ring, virtualNodes: 128), SchemeParameters(kind: .range),
            SchemeParameters(kind: .range, splitAt: [key("a"), key("m"), key("user:5")]),
            SchemeParameters(
                kind: .list,
                groups: [
                    ListGroup(name: "one", values: [key("user"), key("a")]), ListGroup(name: "two", values: [key("")]),
                ]),
        ]
    }

    /// Each key has one shard, the token says which, and the route table's own look-up says the same.
    @Test func everyKeyHasExactlyOneShard() throws {
        for parameters in everyScheme {
            let scheme = try parameters.scheme()
            let shards = try scheme.placement(on: sites(5), replicas: 1, current: [])
            let keyspace = Keyspace(
                id: KeyspaceID(rawValue: 1), name: "k", scheme: scheme.parameters,
                policy: ReplicationPolicy(replicas: 1))
            let configurations = shards.enumerated().map { index, shard in
                ShardConfiguration(
                    id: ShardID(rawValue: UInt64(index + 1)), keyspace: keyspace.id, epoch: Epoch(rawValue: 1),
                    range: shard.range, policy: keyspace.policy, members: [],
                    proposal: Proposal(proposer: "t", request: 1), primaryBoot: BootNonce(rawValue: 0))
            }
            let map = ShardMap(keyspace: keyspace, shards: configurations)
            #expect(map.ordered.map(\.rawValue) == (1...UInt64(shards.count)).map { $0 })
            for bytes in keys(shards.count > 200 ? 200 : 1000) {
                let token = scheme.token(of: bytes)
                let owner = try #require(scheme.shard(of: token, in: shards))
                let owners = shards.indices.filter { covers(shards[$0].range, token) }
                #expect(owners.count == 1 || owners.isEmpty && shards[owner].range.isDefaultList)
                #expect(map.locate(bytes) == ShardID(rawValue: UInt64(owner + 1)))
            }
        }
    }

    private func covers(_ range: ShardRange, _ token: Token) -> Bool {
        switch (range, token) {
        case (.slots, .slot(let slot)): range.contains(slot: slot.number)
        case (.keys, .key(let key)): range.contains(key: key)
        case (.values(let listed, _), .value(let value)): listed.contains(value)
        default: false
        }
    }

    @Test func slotShardsCoverTheSpaceWithoutOverlap() throws {
        for parameters in everyScheme where parameters.kind.usesSlots {
            for count in [1, 2, 3, 8] {
                let shards = try parameters.scheme().placement(on: sites(count), replicas: 1, current: [])
                var next: UInt16 = 0
                for shard in shards {
                    guard case .slots(let from, let to) = shard.range else {
                        Issue.record("not an interval of slots")
                        return
                    }
                    #expect(from == next && to > from)
                    #expect(shard.members.count == 1)
                    next = to
                }
                #expect(next == Slot.count)
            }
        }
    }

    private func slots(_ shards: [PlannedShard]) -> [NodeID: Int] {
        var slots: [NodeID: Int] = [:]
        for shard in shards {
            if case .slots(let from, let to) = shard.range { slots[shard.members[0], default: 0] += Int(to - from) }
        }
        return slots
    }

    private func owners(_ shards: [PlannedShard]) -> [NodeID] {
        shards.flatMap { shard -> [NodeID] in
            guard case .slots(let from, let to) = shard.range else { return [] }
            return Array(repeating: shard.members[0], count: Int(to - from))
        }
    }

    @Test(arguments: [16, 32, 64, 128, 256])
    func addingANodeToARingOfEightMovesNoMoreThanItsShareAndAFifth(virtualNodes: Int) throws {
        let scheme = try SchemeParameters(kind: .ring, virtualNodes: virtualNodes).scheme()
        let before = try scheme.placement(on: sites(8), replicas: 1, current: [])
        let after = try scheme.placement(on: sites(9), replicas: 1, current: before)
        let moved = zip(owners(before), owners(after)).filter { $0 != $1 }
        // All that moves goes to the newcomer.
        #expect(Set(moved.map(\.1)) == [NodeID(rawValue: "d9")])
        let share = Double(Slot.count) / 9
        #expect(Double(moved.count) <= share * 1.2)
        #expect(Double(moved.count) >= share * 0.5)
    }

    @Test func plainConsistentHashingMovesOneArc() throws {
        let scheme = try SchemeParameters(kind: .ring, virtualNodes: 1).scheme()
        let before = try scheme.placement(on: sites(8), replicas: 1, current: [])
        let after = try scheme.placement(on: sites(9), replicas: 1, current: before)
        #expect(after.count == before.count + 1)
        let moved = zip(owners(before), owners(after)).filter { $0 != $1 }
        #expect(Set(moved.map(\.0)).count == 1)
        #expect(Set(moved.map(\.1)) == [NodeID(rawValue: "d9")])
    }

    @Test func removingANodeOfARingMovesOnlyItsOwnSlots() throws {
        let scheme = try SchemeParameters(kind: .ring).scheme()
        let before = try scheme.placement(on: sites(8), replicas: 1, current: [])
        let after = try scheme.placement(on: sites(7), replicas: 1, current: before)
        for (old, new) in zip(owners(before), owners(after)) where old != new {
            #expect(old == NodeID(rawValue: "d8"))
        }
        #expect(slots(after)[NodeID(rawValue: "d8")] == nil)
    }

    @Test(arguments: [[1.0], [1, 2], [1, 2, 3, 4], [0.5, 1, 8]])
    func ringSharesFollowWeightsWithinATenthAt128VirtualNodes(weights: [Double]) throws {
        let sites = sites(6, weights: weights)
        let scheme = try SchemeParameters(kind: .ring, virtualNodes: 128).scheme()
        let slots = slots(try scheme.placement(on: sites, replicas: 1, current: []))
        let total = sites.map(\.weight).reduce(0, +)
        for site in sites {
            let share = Double(slots[site.node] ?? 0) / Double(Slot.count)
            let wanted = site.weight / total
            #expect(abs(share - wanted) <= wanted * 0.1)
        }
    }

    @Test(arguments: [[1.0], [1, 2], [1, 3, 0.5]])
    func hashSharesFollowWeights(weights: [Double]) throws {
        let sites = sites(6, weights: weights)
        let scheme = try SchemeParameters(kind: .hash, shards: 256).scheme()
        let slots = slots(try scheme.placement(on: sites, replicas: 1, current: []))
        let total = sites.map(\.weight).reduce(0, +)
        for site in sites {
            let shards = Double(slots[site.node] ?? 0) / Double(Slot.count) * 256
            #expect(abs(shards - site.weight / total * 256) <= 1.01)
        }
    }

    @Test func addingANodeMovesTheFewestWholeShards() throws {
        let scheme = try SchemeParameters(kind: .hash, shards: 16).scheme()
        let before = try scheme.placement(on: sites(3), replicas: 1, current: [])
        let same = try scheme.placement(on: sites(3), replicas: 1, current: before)
        #expect(same == before)
        let after = try scheme.placement(on: sites(4), replicas: 1, current: before)
        let moved = zip(before, after).filter { $0.members != $1.members }
        #expect(moved.count == 4)
        #expect(moved.allSatisfy { $0.1.members == [NodeID(rawValue: "d4")] })
        let gone = try scheme.placement(on: sites(2), replicas: 1, current: before)
        for (old, new) in zip(before, gone) where old.members[0].rawValue != "d3" { #expect(old == new) }
        #expect(gone.allSatisfy { $0.members[0].rawValue != "d3" })
    }

    @Test func replicasLieOnDistinctHostsAndZones() throws {
        for parameters in everyScheme {
            let shards = try parameters.scheme().placement(on: sites(6), replicas: 3, current: [])
            for shard in shards {
                #expect(shard.members.count == 3)
                let held = sites(6).filter { shard.members.contains($0.node) }
                #expect(Set(held.map(\.zone)).count == 3)
                #expect(Set(held.map(\.host)).count == 3)
            }
        }
    }

    @Test func nodesOfOneHostNeverHoldTwoCopies() throws {
        let sites = (1...4).map { Site(node: NodeID(rawValue: "d\($0)"), host: $0 <= 2 ? "a" : "b") }
        for shard in try SchemeParameters(kind: .hash).scheme().placement(on: sites, replicas: 3, current: []) {
            #expect(shard.members.count == 2)
            #expect(Set(sites.filter { shard.members.contains($0.node) }.map(\.host)) == ["a", "b"])
        }
    }

    @Test func listAndRangeTablesAreAsGiven() throws {
        let list = try SchemeParameters(
            kind: .list,
            groups: [
                ListGroup(name: "eu", values: [key("fr"), key("de")]), ListGroup(name: "us", values: [key("ny")]),
            ],
            separator: 47
        ).scheme()
        let groups = try list.placement(on: sites(2), replicas: 1, current: [])
        #expect(
            groups.map(\.range) == [
                .values([key("de"), key("fr")], isDefault: false), .values([key("ny")], isDefault: false),
                .values([], isDefault: true),
            ])
        let table: [(String, Int)] = [
            ("de/1", 0), ("fr", 0), ("ny/x/y", 1), ("uk/1", 2), ("", 2), ("/de", 2), ("de:1", 2),
        ]
        for (text, shard) in table { #expect(list.shard(of: list.token(of: Array(text.utf8)), in: groups) == shard) }
        let range = try SchemeParameters(kind: .range, splitAt: [key("g"), key("p")]).scheme()
        let intervals = try range.placement(on: sites(2), replicas: 1, current: [])
        #expect(
            intervals.map(\.range) == [
                .keys(from: nil, to: key("g")), .keys(from: key("g"), to: key("p")), .keys(from: key("p"), to: nil),
            ])
        for (text, shard) in [("", 0), ("f\u{7F}", 0), ("g", 1), ("ozzz", 1), ("p", 2), ("zz", 2)] {
            #expect(range.shard(of: range.token(of: Array(text.utf8)), in: intervals) == shard)
        }
    }

    @Test(arguments: [
        SchemeParameters(kind: .list, groups: [ListGroup(name: "a", values: [])]),
        SchemeParameters(kind: .list, groups: [ListGroup(name: "", values: [Key([1])])]),
        SchemeParameters(kind: .list, groups: [ListGroup(name: "a", values: [Key([58])])]),
        SchemeParameters(
            kind: .list, groups: [ListGroup(name: "a", values: [Key([1])]), ListGroup(name: "b", values: [Key([1])])]),
        SchemeParameters(
            kind: .list, groups: [ListGroup(name: "a", values: [Key([1])]), ListGroup(name: "a", values: [Key([2])])]),
        SchemeParameters(kind: .range, splitAt: [Key([1]), Key([1])]),
        SchemeParameters(kind: .range, splitAt: [Key([])]),
        SchemeParameters(kind: .range, shards: 3), SchemeParameters(kind: .hash, separator: 3),
        SchemeParameters(kind: .ring, virtualNodes: 5000),
    ])
    func whatIsNoSchemeIsRefused(_ parameters: SchemeParameters) {
        #expect(throws: SchemeProblem.self) { try parameters.scheme() }
    }
}
