import ClusterModel
import MetaCore
import Testing

/// With ack below all nobody becomes primary but by the seals of so many that one of them has all that was committed
/// (RULES A10, C7).
@Suite(.timeLimit(.minutes(1)))
struct SealTests {
    private let shard = ShardID(rawValue: 1)

    /// Four nodes, one shard on d1 (primary), d2, d3; two of three commit.
    private func group() -> MetaGroup {
        var group = MetaGroup.serving(nodes: 4)
        _ = group.create("k", SchemeParameters(kind: .hash, shards: 1), replicas: 3, ack: .majority)
        group.beatAll()
        return group
    }

    private func member(_ number: Int) -> Member {
        Member(node: NodeID(rawValue: "d\(number)"), incarnation: .first)
    }

    private func seal(_ number: Int, epoch: UInt64 = 1, last: UInt64) -> ReconfigureRequest.Seal {
        ReconfigureRequest.Seal(member: member(number), lastEpoch: Epoch(rawValue: epoch), last: Seq(rawValue: last))
    }

    /// Node `proposer` asks for members in an order, with seals; nil = without. Returns why it was refused.
    private func takeOver(
        _ group: inout MetaGroup, by proposer: Int, _ members: [Int], _ seals: [ReconfigureRequest.Seal]?,
        isActive: Bool = true
    ) throws -> String? {
        let current = try #require(group.state.shard(shard))
        var wished = current
        wished.epoch = Epoch(rawValue: current.epoch.rawValue + 1)
        wished.proposal = Proposal(proposer: "d\(proposer)", request: 7 + current.epoch.rawValue)
        wished.members = members.map(member)
        let asked = ReconfigureRequest(
            expected: current.epoch, configuration: wished, seals: seals, isActive: isActive)
        guard case .reconfigure(let answer)? = group.ask(0, .reconfigure(asked)) else { throw MetaGroup.Unanswered() }
        return answer.accepted ? nil : answer.refusal
    }

    @Test func theLongestLogOfAQuorumTakesOver() throws {
        var group = group()
        // The candidate d2 is not the one; d3 is, and the silent d1 stays a member.
        #expect(try takeOver(&group, by: 2, [3, 2, 1], [seal(2, last: 5), seal(3, last: 6)]) == nil)
        let now = try #require(group.state.shard(shard))
        #expect(now.members == [member(3), member(2), member(1)])
        #expect(now.primaryBoot == group.state.node(NodeID(rawValue: "d3"))?.boot)
        #expect(now.handedOverFrom == nil)
    }

    @Test func whatMayLackCommittedRecordsIsRefused() throws {
        var group = group()
        let alone = try takeOver(&group, by: 2, [2, 3, 1], [seal(2, last: 9)])
        #expect(alone?.contains("2 must be sealed") == true)
        let shorter = try takeOver(&group, by: 2, [2, 3, 1], [seal(2, last: 5), seal(3, last: 6)])
        #expect(shorter?.contains("longer log") == true)
        let older = try takeOver(&group, by: 2, [2, 3, 1], [seal(2, last: 9), seal(3, epoch: 2, last: 6)])
        #expect(older?.contains("longer log") == true)
        let unsealed = try takeOver(&group, by: 2, [1, 2, 3], [seal(2, last: 9), seal(3, last: 9)])
        #expect(unsealed?.contains("none of those that were sealed") == true)
        let without = try takeOver(&group, by: 2, [2, 3], nil)
        #expect(without?.contains("without seals") == true)
        let dropped = try takeOver(&group, by: 2, [2, 3], [seal(2, last: 5), seal(3, last: 5)])
        #expect(dropped?.contains("leaves all other replicas") == true)
        let stranger = try takeOver(&group, by: 2, [2, 3, 1, 4], [seal(2, last: 5), seal(3, last: 5)])
        #expect(stranger?.contains("no replica") == true)
        #expect(group.state.shard(shard)?.epoch.rawValue == 1)
    }

    @Test func anEpochThatWasNeverActiveNeedsTheSealsOfTheOneBefore() throws {
        var group = group()
        // Epoch 2 has the same members; nobody reports it active.
        #expect(try takeOver(&group, by: 2, [2, 3, 1], [seal(2, last: 5), seal(3, last: 5)]) == nil)
        let now = try #require(group.state.shard(shard))
        #expect(now.unsettled.map(\.members) == [[member(1), member(2), member(3)]])
        #expect(now.unsettled.first?.ack == .majority)
        let few = try takeOver(&group, by: 3, [3, 2, 1], [seal(3, last: 5)], isActive: false)
        #expect(few?.contains("must be sealed") == true)
        #expect(try takeOver(&group, by: 3, [3, 2, 1], [seal(3, last: 5), seal(1, last: 4)], isActive: false) == nil)
    }
}
