import ClusterModel
import MetaCore
import Testing

/// Members whose nodes live and have no such copy are taken out of the map by the metadata group.
@Suite struct EndedCopiesTests {
    /// A shard of two copies, both of which must be in sync, on three nodes.
    private static func pair(ack: Ack = .all) throws -> (MetaGroup, ShardConfiguration) {
        var group = MetaGroup.serving(nodes: 3)
        _ = group.create("default", SchemeParameters(kind: .hash, shards: 1), replicas: 2, minInSync: 2, ack: ack)
        return (group, try #require(group.state.shards(of: KeyspaceID(rawValue: 1)).first))
    }

    private static func report(_ shard: ShardConfiguration, _ member: Member) -> ShardReport {
        ShardReport(
            id: shard.id, epoch: shard.epoch, incarnation: member.incarnation,
            role: member == shard.primary ? .primary : .secondary, serving: true, active: shard.epoch,
            last: Seq(rawValue: 9), commit: Seq(rawValue: 9), applied: .zero, bytes: 10)
    }

    /// Half a second in which all nodes beat; some of them without a copy.
    private static func run(
        _ group: inout MetaGroup, _ shard: ShardConfiguration, ended: [Member], since: UInt64? = nil
    ) {
        for _ in 0..<5 {
            group.pass(100)
            for number in 1...3 {
                let held = shard.members.filter { $0.node.rawValue == "d\(number)" && !ended.contains($0) }
                _ = group.beat(
                    dataBeat(
                        number, cluster: group.state.cluster, since: since ?? group.state.routeVersion.rawValue,
                        shards: held.map { report(shard, $0) }))
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
}
