import ClusterModel
import Foundation
import Testing

@testable import MetaCore

@Suite(.timeLimit(.minutes(1)))
struct StateTests {
    /// A log of many random changes, as a primary writes it.
    private func history(seed: UInt64, snapshotEvery: UInt64 = 1 << 40) -> MetaGroup {
        var group = MetaGroup(1, snapshotEvery: snapshotEvery)
        group.feed(0, .tick)
        var chance = Entropy(seed: seed)
        var boots: [Int: UInt64] = [:]
        for _ in 0..<120 {
            let number = Int(chance.next() % 4) + 1
            let name = "k\(chance.next() % 5)"
            switch chance.next() % 8 {
            case 0:
                boots[number, default: 0] += 1
                _ = group.beat(dataBeat(number, boot: boots[number] ?? 1))
            case 1, 2: _ = group.create(name, SchemeParameters(kind: .hash, shards: 3))
            case 3: _ = group.create(name, SchemeParameters(kind: .range, splitAt: [Key([109])]))
            case 4: _ = group.admin(.dropKeyspace(name: name, plan: false))
            case 5:
                let ack = chance.next() % 2 == 0 ? "all" : "one"
                _ = group.admin(.setKeyspace(name: name, settings: ["ack": ack], plan: false))
            case 6:
                let weight = Double(chance.next() % 5 + 1)
                _ = group.admin(.setWeight(node: NodeID(rawValue: "d\(number)"), weight: weight, plan: false))
            default:
                group.pass(600)
                group.beatAll(boots: boots)
            }
        }
        return group
    }

    private func table(_ delta: RouteDelta) -> RouteTable {
        var table = RouteTable()
        _ = table.apply(delta)
        return table
    }

