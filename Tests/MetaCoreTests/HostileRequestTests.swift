import ClusterModel
import MetaCore
import Testing

/// Beats, proposals and commands with numbers that make no sense, as anybody may send them who reaches a metasrv: none is a
/// trap, nor is what became of them in the log, by which every metasrv of the group would end at each start (RULES B8).
@Suite("Hostile requests") struct HostileRequestTests {
    @Test(.timeLimit(.minutes(1)), arguments: (1...12).map { UInt64($0) })
    func noRequestIsATrap(seed: UInt64) {
        var caller = HostileCaller(seed: seed)
        for _ in 0..<150 { caller.act() }
        caller.startAnew()
    }
}

/// Asks one metasrv of a group with three registered nodes for what comes to its mind: mostly what nearly fits.
private struct HostileCaller {
    private var chance: Entropy
    private var group = MetaGroup.serving(nodes: 3)

    init(seed: UInt64) {
        chance = Entropy(seed: seed)
        _ = group.create(replicas: 3)
        _ = group.create("ring", SchemeParameters(kind: .ring, virtualNodes: 4), replicas: 2)
        group.beatAll()
    }

    private mutating func pick(_ count: Int) -> Int { Int(chance.next() % UInt64(count)) }

    private mutating func pick<Element>(of all: [Element]) -> Element { all[pick(all.count)] }

    private mutating func flag() -> Bool { chance.next() % 2 == 0 }

    private mutating func number(_ near: UInt64) -> UInt64 {
        switch pick(8) {
        case 0: pick(of: [0, 1, 1 << 32, 1 << 63, .max / 2, .max - 1, .max, chance.next()])
        case 1: near &+ UInt64(pick(3))
        case 2: near &- UInt64(pick(3))
        default: near
        }
    }

    private mutating func count(_ near: Int) -> Int {
        pick(3) == 0 ? pick(of: [.min, -1, 0, 1, 1 << 20, .max - 1, .max]) : near
    }

    private mutating func aWeight() -> Double {
        pick(3) == 0 ? pick(of: [0, -1, .nan, .infinity, -.infinity, 1e308, .leastNonzeroMagnitude, 1e-300]) : 1
    }

    private mutating func aNode() -> NodeID { NodeID(rawValue: pick(of: ["d1", "d2", "d3", "d4", "", "metasrv"])) }

    private mutating func aShard() -> ShardConfiguration? {
        let all = group.state.shards.values.map(\.value)
        return all.isEmpty ? nil : pick(of: all)
    }

    private mutating func member() -> Member {
        Member(node: aNode(), incarnation: Incarnation(rawValue: number(1)))
    }

    private mutating func report() -> ShardReport {
        let shard = aShard()
        return ShardReport(
            id: ShardID(rawValue: number(shard?.id.rawValue ?? 1)),
            epoch: Epoch(rawValue: number(shard?.epoch.rawValue ?? 1)), incarnation: Incarnation(rawValue: number(1)),
            role: pick(of: [.primary, .secondary, .learner]), serving: flag(),
            active: Epoch(rawValue: number(shard?.epoch.rawValue ?? 1)), last: Seq(rawValue: number(5)),
            lastEpoch: flag() ? nil : Epoch(rawValue: number(1)), commit: Seq(rawValue: number(5)),
            applied: Seq(rawValue: number(5)), bytes: number(.max))
    }

    private mutating func beat() -> Heartbeat {
        var beat = dataBeat(
            1 + pick(4), cluster: group.state.cluster, since: number(group.state.routeVersion.rawValue),
            shards: (0..<pick(4)).map { _ in report() }, leaving: pick(16) == 0 ? true : nil, weight: aWeight())
        if pick(4) == 0 { beat.node.boot = BootNonce(rawValue: number(beat.node.boot.rawValue)) }
        if flag() { beat.starts = (0..<pick(3)).map { _ in BootNonce(rawValue: number(beat.node.boot.rawValue)) } }
        if pick(3) == 0 {
            beat.ended = (0..<pick(3)).map { _ in
                let known = report()
                return EndedReplica(shard: known.id, incarnation: known.incarnation, promised: known.epoch)
            }
        }
        return beat
    }

