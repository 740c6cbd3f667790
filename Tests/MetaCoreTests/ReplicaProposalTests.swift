import ClusterModel
import MetaCore
import Testing

/// What data nodes and operators may ask for of a shard with three members (RULES B10, C4, C10, C13, C14, C17).
@Suite(.timeLimit(.minutes(1)))
struct ReplicaProposalTests {
    private let shard = ShardID(rawValue: 1)

    /// Four nodes, one shard on d1 (primary), d2, d3.
    private func group(minInSync: Int = 2) -> MetaGroup {
        var group = MetaGroup.serving(nodes: 4)
        _ = group.create("k", SchemeParameters(kind: .hash, shards: 1), replicas: 3, minInSync: minInSync)
        group.beatAll()
        return group
    }

    private func members(_ numbers: [Int]) -> [Member] {
        numbers.map { Member(node: NodeID(rawValue: "d\($0)"), incarnation: .first) }
    }

    private func ask(
        _ group: inout MetaGroup, by proposer: String, request: UInt64 = 7,
        _ change: (inout ShardConfiguration) -> Void
    ) throws -> ReconfigureAnswer {
        let current = try #require(group.state.shard(shard))
        return try group.propose(after: current, by: NodeID(rawValue: proposer), request: request, change)
    }

    private func refusal(
        _ group: inout MetaGroup, by proposer: String, _ change: (inout ShardConfiguration) -> Void
    ) throws -> String {
        let before = group.state
        let answer = try ask(&group, by: proposer, change)
        #expect(!answer.accepted)
        #expect(group.state == before)
        #expect(answer.current == before.shard(shard))
        return answer.refusal ?? ""
    }

    @Test func placedOnDistinctNodesTheFirstIsPrimary() throws {
        let group = group()
        let current = try #require(group.state.shard(shard))
        #expect(current.members == members([1, 2, 3]))
        #expect(current.policy.minInSync == 2)
    }

