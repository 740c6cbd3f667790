import ClusterModel
import Testing

@testable import DataCore

/// Node d1 after a restart as the secondary of a shard whose primary is d2, with one member enough for writes.
private final class Secondary {
    private var node: DataNode
    private var effects = Effects<DataEffect>()
    private(set) var now = Tick(monotonic: 10_000_000_000, wall: 1_700_000_000_000)
    /// Kinds of the records that were logged, in order.
    private(set) var logged: [RecordKind] = []
    /// Shards it has granted leases of.
    private(set) var granted = 0

    static let first = Member(node: NodeID(rawValue: "d2"), incarnation: .first)
    static let own = Member(node: NodeID(rawValue: "d1"), incarnation: .first)
    static let boot = BootNonce(rawValue: 5)

    static func shard(epoch: UInt64, members: [Member], primaryBoot: BootNonce) -> ShardConfiguration {
        ShardConfiguration(
            id: ShardID(rawValue: 1), keyspace: KeyspaceID(rawValue: 1), epoch: Epoch(rawValue: epoch),
            range: .slots(from: 0, to: 16384), policy: ReplicationPolicy(replicas: 2, minInSync: 1), members: members,
            proposal: Proposal(proposer: "d1", request: epoch), primaryBoot: primaryBoot)
    }

    init() {
        let address = Address(host: "127.0.0.1", port: 1)
        node = DataNode(
            settings: DataSettings(
                id: Self.own.node, store: UniqueID(high: 1, low: 1), boot: Self.boot, address: address,
                gateway: address, peer: address, seed: 1), now: now)
        let held = RecoveredNode.Replica(
            shard: ShardID(rawValue: 1), incarnation: .first,
            configuration: Self.shard(
                epoch: 1, members: [Self.first, Self.own], primaryBoot: BootNonce(rawValue: 6)),
            lastEpoch: Epoch(rawValue: 1), last: Seq(rawValue: 1), applied: Seq(rawValue: 1),
            epochs: [EpochStart(epoch: Epoch(rawValue: 1), first: Seq(rawValue: 1))], time: 0)
        take(.recovered(RecoveredNode(cluster: nil, replicas: [held], batches: [])))
    }

    /// Takes one input, and makes durable what was logged.
    func take(_ input: DataInput) {
        node.step(input, now: now, effects: &effects)
        var isQuiet = false
        while !isQuiet {
            node.endTurn(now: now, effects: &effects)
            let all = effects.all
            effects.removeAll()
            for effect in all {
                switch effect {
                case .persist(let batch):
                    batch.forEachRecord { header, _ in logged.append(header.kind) }
                    node.step(.durable(through: batch.ticket), now: now, effects: &effects)
                case .replicate(_, let batch):
                    var cursor = ReplicaCursor(batch.bytes.view)
                    while let (kind, body) = cursor.next() {
                        if kind == .grant, let grant = ReplicaGrant(decoding: body) { granted += grant.shards.count }
                    }
                default: break
                }
            }
            isQuiet = all.isEmpty && effects.isEmpty
        }
    }

    func advance(millis: UInt64) {
        now.monotonic += millis * 1_000_000
        now.wall += Int64(millis)
        take(.tick)
    }

    /// The primary's beat comes.
    func beat() {
        let batch = ReplicaBatch()
        batch.append(
            ReplicaBeat(
                nonce: now.monotonic, leaseMillis: 1000,
                shards: [
                    ReplicaBeat.Shard(shard: ShardID(rawValue: 1), epoch: Epoch(rawValue: 1), commit: .zero)
                ]))
        take(.replicated(from: Self.first.node, batch.bytes.view))
    }

    /// Epoch 2 of the shard: this node alone.
    func takesOverAlone() {
        take(
            .routes(
                RouteDelta(
                    cluster: UniqueID(high: 7, low: 7), since: .zero, version: RouteVersion(rawValue: 2),
                    keyspaces: [
                        Keyspace(
                            id: KeyspaceID(rawValue: 1), name: "default",
                            scheme: SchemeParameters(kind: .hash, shards: 1),
                            policy: ReplicationPolicy(replicas: 2, minInSync: 1))
                    ], shards: [Self.shard(epoch: 2, members: [Self.own], primaryBoot: Self.boot)], nodes: [])))
    }
}

/// RULES A6 and A7: whoever becomes primary begins its epoch only when every grant it gave has lapsed.
@Suite struct TakeOverTests {
    @Test func waitsOutAGrantThoughItIsAlone() {
        let node = Secondary()
        node.advance(millis: 5000)
        // The request to take over is under way when the primary is heard once more.
        node.beat()
        #expect(node.granted == 1)
        node.takesOverAlone()
        #expect(node.logged == [.promise])
        node.advance(millis: 1249)
        #expect(node.logged == [.promise])
        node.advance(millis: 2)
        #expect(node.logged == [.promise, .epochStart])
    }

    @Test func waitsOutWhatItMayHaveGrantedBeforeARestart() {
        let node = Secondary()
        node.takesOverAlone()
        node.advance(millis: 1249)
        #expect(node.logged == [.promise])
        node.advance(millis: 2)
        #expect(node.logged == [.promise, .epochStart])
    }

    @Test func beginsAtOnceWhenNothingIsGranted() {
        let node = Secondary()
        node.advance(millis: 5000)
        node.takesOverAlone()
        #expect(node.logged == [.promise, .epochStart])
    }
}
