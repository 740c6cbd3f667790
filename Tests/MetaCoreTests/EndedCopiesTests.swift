import ClusterModel
import MetaCore
import Testing

/// Members whose nodes live and have no such copy are taken out of the map by the metadata group.
@Suite struct EndedCopiesTests {
    /// A shard of two copies, by default both must be in sync, on three nodes.
    private static func pair(ack: Ack = .all, minInSync: Int = 2) throws -> (MetaGroup, ShardConfiguration) {
        var group = MetaGroup.serving(nodes: 3)
        _ = group.create(
            "default", SchemeParameters(kind: .hash, shards: 1), replicas: 2, minInSync: minInSync, ack: ack)
        return (group, try #require(group.state.shards(of: KeyspaceID(rawValue: 1)).first))
    }

    private static func report(
        _ shard: ShardConfiguration, _ member: Member, active: Epoch? = nil
    ) -> ShardReport {
        ShardReport(
            id: shard.id, epoch: shard.epoch, incarnation: member.incarnation,
            role: member == shard.primary ? .primary : .secondary, serving: true,
            active: active ?? shard.epoch, last: Seq(rawValue: 9), commit: Seq(rawValue: 9), applied: .zero, bytes: 10)
    }

    /// Half a second in which all nodes beat; some of them without a copy, which may say how far it had promised.
    private static func run(
        _ group: inout MetaGroup, _ shard: ShardConfiguration, ended: [Member], since: UInt64? = nil,
        promised: UInt64? = nil, active: Epoch? = nil
    ) {
        for _ in 0..<5 {
            group.pass(100)
            for number in 1...3 {
                let held = shard.members.filter { $0.node.rawValue == "d\(number)" && !ended.contains($0) }
                var beat = dataBeat(
                    number, cluster: group.state.cluster, since: since ?? group.state.routeVersion.rawValue,
                    shards: held.map { report(shard, $0, active: active) })
                let own = ended.first { $0.node == beat.node.id }
                if let own, let promised = promised.map(Epoch.init(rawValue:)) {
                    beat.ended = [EndedReplica(shard: shard.id, incarnation: own.incarnation, promised: promised)]
                }
                _ = group.beat(beat)
            }
        }
    }

    @Test func aSecondaryThatHasLostItsCopyIsNoMember() throws {
        var (group, shard) = try Self.pair()
        Self.run(&group, shard, ended: [shard.members[1]])
        let next = try #require(group.state.shard(shard.id))
        #expect(next.members == [shard.members[0]] && next.epoch > shard.epoch)
        #expect(next.primaryBoot == shard.primaryBoot)
    }

    @Test func theOtherMemberIsPrimaryInPlaceOfOneThatHasLostItsCopy() throws {
        var (group, shard) = try Self.pair()
        Self.run(&group, shard, ended: [shard.members[0]])
        let next = try #require(group.state.shard(shard.id))
        #expect(next.members == [shard.members[1]] && next.handedOverFrom == nil)
        #expect(next.primaryBoot == group.state.node(shard.members[1].node)?.boot)
    }

    /// Who has the longest log is found out by seals alone.
    @Test func withAckBelowAllNobodyIsMadePrimary() throws {
        var (group, shard) = try Self.pair(ack: .majority)
        Self.run(&group, shard, ended: [shard.members[0]])
        #expect(group.state.shard(shard.id) == shard)
    }

    /// A policy is in force once the start of its epoch is committed; where the primary died with that, another may know it.
    @Test(arguments: [true, false]) func oneWhoKnowsThatAckAllIsInForceIsEnough(isKnown: Bool) throws {
        var (group, before) = try Self.pair(ack: .majority)
        _ = group.admin(.setKeyspace(name: "default", settings: ["ack": "all"], plan: false))
        let shard = try #require(group.state.shard(before.id))
        #expect(shard.policy.ack == .all && !shard.isHeldByAll)
        Self.run(&group, shard, ended: [shard.members[0]], active: isKnown ? nil : before.epoch)
        #expect(try #require(group.state.shard(shard.id)).members == (isKnown ? [shard.members[1]] : shard.members))
    }

    @Test func theLastMemberStays() throws {
        var (group, shard) = try Self.pair()
        Self.run(&group, shard, ended: shard.members)
        #expect(group.state.shard(shard.id) == shard)
    }

    @Test func aNodeThatDoesNotKnowTheConfigurationYetHasLostNothing() throws {
        var (group, shard) = try Self.pair()
        Self.run(&group, shard, ended: [shard.members[1]], since: 0)
        #expect(group.state.shard(shard.id) == shard)
    }

    // MARK: A proposal that came late

    /// The primary of a shard of two asked to go on alone, and its node has no copy any more; what its log had promised.
    private static func alone(promised: UInt64?, ack: Ack = .all) throws -> ShardConfiguration {
        var (group, shard) = try pair(ack: ack, minInSync: 1)
        let left = shard.members[0]
        let answer = try group.propose(after: shard, by: left.node) { $0.members = [left] }
        guard answer.accepted else { throw MetaGroup.Unanswered() }
        run(&group, shard, ended: [left], promised: promised)
        return try #require(group.state.shard(shard.id))
    }

    @Test func theOtherOneIsTakenBackWhereTheLastHasEndedUnaware() throws {
        let next = try Self.alone(promised: 1)
        #expect(next.members.map(\.node.rawValue) != ["d1"] && next.members.count == 1 && next.epoch.rawValue == 3)
    }

    /// It may have acknowledged what nobody else has.
    @Test(arguments: [2, nil] as [UInt64?]) func whoMayHaveBegunAloneIsWaitedFor(promised: UInt64?) throws {
        #expect(try Self.alone(promised: promised).epoch.rawValue == 2)
    }

    /// Who has the longest log is found out by seals alone.
    @Test func withAckBelowAllNobodyIsTakenBack() throws {
        #expect(try Self.alone(promised: 1, ack: .majority).epoch.rawValue == 2)
    }

    // MARK: Old data

    /// A group in which a member that had applied record 9 comes back, as another boot, with a log up to another one.
    private static func returned(
        _ group: inout MetaGroup, _ shard: ShardConfiguration, _ member: Member, last: UInt64
    ) throws {
        run(&group, shard, ended: [])
        var before = report(shard, member)
        before.applied = Seq(rawValue: 9)
        let number = Int(member.node.rawValue.dropFirst()) ?? 0
        let version = group.state.routeVersion.rawValue
        _ = group.beat(dataBeat(number, cluster: group.state.cluster, since: version, shards: [before]))
        group.pass(3000)
        before.last = Seq(rawValue: last)
        before.applied = .zero
        before.serving = false
        let answer = group.beat(
            dataBeat(number, boot: 2, cluster: group.state.cluster, since: version, shards: [before]))
        #expect(answer?.refusal == nil)
    }

    private static func takeOver(_ group: inout MetaGroup, _ shard: ShardConfiguration) throws -> ReconfigureAnswer {
        try group.propose(after: shard, by: shard.members[1].node) { $0.members = [shard.members[1]] }
    }

    @Test(arguments: [8, 9] as [UInt64]) func whoLostRecordsDoesNotTakeOver(last: UInt64) throws {
        var group = MetaGroup.serving(nodes: 3)
        _ = group.create("default", SchemeParameters(kind: .hash, shards: 1), replicas: 2, minInSync: 1)
        let shard = try #require(group.state.shards(of: KeyspaceID(rawValue: 1)).first)
        try Self.returned(&group, shard, shard.members[1], last: last)
        let answer = try Self.takeOver(&group, shard)
        #expect(answer.accepted == (last == 9), "\(answer.refusal ?? "")")
        if last < 9 { #expect(answer.refusal?.contains("ends before what it had") == true) }
    }

    /// It is no member until the primary has sent it what it lacks.
    @Test func whoLostRecordsIsNoMember() throws {
        var (group, shard) = try Self.pair()
        try Self.returned(&group, shard, shard.members[1], last: 8)
        group.pass(600)
        #expect(group.state.shard(shard.id)?.members == [shard.members[0]])
    }
}
