import ClusterModel
import MetaCore
import Testing

@Suite(.timeLimit(.minutes(1)))
struct RegistrationTests {
    @Test func aNewNodeIsRegisteredAndGetsTheMap() {
        var group = MetaGroup()
        group.feed(0, .tick)
        let answer = group.beat(dataBeat(1))
        #expect(answer?.refusal == nil)
        #expect(answer?.cluster == group.state.cluster)
        #expect(answer?.delta?.nodes.map(\.id.rawValue) == ["d1"])
        let again = group.beat(dataBeat(1, since: 1))
        #expect(again?.refusal == nil)
        #expect(again?.delta == nil)
        #expect(group.log.count == 2)
    }

    @Test func anUnknownStoreUnderAKnownNameIsRefusedUntilTheOldIsRetired() throws {
        var group = MetaGroup.serving(nodes: 1)
        let refusalBeat = group.beat(dataBeat(1, boot: 2, store: 77))
        let refusal = try #require(refusalBeat?.refusal)
        #expect(refusal.contains("node remove d1"))
        #expect(group.state.node(NodeID(rawValue: "d1"))?.store.low == 1)
        // It cannot be retired while it lives.
        guard case .failed(.refused, _)? = group.admin(.removeNode(node: NodeID(rawValue: "d1"), plan: false)) else {
            Issue.record("removed a living node")
            return
        }
        group.pass(3000)
        guard case .done? = group.admin(.removeNode(node: NodeID(rawValue: "d1"), plan: false)) else {
            Issue.record("not removed")
            return
        }
        #expect(group.beat(dataBeat(1, boot: 2, store: 77))?.refusal == nil)
        #expect(group.state.node(NodeID(rawValue: "d1"))?.standing == .member)
        // The old store is never accepted again, under any name.
        let oldBeat = group.beat(dataBeat(1, boot: 3, id: "d9"))
        let old = try #require(oldBeat?.refusal)
        #expect(old.contains("retired"))
    }

    @Test func aSecondBootOfAStoreIsHeldOffWhileTheFirstMayLive() throws {
        var group = MetaGroup.serving(nodes: 1)
        let answerBeat = group.beat(dataBeat(1, boot: 2))
        let answer = try #require(answerBeat)
        #expect(answer.refusal != nil)
        let wait = try #require(answer.retryAfterMillis)
        #expect((1...2500).contains(wait))
        group.pass(wait - 100)
        #expect(group.beat(dataBeat(1, boot: 2))?.refusal != nil)
        group.pass(150)
        #expect(group.beat(dataBeat(1, boot: 2))?.refusal == nil)
        #expect(group.state.node(NodeID(rawValue: "d1"))?.boot.rawValue == 1002)
    }

    @Test func aCleanStopLetsTheNextBootInAtOnce() {
        var group = MetaGroup.serving(nodes: 1)
        _ = group.beat(dataBeat(1, leaving: true))
        #expect(group.beat(dataBeat(1, boot: 2))?.refusal == nil)
    }

    @Test func aNewPrimaryHoldsOffBootsItCannotJudgeYet() {
        var group = MetaGroup(2)
        group.feed(0, .tick)
        _ = group.beat(dataBeat(1))
        group.pass(1000)
        for _ in 0..<200 where group.members[1].role != .primary(Term(rawValue: 2)) { group.pass(50, only: [1]) }
        #expect(group.members[1].role == .primary(Term(rawValue: 2)))
        let early = group.beat(dataBeat(1, boot: 2), at: 1)
        #expect(early?.refusal != nil)
        #expect(early?.retryAfterMillis != nil)
        group.pass(2600, only: [1])
        let late = group.beat(dataBeat(1, boot: 2), at: 1)
        #expect(late != nil && late?.refusal == nil)
    }

    @Test func aRestartedPrimaryNeverResumesItsEpoch() throws {
        var group = MetaGroup.serving(nodes: 2)
        _ = group.create()
        group.beatAll()
        let before = group.state.shards.values.map(\.value)
        group.pass(3000)
        #expect(group.beat(dataBeat(1, boot: 2))?.refusal == nil)
        for shard in before {
            let now = try #require(group.state.shard(shard.id))
            if shard.primary?.node.rawValue == "d1" {
                #expect(now.epoch.rawValue == 2)
                #expect(now.primaryBoot.rawValue == 1002)
                #expect(now.members == shard.members)
                #expect(now.handedOverFrom == nil)
            } else {
                #expect(now == shard)
            }
        }
    }

    @Test(arguments: [
        (dataBeat(1, id: "-bad"), "name"), (dataBeat(1, id: ""), "name"), (dataBeat(1, weight: 0), "weight"),
        (dataBeat(1, weight: .nan), "weight"), (dataBeat(1, weight: .infinity), "weight"),
        (dataBeat(1, cluster: UniqueID(high: 9, low: 9)), "cluster"), (dataBeat(-760), "addresses"),
    ])
    func whatCannotBeANodeIsRefusedInWords(_ beat: Heartbeat, _ word: String) throws {
        var group = MetaGroup()
        group.feed(0, .tick)
        let answerBeat = group.beat(beat)
        let answer = try #require(answerBeat)
        let refusal = try #require(answer.refusal)
        #expect(refusal.contains(word))
        #expect(answer.retryAfterMillis == nil)
        #expect(group.state.nodes.count == 0)
    }

    @Test func oneStoreHasOneName() throws {
        var group = MetaGroup.serving(nodes: 1)
        let refusalBeat = group.beat(dataBeat(2, store: 1))
        let refusal = try #require(refusalBeat?.refusal)
        #expect(refusal.contains("--id d1"))
    }

    @Test func aWeightThatAnOperatorSetOutlivesARestart() {
        var group = MetaGroup.serving(nodes: 1)
        let node = NodeID(rawValue: "d1")
        group.pass(3000)
        _ = group.beat(dataBeat(1, boot: 2, weight: 3))
        #expect(group.state.node(node)?.weight == 3)
        guard case .done? = group.admin(.setWeight(node: node, weight: 2, plan: false)) else {
            Issue.record("not set")
            return
        }
        group.pass(3000)
        _ = group.beat(dataBeat(1, boot: 3, weight: 5))
        #expect(group.state.node(node)?.boot.rawValue == 1003)
        #expect(group.state.node(node)?.weight == 2)
    }

    @Test func aSilentNodeIsDownAfterTheTimeSet() {
        var group = MetaGroup.serving(nodes: 2)
        _ = group.create()
        group.beatAll()
        func states() -> [NodeInfo.State] {
            var copy = group
            guard case .nodes(let items)? = copy.admin(.listNodes) else { return [] }
            return items.map(\.state)
        }
        group.pass(29_000)
        #expect(states() == [.up, .up])
        let own = group.state.shards.values.map(\.value).filter { $0.primary?.node.rawValue == "d2" }
        _ = group.beat(dataBeat(2, since: 3, shards: own.map { servingReport($0) }))
        group.pass(2000)
        #expect(states() == [.down, .up])
        guard case .status(let status)? = group.admin(.status) else {
            Issue.record("no status")
            return
        }
        #expect(status.health == .down)
        #expect(status.nodes == ClusterStatus.Nodes(up: 1, down: 1))
        #expect(status.shards == ClusterStatus.Shards(total: 16, serving: 8, underReplicated: 8))
        #expect(status.warnings.contains("node d1 is down"))
    }
}
