import ClusterModel
import MetaCore
import Testing

/// Three metasrv that are paused, killed, restarted and refused by a full disk at random, while operators and nodes go on
/// asking. What was told must be in the log for ever, whoever is primary later (RULES I4, I5).
@Suite(.timeLimit(.minutes(2)))
struct StormTests {
    /// What one run did, so that a run that did nothing fails.
    private struct Tally {
        var creations = 0
        var reassignments = 0
        var terms: UInt64 = 0
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func whatWasToldIsInTheLogForEver(seed: UInt64) throws {
        var group = MetaGroup(3, snapshotEvery: 40)
        var chance = Entropy(seed: seed)
        var tally = Tally()
        var created: [RequestID: String] = [:]
        var moves: [RequestID: ReconfigureRequest] = [:]
        var told: [ShardID: Epoch] = [:]
        for round in 0..<250 {
            fault(&group, &chance)
            group.pass(50 + chance.next() % 400, only: running(group))
            for index in running(group) {
                let number = Int(chance.next() % 3) + 1
                _ = group.ask(
                    index, .heartbeat(dataBeat(number, since: chance.next() % 4, shards: reports(group, index, number)))
                )
                guard group.members[index].isPrimaryNow else { continue }
                if chance.next() % 3 == 0 {
                    let name = "k\(round)"
                    let wish = KeyspaceWish(name: name, scheme: SchemeParameters(kind: .hash, shards: 2), replicas: 1)
                    created[group.post(index, .admin(.createKeyspace(wish, plan: false)))] = name
                } else if let request = move(group, index, &chance) {
                    moves[group.post(index, .reconfigure(request))] = request
                }
            }
            // Judged each round, against what stands in the log at this moment.
            let state = try replay(group)
            for (id, name) in created.sorted(by: { $0.key < $1.key }) {
                guard let answer = group.replies[id] else { continue }
                created[id] = nil
                if case .admin(.keyspaceCreated) = answer {
                    tally.creations += 1
                    #expect(state.keyspace(named: name) != nil)
                }
            }
            for (id, request) in moves.sorted(by: { $0.key < $1.key }) {
                guard let answer = group.replies[id] else { continue }
                moves[id] = nil
                guard case .reconfigure(let found) = answer, found.accepted, let current = found.current else {
                    continue
                }
                tally.reassignments += 1
                let now = try #require(state.shard(request.configuration.id))
                #expect(now.epoch >= request.configuration.epoch && now.epoch >= current.epoch)
                if now.epoch == current.epoch { #expect(now == current) }
                #expect(told[now.id] ?? .none <= now.epoch)
                told[now.id] = now.epoch
            }
        }
        #expect(group.halted.isEmpty)
        tally.terms = try replay(group).term.rawValue
        #expect(tally.creations > 5)
        #expect(tally.reassignments > 5)
        #expect(tally.terms > 2)
        // After healing one is primary, the others follow, and all hold the same.
        // Twice, since a primary that was replaced learns it only then, and begins anew.
        for _ in 0..<2 {
            for index in group.members.indices { heal(&group, index) }
            group.pass(10_000)
        }
        let primaries = group.members.indices.filter { group.members[$0].isPrimaryNow }
        #expect(primaries.count == 1)
        group.pass(500, only: group.members.indices.filter { !primaries.contains($0) })
        let states = group.members.map(\.state)
        let areEqual = states.allSatisfy { $0 == states[0] }
        #expect(areEqual)
        let isTheLog = try replay(group) == states[0]
        #expect(isTheLog)
    }

    private func running(_ group: MetaGroup) -> [Int] {
        group.members.indices.filter { !group.stopped.contains($0) }
    }

    private func fault(_ group: inout MetaGroup, _ chance: inout Entropy) {
        let index = Int(chance.next() % 3)
        switch chance.next() % 24 {
        case 0: group.paused.insert(index)
        case 1: group.stopped.insert(index)
        case 2: group.failing.insert(index)
        case 3, 4, 5: heal(&group, index)
        default: break
        }
        // A deposed process executes itself anew; a restart loses its memory at any moment.
        for index in group.members.indices
        where group.members[index].role == .deposed || (index == Int(chance.next() % 40)) {
            group.paused.remove(index)
            group.start(index, snapshotEvery: 40)
        }
    }

    private func heal(_ group: inout MetaGroup, _ index: Int) {
        group.stopped.remove(index)
        group.failing.remove(index)
        group.resume(index)
        if group.members[index].role == .deposed { group.start(index, snapshotEvery: 40) }
    }

    private func reports(_ group: MetaGroup, _ index: Int, _ number: Int) -> [ShardReport] {
        group.members[index].state.shards.values.map(\.value)
            .filter { $0.primary?.node.rawValue == "d\(number)" }.map { servingReport($0) }
    }

    private func move(_ group: MetaGroup, _ index: Int, _ chance: inout Entropy) -> ReconfigureRequest? {
        let shards = group.members[index].state.shards.values
        guard !shards.isEmpty else { return nil }
        let current = shards[Int(chance.next() % UInt64(shards.count))].value
        guard let next = current.epoch.successor else { return nil }
        var wished = current
        wished.epoch = next
        let node = NodeID(rawValue: "d\(chance.next() % 3 + 1)")
        wished.members = [Member(node: node, incarnation: .first)]
        wished.proposal = Proposal(proposer: "storm", request: chance.next())
        return ReconfigureRequest(expected: current.epoch, configuration: wished)
    }

    private func replay(_ group: MetaGroup) throws -> ClusterState {
        var state = ClusterState()
        for record in group.records(from: LogPosition(rawValue: 1)) { try state.apply(record) }
        return state
    }
}

extension MetaNode {
    fileprivate var isPrimaryNow: Bool {
        if case .primary = role { return true }
        return false
    }
}
