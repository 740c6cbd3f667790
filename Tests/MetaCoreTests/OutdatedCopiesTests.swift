import ClusterModel
import MetaCore
import Testing

/// A directory that was put back does not know the start that is registered (RULES H1).
@Suite(.timeLimit(.minutes(1)))
struct OutdatedCopiesTests {
    private static let shard = ShardID(rawValue: 1)

    /// A shard of so many copies.
    private static func shard(replicas: Int, metas: Int = 1) -> MetaGroup {
        var group = MetaGroup(metas)
        group.feed(0, .tick)
        for number in 1...replicas { _ = group.beat(dataBeat(number, knows: [1])) }
        _ = group.create("default", SchemeParameters(kind: .hash, shards: 1), replicas: replicas, minInSync: 1)
        return group
    }

    private static func number(_ member: Member) -> Int { Int(member.node.rawValue.dropFirst()) ?? 0 }

    /// A node starts again, as another boot that knows of these, once the boot before it can live no more.
    private static func restart(
        _ group: inout MetaGroup, _ member: Member, knows: [UInt64], boot: UInt64 = 2, at index: Int = 0
    ) {
        group.pass(2500)
        let answer = group.beat(dataBeat(number(member), boot: boot, knows: knows), at: index)
        #expect(answer?.refusal == nil)
    }

    /// The second start of a member's node beats, whose directory is an older one, and says where the log of its copy ends by
    /// epoch and seq; nil = it has none.
    private static func comeBack(
        _ group: inout MetaGroup, _ shard: ShardConfiguration, _ member: Member, end: (UInt64, UInt64)?
    ) {
        var reports: [ShardReport] = []
        if let end {
            var report = stoppedReport(shard)
            report.incarnation = member.incarnation
            (report.lastEpoch, report.last) = (Epoch(rawValue: end.0), Seq(rawValue: end.1))
            reports = [report]
        }
        let version = group.state.routeVersion.rawValue
        let answer = group.beat(dataBeat(number(member), boot: 2, since: version, shards: reports, knows: [2]))
        #expect(answer?.refusal == nil)
    }

    private static func takeOver(
        _ group: inout MetaGroup, by member: Member, at index: Int = 0
    ) throws -> ReconfigureAnswer {
        let shard = try #require(group.members[index].state.shard(Self.shard))
        return try group.propose(after: shard, by: member.node, at: index) { $0.members = [member] }
    }