    /// A member that answers, and that the log of its primary cannot continue, is not merely cut off.
    @Test(arguments: [nil, true] as [Bool?]) func whoIsLeftBehindGoesHoweverFewStay(leavesBehind: Bool?) throws {
        var group = group(minInSync: 3)
        let current = try #require(group.state.shard(shard))
        let answer = try group.propose(
            after: current, by: NodeID(rawValue: "d1"), leavesBehind: leavesBehind
        ) {
            $0.members = members([1, 3])
        }
        #expect(answer.accepted == (leavesBehind == true), "\(answer.refusal ?? "")")
        if leavesBehind == nil { #expect(answer.refusal?.contains("below the 3 that must be in sync") == true) }
    }

    // MARK: Take-over

    @Test func aSecondaryTakesOverWithThoseThatAnswered() throws {
        var group = group()
        let answer = try ask(&group, by: "d2") { $0.members = members([2, 3]) }
        #expect(answer.accepted)
        let now = try #require(group.state.shard(shard))
        #expect(now.members == members([2, 3]))
        #expect(now.epoch.rawValue == 2)
        #expect(now.handedOverFrom == nil)
        #expect(now.primaryBoot == group.state.node(NodeID(rawValue: "d2"))?.boot)
        // The lost answer of it is given again, the late proposal of the other secondary is refused (RULES B10, C4).
        var again = now
        again.primaryBoot = BootNonce(rawValue: 0)
        guard
            case .reconfigure(let repeated)? = group.ask(
                0, .reconfigure(ReconfigureRequest(expected: Epoch(rawValue: 1), configuration: again)))
        else {
            Issue.record("not answered")
            return
        }
        #expect(repeated.accepted && repeated.current == now)
        again.proposal = Proposal(proposer: "d3", request: 1)
        again.members = members([3, 2])
        guard
            case .reconfigure(let late)? = group.ask(
                0, .reconfigure(ReconfigureRequest(expected: Epoch(rawValue: 1), configuration: again)))
        else {
            Issue.record("not answered")
            return
        }
        #expect(!late.accepted && late.current == now)
        #expect(late.refusal?.contains("epoch") == true)
    }

    @Test func aTakeOverThatIsNoneIsRefused() throws {
        var group = group()
        // Below min-in-sync (RULES C10, C17).
        #expect(try refusal(&group, by: "d2") { $0.members = members([2]) }.contains("must be in sync"))
        // With the primary that is said to be silent.
        #expect(try refusal(&group, by: "d2") { $0.members = members([2, 1]) }.contains("leaves the former primary"))
        // By somebody else than the new primary.
        #expect(try refusal(&group, by: "d3") { $0.members = members([2, 3]) }.contains("only node d2 itself"))
        // By one, or with one, that has no copy.
        #expect(try refusal(&group, by: "d4") { $0.members = members([4, 2]) }.contains("holds no copy"))
        #expect(try refusal(&group, by: "d2") { $0.members = members([2, 4]) }.contains("holds no copy"))
        // An emptied store keeps its name but not its number (RULES C14).
        #expect(
            try refusal(&group, by: "d2") {
                $0.members = members([2, 3])
                $0.members[1].incarnation = Incarnation(rawValue: 2)
            }.contains("is d3/1, not d3/2"))
        #expect(
            try refusal(&group, by: "d2") {
                $0.members = members([2, 3])
                $0.members[0].incarnation = Incarnation(rawValue: 2)
            }.contains("is d2/1, not d2/2"))
        // A secondary put among the learners.
        #expect(
            try refusal(&group, by: "d2") {
                $0.members = members([2])
                $0.learners = members([3])
            }.contains("without being removed"))
        // A proposer that metasrv has not heard for long.
        group.pass(31_000)
        _ = group.beat(dataBeat(3))
        #expect(try refusal(&group, by: "d2") { $0.members = members([2, 3]) }.contains("not up"))
    }

    @Test func withOneInSyncOneMayTakeOver() throws {
        var group = group(minInSync: 1)
        #expect(try ask(&group, by: "d3") { $0.members = members([3]) }.accepted)
        #expect(group.state.shard(shard)?.members == members([3]))
    }

    // MARK: Removal and promotion

    @Test func thePrimaryGoesOnWithoutAMember() throws {
        var group = group()
        #expect(try ask(&group, by: "d1") { $0.members = members([1, 3]) }.accepted)
        #expect(group.state.shard(shard)?.members == members([1, 3]))
        #expect(group.state.shard(shard)?.handedOverFrom == nil)
        #expect(try refusal(&group, by: "d1") { $0.members = members([1]) }.contains("must be in sync"))
    }

    @Test func aRemovalThatIsNoneIsRefused() throws {
        var group = group()
        #expect(try refusal(&group, by: "d2") { $0.members = members([1, 2]) }.contains("only the primary"))
        #expect(try refusal(&group, by: "test") { $0.members = members([1, 2]) }.contains("only the primary"))
        #expect(try refusal(&group, by: "d1") { $0.members = members([1, 3, 2]) }.contains("keep their order"))
        #expect(try refusal(&group, by: "d1") { _ in }.contains("changes nothing"))
        #expect(try refusal(&group, by: "d1") { $0.members = members([1, 2, 4]) }.contains("holds no copy"))
        #expect(try refusal(&group, by: "d1") { $0.learners = members([4]) }.contains("holds no copy"))
        #expect(
            try refusal(&group, by: "d1") {
                $0.members = members([1, 2])
                $0.learners = members([3])
            }.contains("without being removed"))
    }

    // MARK: Hand-over

    @Test func anotherMemberIsMadePrimary() throws {
        var group = group()
        #expect(try ask(&group, by: "operator") { $0.members = members([3, 1, 2]) }.accepted)
        let moving = try #require(group.state.shard(shard))
        #expect(moving.members == members([3, 1, 2]))
        #expect(moving.handedOverFrom?.rawValue == "d1")
        #expect(moving.primaryBoot == group.state.node(NodeID(rawValue: "d3"))?.boot)
        // The next one waits for it, a take-over does not.
        #expect(try refusal(&group, by: "operator") { $0.members = members([2, 3, 1]) }.contains("try again"))
        #expect(try ask(&group, by: "d2", request: 8) { $0.members = members([2, 1]) }.accepted)
        #expect(group.state.shard(shard)?.handedOverFrom == nil)
    }

    @Test func aHandOverThatIsNoneIsRefused() throws {
        var group = group()
        #expect(try refusal(&group, by: "operator") { $0.members = members([3, 1]) }.contains("all replicas stay"))
        #expect(try refusal(&group, by: "operator") { $0.members = members([4]) }.contains("holds no copy"))
        #expect(try refusal(&group, by: "d1") { $0.members = members([2]) }.contains("all replicas stay"))
    }

    @Test func aPrimaryThatIsDownHandsNothingOver() throws {
        var group = group()
        group.pass(31_000)
        _ = group.beat(dataBeat(2))
        #expect(try ask(&group, by: "operator") { $0.members = members([2, 1, 3]) }.accepted)
        #expect(group.state.shard(shard)?.handedOverFrom == nil)
    }

    // MARK: Restart

    @Test func aRestartedPrimaryKeepsItsMembers() throws {
        var group = group()
        let before = try #require(group.state.shard(shard))
        group.pass(3000)
        #expect(group.beat(dataBeat(1, boot: 2, shards: [stoppedReport(before)]))?.refusal == nil)
        let now = try #require(group.state.shard(shard))
        #expect(now.members == before.members)
        #expect(now.epoch.rawValue == 2 && now.primaryBoot.rawValue == 1002)
    }
}