    private mutating func proposal() -> ReconfigureRequest? {
        guard let current = aShard() else { return nil }
        var wished = current
        let expected = Epoch(rawValue: number(current.epoch.rawValue))
        wished.epoch = Epoch(rawValue: number(expected.rawValue &+ 1))
        wished.proposal = Proposal(proposer: aNode().rawValue, request: number(1))
        switch pick(4) {
        case 0: wished.members = (0..<pick(4)).map { _ in member() }
        case 1: wished.members.reverse()
        case 2: wished.members = Array(wished.members.dropLast())
        default: break
        }
        if pick(3) == 0 { wished.learners = (0..<pick(3)).map { _ in member() } }
        if pick(8) == 0 { wished.range = pick(of: [.slots(from: 0, to: 0), .keys(from: nil, to: nil)]) }
        if pick(8) == 0 { wished.policy.replicas = count(3) }
        wished.primaryBoot = BootNonce(rawValue: number(current.primaryBoot.rawValue))
        if pick(4) == 0 { wished.handedOverFrom = aNode() }
        let seals = (0..<pick(3)).map { _ in
            ReconfigureRequest.Seal(
                member: member(), lastEpoch: Epoch(rawValue: number(1)), last: Seq(rawValue: number(1)))
        }
        return ReconfigureRequest(
            expected: expected, configuration: wished, seals: flag() ? nil : seals, isActive: flag() ? nil : flag(),
            leavesBehind: flag() ? nil : flag())
    }

    private mutating func scheme() -> SchemeParameters {
        let keys = [Key([]), Key([0x61]), Key([0xFF, 0xFF]), Key([0x61])]
        return SchemeParameters(
            kind: pick(of: SchemeKind.allCases), shards: flag() ? nil : count(4),
            virtualNodes: flag() ? nil : count(8), splitAt: flag() ? nil : (0..<pick(3)).map { _ in pick(of: keys) },
            groups: flag()
                ? nil
                : (0..<pick(3)).map { _ in ListGroup(name: pick(of: ["g", "", "h"]), values: [pick(of: keys)]) },
            separator: flag() ? nil : pick(of: [0, 58, 255]))
    }

    private mutating func command() -> AdminRequest {
        let plan = pick(4) == 0
        let name = pick(of: ["default", "ring", "new", "", "a b"])
        switch pick(13) {
        case 0:
            return .createKeyspace(
                KeyspaceWish(
                    name: name, scheme: scheme(), replicas: flag() ? nil : count(2), ack: flag() ? nil : .majority,
                    minInSync: flag() ? nil : count(1)), plan: plan)
        case 1:
            let setting = pick(of: [
                "flow", "ack", "min-in-sync", "read", "replicas", "split-bytes", "merge-bytes", "auto-split", "x",
            ])
            let value = pick(of: ["", "0", "1", "-1", "2", "9223372036854775807", "1e9", "chain", "one", "any", "on"])
            return .setKeyspace(name: name, settings: [setting: value], plan: plan)
        case 2: return .dropKeyspace(name: pick(8) == 0 ? name : "", plan: plan)
        case 3: return .listKeyspaces
        case 4: return .listShards(keyspace: flag() ? nil : name)
        case 5: return .listNodes
        case 6: return .status
        case 7: return .logTail(count: count(4))
        case 8: return .setWeight(node: aNode(), weight: aWeight(), plan: plan)
        case 9: return .setMaintenance(node: aNode(), on: flag(), plan: plan)
        case 10: return .setDraining(node: aNode(), on: flag(), plan: plan)
        case 11: return .promote(shard: ShardID(rawValue: number(1)), to: aNode(), plan: plan)
        default: return .removeNode(node: aNode(), plan: plan)
        }
    }

    mutating func act() {
        switch pick(8) {
        case 0: group.pass(UInt64(pick(3000)))
        case 1: group.beatAll()
        case 2, 3: _ = group.ask(0, .heartbeat(beat()))
        case 4: if let proposal = proposal() { _ = group.ask(0, .reconfigure(proposal)) }
        case 5: _ = group.ask(0, pick(of: [.routes(since: RouteVersion(rawValue: number(3))), .status]))
        default: _ = group.admin(command())
        }
    }

    /// Whoever comes next reads the log from its first entry on, leads, and answers.
    mutating func startAnew() {
        group.start(0)
        group.pass(8000)
        #expect(group.halted[0] == nil)
        #expect(group.admin(.listNodes) != nil)
        #expect(group.admin(.status) != nil)
    }
}
