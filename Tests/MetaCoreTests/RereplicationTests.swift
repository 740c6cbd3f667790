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

    /// A shard of two copies that wishes three, on a group of so many nodes; d4 and those behind it were never members.
    private static func short(nodes: Int = 4) throws -> (MetaGroup, ShardConfiguration) {
        var group = MetaGroup.serving(nodes: nodes)
        let wish = KeyspaceWish(name: "default", scheme: SchemeParameters(kind: .hash, shards: 1), replicas: 3)
        _ = group.admin(.createKeyspace(wish, plan: false))
        let shard = try #require(group.state.shards(of: KeyspaceID(rawValue: 1)).first)
        beat(&group, Array(1...nodes))
        let answer = try group.propose(after: shard, by: shard.members[0].node) { $0.members.removeLast() }
        #expect(answer.accepted, "\(answer.refusal ?? "")")
        return (group, try #require(answer.current))
    }

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

    // MARK: Silence

    /// The node among the first three that was left out.
    private static func leftOut(_ shard: ShardConfiguration) throws -> Int {
        try #require((1...3).first { shard.member(on: NodeID(rawValue: "d\($0)")) == nil })
    }

    @Test(arguments: [false, true]) func aNodeThatHadACopyIsWaitedForUntilItIsDown(leaves: Bool) throws {
        var (group, shard) = try Self.short()
        let gone = try Self.leftOut(shard)
        if leaves {
            let copy = try #require(Self.report(shard, gone, incarnation: .first))
            _ = group.beat(dataBeat(gone, cluster: group.state.cluster, shards: [copy], leaving: true))
        }
        let others = (1...4).filter { $0 != gone }
        Self.run(&group, others, millis: 29_000)
        #expect(group.state.shard(shard.id) == shard)
        Self.run(&group, others, millis: 2500)
        #expect(group.state.shard(shard.id)?.learners.map(\.node.rawValue) == ["d4"])
    }

    @Test func aNodeThatHadNoCopyIsNotWaitedFor() throws {
        var (group, shard) = try Self.short(nodes: 5)
        let gone = try Self.leftOut(shard)
        // d4 was heard without a copy and falls silent; the one that was left out has lost its own.
        Self.run(&group, (1...5).filter { $0 != 4 }, millis: 3000)
        let learner = try #require(group.state.shard(shard.id)?.learners.first)
        #expect([NodeID(rawValue: "d5"), NodeID(rawValue: "d\(gone)")].contains(learner.node))
    }

    /// A new primary of the group has heard nobody, and may not take that for silence.
    @Test func silenceIsCountedFromTheTermsStart() throws {
        var (group, shard) = try Self.short()
        let gone = try Self.leftOut(shard)
        let others = (1...4).filter { $0 != gone }
        Self.run(&group, others, millis: 20_000)
        group.start(0)
        group.pass(4000)
        Self.run(&group, others, millis: 20_000)
        #expect(group.state.term > Term(rawValue: 1))
        #expect(group.state.shard(shard.id)?.learners == [])
        Self.run(&group, others, millis: 12_000)
        #expect(group.state.shard(shard.id)?.learners.map(\.node.rawValue) == ["d4"])
    }

    @Test func copiesOfNodesLostTogetherAreMadeOnTheOperatorsWord() throws {
        var (group, shard) = try Self.short(nodes: 7)
        let gone = try Self.leftOut(shard)
        let others = (1...4).filter { $0 != gone }
        Self.run(&group, others, millis: 60_000)
        #expect(group.state.shard(shard.id) == shard, "four of seven are lost")
        guard case .status(let status)? = group.admin(.status) else { throw MetaGroup.Unanswered() }
        #expect(status.warnings.contains { $0.contains("were lost together") })
        guard case .done? = group.admin(.removeNode(node: NodeID(rawValue: "d\(gone)"), plan: false)) else {
            Issue.record("not removed")
            return
        }
        Self.run(&group, others)
        #expect(group.state.shard(shard.id)?.learners.map(\.node.rawValue) == ["d4"])
    }

    /// With ack below all a lost member stays one until another has taken its place: no majority forgets it before.
    @Test func aLostMemberLacksWithAckBelowAll() throws {
        var group = MetaGroup.serving(nodes: 4)
        _ = group.create("default", SchemeParameters(kind: .hash, shards: 1), replicas: 3, ack: .majority)
        let shard = try #require(group.state.shards(of: KeyspaceID(rawValue: 1)).first)
        Self.run(&group, [1, 2, 3, 4])
        let lost = Self.number(shard.members[2].node)
        let others = (1...4).filter { $0 != lost }
        Self.run(&group, others, millis: 29_000)
        #expect(group.state.shard(shard.id) == shard)
        Self.run(&group, others, millis: 2500)
        let next = try #require(group.state.shard(shard.id))
        #expect(next.members == shard.members && next.learners.count == 1)
        guard case .done? = group.admin(.removeNode(node: shard.members[2].node, plan: false)) else {
            Issue.record("a lost node may be removed, member or not")
            return
        }
        // The primary may name it on in what it proposes.
        let answer = try group.promoteLearners(of: next)
        #expect(answer.accepted, "\(answer.refusal ?? "")")
    }

    // MARK: Too many

    @Test func replicasBeyondTheWishGo() throws {
        var group = MetaGroup.serving(nodes: 4)
        _ = group.create("default", SchemeParameters(kind: .hash, shards: 1), replicas: 3)
        let shard = try #require(group.state.shards(of: KeyspaceID(rawValue: 1)).first)
        Self.run(&group, [1, 2, 3, 4])
        #expect(group.state.shard(shard.id) == shard)
        guard case .done? = group.admin(.setKeyspace(name: "default", settings: ["replicas": "2"], plan: false)) else {
            Issue.record("not set")
            return
        }
        // One of three does not take part: it is not known whether two would be left.
        Self.run(&group, [1, 2, 3, 4].filter { $0 != Self.number(shard.members[1].node) })
        #expect(group.state.shard(shard.id)?.members == shard.members)
        Self.run(&group, [1, 2, 3, 4])
        #expect(group.state.shard(shard.id)?.members == Array(shard.members.prefix(2)))
    }

    // MARK: Nodes that are to leave

    private static func done(_ answer: AdminAnswer?) -> Bool { if case .done? = answer { true } else { false } }

    @Test func aPrimaryInMaintenanceHandsItsRoleOver() throws {
        var group = MetaGroup.serving(nodes: 3)
        _ = group.create("default", SchemeParameters(kind: .hash, shards: 1), replicas: 3)
        let shard = try #require(group.state.shards(of: KeyspaceID(rawValue: 1)).first)
        Self.run(&group, [1, 2, 3])
        #expect(Self.done(group.admin(.setMaintenance(node: shard.members[0].node, on: true, plan: false))))
        Self.run(&group, [1, 2, 3])
        let next = try #require(group.state.shard(shard.id))
        #expect(next.primary == shard.members[1] && next.members.count == 3 && next.epoch == shard.epoch.successor)
    }

    /// It is worked on and started again: its copy is not made elsewhere meanwhile.
    @Test func aNodeInMaintenanceKeepsItsCopies() throws {
        var (group, shard) = try Self.short()
        let gone = try Self.leftOut(shard)
        #expect(Self.done(group.admin(.setMaintenance(node: NodeID(rawValue: "d\(gone)"), on: true, plan: false))))
        Self.run(&group, (1...4).filter { $0 != gone }, millis: 20_000)
        #expect(group.state.shard(shard.id) == shard)
        let copy = try #require(Self.report(shard, gone, incarnation: .first))
        Self.run(&group, [1, 2, 3, 4], extra: [gone: [copy]])
        #expect(group.state.shard(shard.id)?.learners.map(\.node.rawValue) == ["d\(gone)"])
        // Nothing new comes to it.
        var (other, lacking) = try Self.short(nodes: 3)
        let empty = try Self.leftOut(lacking)
        #expect(Self.done(other.admin(.setMaintenance(node: NodeID(rawValue: "d\(empty)"), on: true, plan: false))))
        Self.run(&other, [1, 2, 3])
        #expect(other.state.shard(lacking.id) == lacking)
    }

    @Test func aDrainedNodeIsEmptied() throws {
        var group = MetaGroup.serving(nodes: 4)
        _ = group.create("default", SchemeParameters(kind: .hash, shards: 1), replicas: 3)
        let shard = try #require(group.state.shards(of: KeyspaceID(rawValue: 1)).first)
        Self.run(&group, [1, 2, 3, 4])
        let drained = shard.members[0]
        #expect(Self.done(group.admin(.setDraining(node: drained.node, on: true, plan: false))))
        Self.run(&group, [1, 2, 3, 4])
        let taught = try #require(group.state.shard(shard.id))
        #expect(taught.primary == shard.members[1] && taught.members.contains(drained))
        #expect(taught.learners.map(\.node.rawValue) == ["d4"])
        // Its primary makes the learner a member.
        _ = try group.promoteLearners(of: taught)
        Self.run(&group, [1, 2, 3, 4])
        let last = try #require(group.state.shard(shard.id))
        #expect(last.members.count == 3 && last.replica(on: drained.node) == nil)
        #expect(Self.done(group.admin(.setDraining(node: drained.node, on: false, plan: false))))
        #expect(group.state.node(drained.node)?.standing == .member)
    }

    @Test func aNodeWhoseCopiesCouldGoNowhereIsNotDrained() throws {
        var group = MetaGroup.serving(nodes: 3)
        _ = group.create("default", SchemeParameters(kind: .hash, shards: 1), replicas: 3)
        let shard = try #require(group.state.shards(of: KeyspaceID(rawValue: 1)).first)
        Self.run(&group, [1, 2, 3])
        guard
            case .failed(.refused, let text)? = group.admin(
                .setDraining(node: shard.members[0].node, on: true, plan: false))
        else {
            Issue.record("not refused")
            return
        }
        #expect(text.contains("start another node first"))
        #expect(group.state.node(shard.members[0].node)?.standing == .member)
    }

    /// A shard of one copy moves: another node learns, takes the role, and the first copy goes.
    @Test func theOnlyCopyOfADrainedNodeMoves() throws {
        var group = MetaGroup.serving(nodes: 2)
        _ = group.create("default", SchemeParameters(kind: .hash, shards: 1), replicas: 1)
        let shard = try #require(group.state.shards(of: KeyspaceID(rawValue: 1)).first)
        Self.run(&group, [1, 2])
        let drained = shard.members[0]
        #expect(Self.done(group.admin(.setDraining(node: drained.node, on: true, plan: false))))
        Self.run(&group, [1, 2])
        let taught = try #require(group.state.shard(shard.id))
        #expect(taught.members == [drained] && taught.learners.count == 1)
        _ = try group.promoteLearners(of: taught)
        Self.run(&group, [1, 2], millis: 3000)
        #expect(group.state.shard(shard.id)?.members == taught.learners)
    }

    // MARK: A node that its primary does not reach (RULES H3)

    /// The metadata group hears all nodes; the primary puts the copy on one of them out whenever it is made a learner. Returns
    /// who was a learner when, ms.
    private static func probes(nodes: Int, millis: UInt64) throws -> [(node: NodeID, at: UInt64)] {
        var (group, shard) = try short(nodes: nodes)
        let gone = try #require((1...3).first { shard.member(on: NodeID(rawValue: "d\($0)")) == nil })
        let copy = try #require(report(shard, gone, incarnation: .first))
        var found: [(node: NodeID, at: UInt64)] = []
        for step in 0..<(millis / 100) {
            run(&group, Array(1...nodes), extra: [gone: [copy]], millis: 100)
            let now = try #require(group.state.shard(shard.id))
            guard let learner = now.learners.first else { continue }
            found.append((learner.node, step * 100))
            guard number(learner.node) == gone else { break }
            let primary = try #require(now.primary)
            let answer = try group.propose(after: now, by: primary.node) { $0.learners = [] }
            #expect(answer.accepted, "\(answer.refusal ?? "")")
        }
        return found
    }

    @Test func eachProbeWaitsTwiceAsLong() throws {
        let found = try Self.probes(nodes: 3, millis: 40_000)
        let pauses = zip(found.dropFirst(), found).map { ($0.at - $1.at) / 1000 }
        #expect(found.first.map { $0.at < 1000 } == true, "a member that was lost is tried at once")
        #expect(pauses == [5, 10, 20], "\(found)")
    }

    @Test func afterTwoProbesAnotherNodeTakesTheCopy() throws {
        let found = try Self.probes(nodes: 4, millis: 40_000)
        #expect(
            found.count == 3 && found[0].node == found[1].node && found[2].node == NodeID(rawValue: "d4"), "\(found)")
    }
}
