import ClusterModel
import MetaCore
import Testing

@Suite(.timeLimit(.minutes(1)))
struct ReconfigureTests {
    private let shard = ShardID(rawValue: 1)

    /// Three nodes, one keyspace of one shard, which d1 serves.
    private func group() -> MetaGroup {
        var group = MetaGroup.serving(nodes: 3)
        _ = group.create("k", SchemeParameters(kind: .hash, shards: 1))
        group.beatAll()
        return group
    }

    private func wish(_ current: ShardConfiguration, to node: String, request: UInt64 = 1) -> ReconfigureRequest {
        var wished = current
        wished.epoch = Epoch(rawValue: current.epoch.rawValue + 1)
        wished.members = [Member(node: NodeID(rawValue: node), incarnation: .first)]
        wished.proposal = Proposal(proposer: "test", request: request)
        return ReconfigureRequest(expected: current.epoch, configuration: wished)
    }

    private func ask(_ group: inout MetaGroup, _ request: ReconfigureRequest) -> ReconfigureAnswer? {
        guard case .reconfigure(let answer)? = group.ask(0, .reconfigure(request)) else { return nil }
        return answer
    }

    @Test func aReassignmentIsHandedOver() throws {
        var group = group()
        let current = try #require(group.state.shard(shard))
        #expect(current.primary?.node.rawValue == "d1")
        let answer = try #require(ask(&group, wish(current, to: "d2")))
        #expect(answer.accepted)
        let now = try #require(group.state.shard(shard))
        #expect(answer.current == now)
        #expect(now.epoch.rawValue == 2)
        #expect(now.handedOverFrom?.rawValue == "d1")
        #expect(now.primaryBoot == group.state.node(NodeID(rawValue: "d2"))?.boot)
        // A number no earlier replica of this shard had.
        #expect(now.members[0].incarnation.rawValue == 2)
    }

    @Test func aRetryFindsItsOwnSuccess() throws {
        var group = group()
        let current = try #require(group.state.shard(shard))
        let request = wish(current, to: "d2")
        #expect(ask(&group, request)?.accepted == true)
        let version = group.state.routeVersion
        let again = try #require(ask(&group, request))
        #expect(again.accepted)
        #expect(again.current == group.state.shard(shard))
        #expect(group.state.routeVersion == version)
        // The same number with another content is another proposal.
        #expect(ask(&group, wish(current, to: "d3"))?.accepted == false)
    }

    @Test func ofTwoProposalsForOneEpochOneWins() throws {
        var group = group()
        let current = try #require(group.state.shard(shard))
        group.paused = [0]
        group.pass(600)
        let first = group.post(0, .reconfigure(wish(current, to: "d2", request: 1)))
        let second = group.post(0, .reconfigure(wish(current, to: "d3", request: 2)))
        group.resume(0)
        guard case .reconfigure(let won)? = group.replies[first], case .reconfigure(let lost)? = group.replies[second]
        else {
            Issue.record("not answered")
            return
        }
        #expect(won.accepted && !lost.accepted)
        #expect(group.state.shard(shard)?.primary?.node.rawValue == "d2")
    }

    @Test func anotherMoveWaitsForTheHandOver() throws {
        var group = group()
        #expect(ask(&group, wish(try #require(group.state.shard(shard)), to: "d2"))?.accepted == true)
        let moving = try #require(group.state.shard(shard))
        let refusal = try #require(ask(&group, wish(moving, to: "d3", request: 2))?.refusal)
        #expect(refusal.contains("handed over"))
        group.beatAll()
        #expect(ask(&group, wish(moving, to: "d3", request: 3))?.accepted == true)
        #expect(group.state.shard(shard)?.handedOverFrom?.rawValue == "d2")
    }