    /// It follows its primary already, and is still a member.
    @Test(arguments: [([2], false), ([1, 2], true)] as [([UInt64], Bool)])
    func whoStartsWithAnOlderDirectoryIsNotPromoted(knows: [UInt64], isDone: Bool) throws {
        var group = Self.shard(replicas: 3)
        let members = try #require(group.state.shard(Self.shard)).members
        let (first, taker) = (members[0], members[1])
        Self.restart(&group, taker, knows: knows)
        let shard = try #require(group.state.shard(Self.shard))
        var follows = servingReport(shard)
        (follows.role, follows.incarnation) = (.secondary, taker.incarnation)
        let version = group.state.routeVersion.rawValue
        _ = group.beat(dataBeat(Self.number(first), since: version, shards: [servingReport(shard)]))
        _ = group.beat(dataBeat(Self.number(taker), boot: 2, since: version, shards: [follows]))
        let answer = group.admin(.promote(shard: shard.id, to: taker.node, plan: false))
        if case .done? = answer { #expect(isDone) } else { #expect(!isDone, "\(String(describing: answer))") }
        #expect(group.state.shard(shard.id)?.primary == (isDone ? taker : first))
    }

    @Test(arguments: [([2], false), ([7, 8, 2], false), ([1, 2], true), ([1, 8, 2], true)] as [([UInt64], Bool)])
    func whoStartsWithAnOlderDirectoryDoesNotTakeOver(knows: [UInt64], isAccepted: Bool) throws {
        var group = Self.shard(replicas: 3)
        let second = try #require(group.state.shard(Self.shard)).members[1]
        Self.restart(&group, second, knows: knows)
        let answer = try Self.takeOver(&group, by: second)
        #expect(answer.accepted == isAccepted, "\(answer.refusal ?? "")")
        if !isAccepted { #expect(answer.refusal?.contains("ends before what it had") == true) }
    }

    /// Seed 27466: the registration of a start did not get into the log, and a beat of the start before it was late: beside what
    /// the later one had, that one's copy seemed to have lost something.
    @Test func aLateBeatOfTheStartBeforeIsNoLoss() throws {
        var group = Self.shard(replicas: 2)
        let shard = try #require(group.state.shard(Self.shard))
        let version = group.state.routeVersion.rawValue
        func beat(_ place: Int, boot: UInt64 = 1, last: UInt64, knows: [UInt64]? = nil) -> Heartbeat {
            var report = servingReport(shard)
            report.incarnation = shard.members[place].incarnation
            if place > 0 { report.role = .secondary }
            (report.last, report.applied) = (Seq(rawValue: last), Seq(rawValue: last))
            return dataBeat(
                Self.number(shard.members[place]), boot: boot, since: version, shards: [report], knows: knows)
        }
        _ = group.beat(beat(0, last: 5))
        group.pass(2500)
        _ = group.beat(beat(1, last: 9))
        group.failing = [0]
        _ = group.beat(beat(0, boot: 2, last: 9, knows: [1, 2]))
        group.failing = []
        _ = group.beat(beat(0, last: 5))
        group.pass(1000)
        #expect(group.state.shard(Self.shard)?.members.count == 2)
        // That start is registered once the log takes it.
        #expect(group.beat(beat(0, boot: 2, last: 9, knows: [1, 2]))?.refusal == nil)
        #expect(group.state.node(shard.members[0].node)?.boot != BootNonce(rawValue: 1001))
    }

    @Test func anotherMetasrvKnowsItToo() throws {
        var group = Self.shard(replicas: 3, metas: 2)
        let second = try #require(group.state.shard(Self.shard)).members[1]
        group.pass(500)
        group.stopped = [0]
        group.pass(6000, only: [1])
        #expect(group.members[1].state.primaryID == "m2")
        Self.restart(&group, second, knows: [2], at: 1)
        #expect(try !Self.takeOver(&group, by: second, at: 1).accepted)
    }

    /// It is no member until its primary has sent it what it lacks, and then it is as any other.
    @Test func itLearnsAndIsTrustedAgain() throws {
        var group = Self.shard(replicas: 2)
        let before = try #require(group.state.shard(Self.shard))
        let second = before.members[1]
        group.beatAll()
        Self.restart(&group, second, knows: [2])
        group.pass(600)
        let without = try #require(group.state.shard(Self.shard))
        #expect(without.members == [before.members[0]])
        #expect(group.state.outdated != nil)

        // The primary is heard to serve without it; then it is a learner, and promoted.
        for _ in 0..<8 {
            group.beatAll(boots: [Self.number(second): 2])
            var report = stoppedReport(before)
            report.incarnation = second.incarnation
            report.role = .secondary
            _ = group.beat(
                dataBeat(
                    Self.number(second), boot: 2, since: group.state.routeVersion.rawValue, shards: [report]))
            group.pass(100)
        }
        let learning = try #require(group.state.shard(Self.shard))
        #expect(learning.learners == [second])
        let answer = try group.promoteLearners(of: learning)
        #expect(answer.accepted, "\(answer.refusal ?? "")")
        #expect(group.state.outdated == nil)
        #expect(try Self.takeOver(&group, by: second).accepted)
    }

    @Test func aPrimaryWithAnOlderDirectoryIsPrimaryNoMore() throws {
        var group = Self.shard(replicas: 2)
        let before = try #require(group.state.shard(Self.shard))
        Self.restart(&group, before.members[0], knows: [2])
        let after = try #require(group.state.shard(Self.shard))
        #expect(after.primaryBoot == before.primaryBoot)
        #expect(try Self.takeOver(&group, by: before.members[1]).accepted)
    }

    /// A beat that was on its way for so long that its node has started again, and was silent for a while since.
    @Test func aLateBeatOfAnEarlierStartIsNoOlderDirectory() throws {
        var group = Self.shard(replicas: 2)
        let second = try #require(group.state.shard(Self.shard)).members[1]
        Self.restart(&group, second, knows: [1, 2, 3], boot: 3)
        group.pass(3000)
        let late = group.beat(dataBeat(Self.number(second), boot: 2, knows: [1, 2]))
        #expect(late?.refusal?.contains("has started again since") == true)
        #expect(group.state.outdated == nil)
        #expect(group.state.node(second.node)?.boot == BootNonce(rawValue: UInt64(Self.number(second)) * 1000 + 3))
        #expect(group.beat(dataBeat(Self.number(second), boot: 3))?.refusal == nil)
    }

    /// Ends of logs by epoch and seq, of the primary first, and who leads then; nil = the copy has ended.
    @Test(
        arguments: [
            ([(1, 9), (1, 9)], 0), ([(1, 7), (1, 9)], 1), ([(2, 7), (1, 9)], 0), ([(1, 9), (2, 7)], 1),
            ([nil, (1, 3)], 1),
        ] as [([(UInt64, UInt64)?], Int)])
    func ofAShardThatCameBackAsAWholeTheLongestLogLeads(ends: [(UInt64, UInt64)?], heir: Int) throws {
        var group = Self.shard(replicas: 2)
        let before = try #require(group.state.shard(Self.shard))
        group.pass(2500)
        func beat(_ place: Int) { Self.comeBack(&group, before, before.members[place], end: ends[place]) }
        beat(0)
        group.pass(600)
        #expect(group.state.shard(Self.shard) == before, "the other one is not heard yet")
        beat(1)
        beat(0)
        group.pass(600)
        let after = try #require(group.state.shard(Self.shard))
        #expect(after.primary == before.members[heir])
        #expect(after.members.count == ends.count { $0 != nil })
        #expect(after.primaryBoot == group.state.node(before.members[heir].node)?.boot)
        #expect(group.state.outdated == nil)
    }

    /// The one that has all is gone for good: by the operator's word, who is told what that costs, the others go on.
    @Test func withoutTheOneThatHasAllTheOthersGoOnByAnOperatorsWord() throws {
        var group = Self.shard(replicas: 3)
        let before = try #require(group.state.shard(Self.shard))
        let lost = before.members[0].node
        group.pass(2500)
        for _ in 0..<320 {
            group.pass(100)
            for member in before.members.dropFirst() {
                Self.comeBack(&group, before, member, end: (1, UInt64(Self.number(member))))
            }
        }
        #expect(group.state.shard(Self.shard) == before, "it is waited for")
        let told = group.admin(.removeNode(node: lost, plan: false))
        let answer = try #require(told)
        #expect("\(answer)".contains("1 shard will go on by the longest log"), "\(answer)")
        group.pass(600)
        let after = try #require(group.state.shard(Self.shard))
        let longest = before.members.dropFirst().max { Self.number($0) < Self.number($1) }
        #expect(after.primary == longest && after.members.count == 2)
        #expect(group.state.outdated == nil)
    }

    /// The only copy is what there is.
    @Test func aLoneCopyThatWasPutBackServes() throws {
        var group = Self.shard(replicas: 1)
        let before = try #require(group.state.shard(Self.shard))
        Self.restart(&group, before.members[0], knows: [2])
        let after = try #require(group.state.shard(Self.shard))
        #expect(after.epoch > before.epoch)
        #expect(after.primaryBoot == group.state.node(before.members[0].node)?.boot)
    }
}
