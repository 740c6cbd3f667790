import ClusterModel
import Testing

/// Quorums of commit, lease and seal must meet (RULES A10, C7).
@Suite struct ElectorateTests {
    private func members(_ count: Int) -> [Member] {
        (0..<count).map { Member(node: NodeID(rawValue: "d\($0)"), incarnation: .first) }
    }

    @Test(arguments: Ack.allCases, 1...9)
    func everySealQuorumMeetsEveryLease(_ ack: Ack, _ count: Int) {
        let electorate = Electorate(members: members(count), ack: ack)
        #expect(electorate.leaseQuorum + electorate.sealQuorum > count)
        #expect((1...count).contains(electorate.leaseQuorum) && (1...count).contains(electorate.sealQuorum))
        // But for `one`, which promises no more than its primary, it meets every commit as well.
        if ack != .one { #expect(ack.needed(of: count) + electorate.sealQuorum > count) }
    }

    @Test func strangersSealNothing() {
        let electorate = Electorate(members: members(3), ack: .majority)
        let stranger = Member(node: NodeID(rawValue: "d0"), incarnation: Incarnation(rawValue: 9))
        #expect(!electorate.isSealed(by: [stranger, members(1)[0]]))
        #expect(electorate.isSealed(by: members(2)))
    }

    /// Whoever is a member with ack=all has what was committed before with ack=all, but not what was with less.
    @Test func ofARowWithAckAllTheLastIsSealedAlone() {
        var configuration = ShardConfiguration(
            id: ShardID(rawValue: 1), keyspace: KeyspaceID(rawValue: 1), epoch: Epoch(rawValue: 9),
            range: .slots(from: 0, to: 16384), policy: ReplicationPolicy(replicas: 3), members: members(3),
            proposal: Proposal(proposer: "metasrv", request: 1), primaryBoot: BootNonce(rawValue: 1))
        let (two, three) = (Array(members(4)[2...3]), members(3))
        func asked(_ unsettled: [Electorate], _ ack: Ack) -> [Electorate] {
            configuration.unsettled = unsettled
            configuration.policy.ack = ack
            return configuration.electorates
        }
        let (all, most) = (Electorate(members: two, ack: .all), Electorate(members: two, ack: .majority))
        let (own, ownMost) = (Electorate(members: three, ack: .all), Electorate(members: three, ack: .majority))
        #expect(asked([all], .majority) == [all, ownMost])
        #expect(asked([all, own], .majority) == [own, ownMost])
        #expect(asked([all], .all) == [own])
        #expect(asked([most, all], .all) == [most, all, own])
        #expect(asked([all, most, all], .majority) == [all, most, all, ownMost])
    }

    @Test func aConfigurationOfTheFirstFormatHasNoElectorates() {
        var configuration = ShardConfiguration(
            id: ShardID(rawValue: 1), keyspace: KeyspaceID(rawValue: 1), epoch: Epoch(rawValue: 1),
            range: .slots(from: 0, to: 16384), policy: ReplicationPolicy(replicas: 3), members: members(3),
            proposal: Proposal(proposer: "metasrv", request: 1), primaryBoot: BootNonce(rawValue: 1))
        configuration.unsettled = [Electorate(members: members(3), ack: .majority)]
        var buffer = ByteBuffer()
        configuration.encode(into: &buffer)
        #expect(ShardConfiguration(decoding: buffer.view) == configuration)
        configuration.unsettled = []
        buffer.removeAll()
        configuration.encode(into: &buffer)
        var first = buffer.view.array
        first[0] = 1
        first.removeLast(4)
        #expect(first.withByteView { ShardConfiguration(decoding: $0) } == configuration)
    }
}