    /// The state after each route version of a log.
    private func versions(_ group: MetaGroup) throws -> [ClusterState] {
        var states: [ClusterState] = []
        var state = ClusterState()
        for record in group.records(from: LogPosition(rawValue: 1)) {
            try state.apply(record)
            if states.last?.routeVersion != state.routeVersion { states.append(state) }
        }
        return states
    }

    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
    func deltasFromAnyVersionGiveTheWholeMap(seed: UInt64) throws {
        let group = history(seed: seed)
        let whole = table(try #require(group.state.delta(since: .zero)))
        #expect(whole.version == group.state.routeVersion)
        let states = try versions(group)
        #expect(states.count > 30)
        for state in states {
            var cache = table(try #require(state.delta(since: .zero)))
            #expect(cache.version == state.routeVersion)
            let delta = try #require(group.state.delta(since: state.routeVersion))
            #expect(delta.since == state.routeVersion)
            _ = cache.apply(delta)
            #expect(cache == whole)
        }
    }

    @Test func aDeltaHoldsWhatChangedAndNoMore() throws {
        var group = MetaGroup.serving(nodes: 2)
        _ = group.create("a")
        let version = group.state.routeVersion
        _ = group.create("b", SchemeParameters(kind: .hash, shards: 2))
        let delta = try #require(group.state.delta(since: version))
        #expect(delta.keyspaces.map(\.name) == ["b"])
        #expect(delta.shards.count == 2)
        #expect(delta.nodes.isEmpty && delta.droppedShards.isEmpty)
        #expect(try #require(group.state.delta(since: group.state.routeVersion)).shards.isEmpty)
    }

    @Test func pastTheTombstonesThatAreKeptTheWholeMapIsGiven() throws {
        var group = MetaGroup.serving(nodes: 1)
        var early: RouteTable?
        for round in 0..<(ClusterState.tombstonesKept + 10) {
            _ = group.create("k", SchemeParameters(kind: .hash, shards: 1))
            if round == 2 { early = table(try #require(group.state.delta(since: .zero))) }
            _ = group.admin(.dropKeyspace(name: "k", plan: false))
        }
        #expect(group.state.tombstones.count == ClusterState.tombstonesKept)
        var cache = try #require(early)
        #expect(cache.keyspaces.count == 1)
        let delta = try #require(group.state.delta(since: cache.version))
        #expect(delta.since == .zero)
        #expect(cache.apply(delta) == .applied)
        #expect(cache.keyspaces.isEmpty && cache.shards.isEmpty)
    }

    @Test(arguments: [11, 12, 13] as [UInt64])
    func equalLogsGiveEqualStates(seed: UInt64) throws {
        let group = history(seed: seed)
        var state = ClusterState()
        for record in group.records(from: LogPosition(rawValue: 1)) { try state.apply(record) }
        #expect(state == group.state)
        #expect(history(seed: seed).log == group.log)
    }

    @Test func aSnapshotAndTheLogAfterItGiveTheSameState() throws {
        var group = history(seed: 21, snapshotEvery: 20)
        #expect(group.floor > 20)
        let saved = try #require(group.snapshot)
        let json = try JSONEncoder().encode(saved)
        let read = try JSONDecoder().decode(MetaSnapshot.self, from: json)
        #expect(read == saved)
        // A standby that starts at the trimmed beginning of the log reloads, never skips.
        group.snapshot = nil
        group.start(1)
        group.snapshot = read
        group.pass(500)
        group.pass(300, only: [1])
        let isSame = group.members[1].state == group.state
        #expect(isSame)
        #expect(group.halted.isEmpty)
    }

    @Test func commandsOfAnOlderTermAreVoid() throws {
        var group = MetaGroup.serving(nodes: 1)
        var state = group.state
        let node = try #require(state.node(NodeID(rawValue: "d1")))
        func record(_ term: UInt64, _ commands: [ClusterCommand]) -> LogRecord {
            LogRecord(
                position: LogPosition(rawValue: state.position.rawValue + 1),
                entry: LogEntry(
                    writer: UniqueID(high: 0, low: 0), term: Term(rawValue: term), wall: 0, commands: commands))
        }
        let other = Address(host: "h", port: 1)
        try state.apply(record(2, [.takeOver(term: Term(rawValue: 2), id: "m2", listen: other)]))
        let version = state.routeVersion
        var heavier = node
        heavier.weight = 9
        try state.apply(record(1, [.updateNode(heavier)]))
        #expect(state.routeVersion == version && state.node(node.id) == node)
        try state.apply(record(2, [.updateNode(heavier)]))
        #expect(state.node(node.id) == heavier)
        group.feed(0, .tick)
    }

    @Test func aLogThatFoundsNothingStopsTheProcess() {
        var group = MetaGroup()
        group.log = [LogEntry(writer: UniqueID(high: 0, low: 0), term: .zero, wall: 0, commands: [.beat(term: .zero)])]
        group.feed(0, .tick)
        #expect(group.halted[0]?.contains("does not begin") == true)
    }

    @Test func aGapInTheLogIsNeverSkipped() throws {
        var state = MetaGroup.serving(nodes: 1).state
        let entry = LogEntry(writer: UniqueID(high: 0, low: 0), term: state.term, wall: 0, commands: [])
        #expect(throws: ClusterState.Misfit.self) {
            try state.apply(LogRecord(position: LogPosition(rawValue: state.position.rawValue + 2), entry: entry))
        }
    }

    @Test func watchersGetEveryChangeAndTheLogCanBeShown() throws {
        var group = MetaGroup.serving(nodes: 1)
        let watcher = group.post(0, .watch(since: .zero))
        guard case .routes(let first)? = group.replies[watcher] else {
            Issue.record("no first answer")
            return
        }
        var cache = table(first)
        _ = group.create()
        _ = group.admin(.setWeight(node: NodeID(rawValue: "d1"), weight: 2, plan: false))
        group.pass(2000)
        let pushed = try #require(group.pushes[watcher])
        #expect(pushed.count == 2)
        for delta in pushed { #expect(cache.apply(delta) == .applied) }
        #expect(cache == table(try #require(group.state.delta(since: .zero))))
        group.feed(0, .closed(watcher))
        _ = group.admin(.dropKeyspace(name: "default", plan: false))
        #expect(group.pushes[watcher]?.count == 2)
        guard case .log(let items)? = group.admin(.logTail(count: 3)) else {
            Issue.record("no log")
            return
        }
        #expect(
            items.map(\.position.rawValue) == Array((group.state.position.rawValue - 2)...group.state.position.rawValue)
        )
        guard case .dropKeyspace? = items.last?.command else {
            Issue.record("not the newest entry")
            return
        }
        guard case .failed(.usage, _)? = group.admin(.logTail(count: 2000)) else {
            Issue.record("no bound")
            return
        }
    }
}