    @Test func aShardIsGivenBackUnderItsFormerNumber() throws {
        var group = group()
        let first = try #require(group.state.shard(shard))
        #expect(ask(&group, wish(first, to: "d2"))?.accepted == true)
        let moving = try #require(group.state.shard(shard))
        // d1 holds rows and keeps its store; d2 waits.
        _ = group.beat(dataBeat(1, since: group.state.routeVersion.rawValue, shards: [stoppedReport(first)]))
        #expect(ask(&group, wish(moving, to: "d1", request: 2))?.accepted == true)
        let back = try #require(group.state.shard(shard))
        #expect(back.members == first.members)
        #expect(back.handedOverFrom?.rawValue == "d2")
        #expect(back.epoch.rawValue == 3)
    }

    @Test func aShardIsGivenBackOnlyOnceItsFormerHolderKnowsThatItGaveIt() throws {
        var group = group()
        let first = try #require(group.state.shard(shard))
        #expect(ask(&group, wish(first, to: "d2"))?.accepted == true)
        let moving = try #require(group.state.shard(shard))
        // What d1 said last is from before: when it hears of the hand-over it lets an empty replica go for good.
        let refusal = try #require(ask(&group, wish(moving, to: "d1", request: 2))?.refusal)
        #expect(refusal.contains("try again"))
        // It has let go, and d2 has not begun: whoever takes the shard from d2 now lets nobody serve.
        _ = group.beat(dataBeat(1, since: group.state.routeVersion.rawValue))
        for node in ["d1", "d3"] {
            let refusal = try #require(ask(&group, wish(moving, to: node, request: 3))?.refusal)
            #expect(refusal.contains("try again"))
        }
        group.beatAll()
        #expect(ask(&group, wish(moving, to: "d1", request: 4))?.accepted == true)
        // Not the number of the replica that d1 let go (RULES C15).
        #expect(group.state.shard(shard)?.members[0].incarnation.rawValue == 3)
    }

    @Test func aLostReleaseIsMendedByANewEpoch() throws {
        var group = group()
        #expect(ask(&group, wish(try #require(group.state.shard(shard)), to: "d2"))?.accepted == true)
        let moving = try #require(group.state.shard(shard))
        var waiting = stoppedReport(moving)
        waiting.active = .none
        let version = group.state.routeVersion.rawValue
        _ = group.beat(dataBeat(2, since: version, shards: [waiting]))
        group.pass(1000)
        #expect(group.state.shard(shard)?.epoch.rawValue == 2)
        // d1 knows the new configuration and holds nothing any more: it has let go.
        _ = group.beat(dataBeat(1, since: version))
        group.pass(1000)
        let mended = try #require(group.state.shard(shard))
        #expect(mended.epoch.rawValue == 3)
        #expect(mended.handedOverFrom == nil)
        #expect(mended.members == moving.members)
    }

    @Test func whatWouldTakeAShardDownIsRefused() throws {
        var group = group()
        let current = try #require(group.state.shard(shard))
        func refusal(_ change: (inout ReconfigureRequest) -> Void) -> String {
            var request = wish(current, to: "d2")
            change(&request)
            return ask(&group, request)?.refusal ?? "accepted"
        }
        #expect(refusal { $0.configuration.members = [] }.contains("at least one member"))
        #expect(
            refusal { $0.configuration.members = [Member(node: NodeID(rawValue: "d9"), incarnation: .first)] }
                .contains("not registered"))
        #expect(
            refusal { $0.configuration.members.append($0.configuration.members[0]) }.contains("at most one replica"))
        #expect(refusal { $0.configuration.range = .slots(from: 0, to: 5) }.contains("range"))
        #expect(refusal { $0.configuration.policy.ack = .one }.contains("policy"))
        #expect(refusal { $0.configuration.id = ShardID(rawValue: 99) }.contains("does not exist"))
        #expect(refusal { $0.expected = Epoch(rawValue: 7) }.contains("epoch"))
        #expect(refusal { $0.configuration.epoch = Epoch(rawValue: .max) }.contains("successor"))
        #expect(group.state.shard(shard) == current)
        // d2 is silent: it cannot be primary. d1 is silent: it cannot give its data.
        group.pass(31_000)
        _ = group.beat(dataBeat(1))
        #expect(refusal { _ in }.contains("not up"))
        group.pass(31_000)
        _ = group.beat(dataBeat(2))
        #expect(refusal { _ in }.contains("not up to give"))
    }
}
