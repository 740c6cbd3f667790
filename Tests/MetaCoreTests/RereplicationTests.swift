import ClusterModel
import MetaCore
import Testing

/// Shards that lack replicas are given learners by the metadata group.
@Suite struct RereplicationTests {
    private static func report(
        _ shard: ShardConfiguration, _ node: Int, incarnation: Incarnation? = nil, serving: Bool = true
    ) -> ShardReport? {
        let id = NodeID(rawValue: "d\(node)")
        let isPrimary = shard.primary?.node == id
        guard let own = incarnation ?? shard.replica(on: id)?.incarnation else { return nil }
        return ShardReport(
            id: shard.id, epoch: shard.epoch, incarnation: own, role: isPrimary ? .primary : .secondary,
            serving: serving, active: shard.epoch, last: Seq(rawValue: 9), commit: Seq(rawValue: 9),
            applied: Seq(rawValue: 9), bytes: 100)
    }

    /// Beats of nodes, each with reports of the shards it holds.
    private static func beat(_ group: inout MetaGroup, _ nodes: [Int], extra: [Int: [ShardReport]] = [:]) {
        for node in nodes {
            let held = group.state.shards(of: KeyspaceID(rawValue: 1)).compactMap { report($0, node) }
            let version = group.state.routeVersion.rawValue
            _ = group.beat(
                dataBeat(
                    node, cluster: group.state.cluster, since: version,
                    shards: (held + extra[node, default: []]).sorted { $0.id < $1.id }))
        }
    }

    /// A shard of two copies that wishes three, on a group of four nodes; d4 was never a member.
    private static func short() throws -> (MetaGroup, ShardConfiguration) {
        var group = MetaGroup.serving(nodes: 4)
        let wish = KeyspaceWish(name: "default", scheme: SchemeParameters(kind: .hash, shards: 1), replicas: 3)
        _ = group.admin(.createKeyspace(wish, plan: false))
        var shard = try #require(group.state.shards(of: KeyspaceID(rawValue: 1)).first)
        beat(&group, [1, 2, 3, 4])
        shard.epoch = try #require(shard.epoch.successor)
        shard.members.removeLast()
        shard.proposal = Proposal(proposer: shard.members[0].node.rawValue, request: 77)
        let expected = Epoch(rawValue: shard.epoch.rawValue - 1)
        guard
            case .reconfigure(let answer)? = group.ask(
                0, .reconfigure(ReconfigureRequest(expected: expected, configuration: shard)))
        else { throw Missing() }
        #expect(answer.accepted, "\(answer.refusal ?? "")")
        return (group, try #require(answer.current))
    }

    private struct Missing: Error {}

    private static func number(_ node: NodeID) -> Int { Int(node.rawValue.dropFirst()) ?? 0 }

    /// Runs the group for a while with beats of some nodes.
    private static func run(
        _ group: inout MetaGroup, _ nodes: [Int], extra: [Int: [ShardReport]] = [:], millis: UInt64 = 1500
    ) {
        for _ in 0..<(millis / 100) {
            group.pass(100)
            beat(&group, nodes, extra: extra)
        }
    }

    @Test func aNodeThatStillHasItsCopyIsTakenBackUnderTheSameNumber() throws {
        var (group, shard) = try Self.short()
        let gone = try #require(
            (1...4).first { node in
                shard.member(on: NodeID(rawValue: "d\(node)")) == nil && node != 4
            } ?? 4)
        let copy = try #require(Self.report(shard, gone, incarnation: Incarnation(rawValue: 1)))
        Self.run(&group, [1, 2, 3, 4], extra: [gone: [copy]])
        let next = try #require(group.state.shard(shard.id))
        #expect(next.learners == [Member(node: NodeID(rawValue: "d\(gone)"), incarnation: Incarnation(rawValue: 1))])
        #expect(next.members == shard.members && next.epoch == shard.epoch.successor)
    }

    @Test func aFreshCopyHasANumberOfItsOwn() throws {
        var (group, shard) = try Self.short()
        Self.run(&group, [1, 2, 3, 4])
        let next = try #require(group.state.shard(shard.id))
        let learner = try #require(next.learners.first)
        #expect(next.learners.count == 1 && shard.member(on: learner.node) == nil)
        #expect(learner.incarnation.rawValue == next.epoch.rawValue)
    }

    @Test func nothingIsMadeWhileThePrimaryDoesNotServe() throws {
        var (group, shard) = try Self.short()
        let primary = try #require(shard.primary?.node)
        Self.run(&group, (1...4).filter { $0 != Self.number(primary) })
        #expect(group.state.shard(shard.id) == shard)
    }

    @Test func oneLearnerIsEnough() throws {
        var (group, shard) = try Self.short()
        Self.run(&group, [1, 2, 3, 4], millis: 5000)
        #expect(group.state.shard(shard.id)?.learners.count == 1)
    }
}
