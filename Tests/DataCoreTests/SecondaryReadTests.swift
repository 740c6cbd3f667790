import ClusterModel
import Testing

@testable import DataCore

/// Node d1, secondary of the one shard of keyspace `default`, whose primary d2 is played by the test.
private final class Reader {
    private var node: DataNode
    private var effects = Effects<DataEffect>()
    private var now = Tick(monotonic: 10_000_000_000, wall: 1_700_000_000_000)
    private var client = ConnectionID(place: 0, use: 0)
    private var reply: [UInt8] = []
    private var last: UInt64 = 1
    /// The nonce of its newest grant.
    private(set) var own: UInt64 = 0
    /// Nodes that commands were forwarded to.
    private(set) var forwarded: [NodeID] = []

    private static let primary = NodeID(rawValue: "d2")
    private static let shard = ShardID(rawValue: 1)

    private static func configuration(_ epoch: UInt64, _ read: ReadMode) -> ShardConfiguration {
        ShardConfiguration(
            id: shard, keyspace: KeyspaceID(rawValue: 1), epoch: Epoch(rawValue: epoch),
            range: .slots(from: 0, to: 16384), policy: ReplicationPolicy(replicas: 2, minInSync: 1, read: read),
            members: [primary, NodeID(rawValue: "d1")].map { Member(node: $0, incarnation: .first) },
            proposal: Proposal(proposer: "metasrv", request: epoch), primaryBoot: BootNonce(rawValue: 6))
    }

    init(_ read: ReadMode = .any) {
        func address(_ port: Int) -> Address { Address(host: "127.0.0.1", port: port) }
        var settings = DataSettings(
            id: NodeID(rawValue: "d1"), store: UniqueID(high: 1, low: 1), boot: BootNonce(rawValue: 5),
            address: address(1), gateway: address(2), peer: address(3), seed: 1)
        settings.leaseMillis = 1000
        node = DataNode(settings: settings, now: now)
        let held = RecoveredNode.Replica(
            shard: Self.shard, incarnation: .first, configuration: Self.configuration(1, read),
            lastEpoch: Epoch(rawValue: 1), last: Seq(rawValue: 1), applied: Seq(rawValue: 1),
            epochs: [EpochStart(epoch: Epoch(rawValue: 1), first: Seq(rawValue: 1))], time: 0)
        take(.recovered(RecoveredNode(cluster: nil, replicas: [held], batches: [])))
        learn(epoch: 1, read)
        client = node.open(.gateway, Peer(address: "", local: ""), now: now) ?? client
        say { batch in
            batch.append(
                Reconcile(
                    configuration: Self.configuration(1, read),
                    epochs: [EpochStart(epoch: Epoch(rawValue: 1), first: Seq(rawValue: 1))], last: Seq(rawValue: 1),
                    nonce: 1))
        }
    }

    /// The map has an epoch of the shard.
    func learn(epoch: UInt64, _ read: ReadMode = .any) {
        let other = Node(
            id: Self.primary, store: UniqueID(high: 2, low: 2), boot: BootNonce(rawValue: 6),
            address: Address(host: "127.0.0.1", port: 4), gateway: Address(host: "127.0.0.1", port: 5),
            peer: Address(host: "127.0.0.1", port: 6), zone: "", host: "", weight: 1)
        let keyspace = Keyspace(
            id: KeyspaceID(rawValue: 1), name: "default", scheme: SchemeParameters(kind: .hash, shards: 1),
            policy: Self.configuration(1, read).policy)
        take(
            .routes(
                RouteDelta(
                    cluster: UniqueID(high: 7, low: 7), since: .zero, version: RouteVersion(rawValue: epoch),
                    keyspaces: [keyspace], shards: [Self.configuration(epoch, read)], nodes: [other])))
    }

    func advance(millis: UInt64) {
        now.monotonic += millis * 1_000_000
        now.wall += Int64(millis)
        take(.tick)
    }

    // MARK: The primary

    private func say(_ words: (ReplicaBatch) -> Void) {
        let batch = ReplicaBatch()
        words(batch)
        take(.replicated(from: Self.primary, batch.bytes.view))
    }

    func beat(heard: UInt64, commit: UInt64, mayRead: Bool) {
        say { batch in
            batch.append(
                ReplicaBeat(
                    nonce: now.monotonic, heard: heard, leaseMillis: 1000,
                    shards: [
                        ReplicaBeat.Shard(
                            shard: Self.shard, epoch: Epoch(rawValue: 1), commit: Seq(rawValue: commit),
                            mayRead: mayRead)
                    ]))
        }
    }

    /// A record that sets a key.
    func set(_ key: String, _ value: String, deadline: Int64 = 0, commit: UInt64) {
        let records = LogBatch()
        records.beginRecord(
            shard: Self.shard, incarnation: .first, epoch: Epoch(rawValue: 1), seq: Seq(rawValue: last + 1),
            kind: .data)
        Array(key.utf8).withByteView { key in
            Array(value.utf8).withByteView { records.put(key: key, value: $0, deadline: deadline) }
        }
        records.endRecord()
        let part = RecordStream.Part(
            shard: Self.shard, epoch: 1, commit: commit, previousEpoch: 1, previous: last, last: last + 1)
        last += 1
        say { batch in
            batch.append(.records) { buffer in
                RecordStream.begin([part], in: &buffer)
                var cursor = records.records
                while let (_, whole) = cursor.nextWhole() { buffer.append(whole) }
            }
        }
    }

    /// Two beats: the second gives a read lease that runs from the answer to the first.
    func lend(commit: UInt64) {
        beat(heard: 0, commit: commit, mayRead: false)
        beat(heard: own, commit: commit, mayRead: true)
    }

    // MARK: The client

    func send(_ words: String...) {
        let batch = CommandBatch()
        for word in words {
            let bytes = Array(word.utf8)
            let block = unsafe batch.keep(max(bytes.count, 1))
            for (index, byte) in bytes.enumerated() { unsafe block[index] = byte }
            batch.append(unsafe ByteView(base: UnsafePointer(block), count: bytes.count))
        }
        batch.finish(connection: client, first: 0)
        take(.commands(batch))
    }

    /// What it was answered since the last look.
    func takeReply() -> String {
        defer { reply = [] }
        return String(decoding: reply, as: UTF8.self)
    }

    // MARK: The host

    private func take(_ input: DataInput) {
        node.step(input, now: now, effects: &effects)
        var isQuiet = false
        while !isQuiet {
            node.endTurn(now: now, effects: &effects)
            let all = effects.all
            effects.removeAll()
            for effect in all { run(effect) }
            node.drainReplies { _, _, bytes in
                reply += bytes.view.array
                bytes.removeAll()
            }
            isQuiet = all.isEmpty && effects.isEmpty
        }
    }

    private func run(_ effect: DataEffect) {
        switch effect {
        case .persist(let batch): node.step(.durable(through: batch.ticket), now: now, effects: &effects)
        case .forward(let target, _): forwarded.append(target)
        case .read(let questions):
            for index in questions.items.indices { questions.answer(index, .absent) }
            node.step(.rows(questions), now: now, effects: &effects)
        case .replicate(_, let batch):
            var cursor = ReplicaCursor(batch.bytes.view)
            while let (kind, body) = cursor.next() {
                if kind == .grant, let grant = ReplicaGrant(decoding: body) { own = grant.own }
            }
        default: break
        }
    }
}

/// Reads at secondaries (RULES A9, A13, D6).
@Suite struct SecondaryReadTests {
    @Test func answersByALeaseOfItsPrimary() {
        let node = Reader()
        node.set("k", "v", commit: 2)
        node.lend(commit: 2)
        node.send("GET", "k")
        #expect(node.takeReply() == "$1\r\nv\r\n")
        #expect(node.forwarded.isEmpty)
        // What is not in memory is looked for in the store; other commands that read run too.
        node.send("EXISTS", "nothing")
        #expect(node.takeReply() == ":0\r\n")
    }

    @Test func withoutALeaseThePrimaryIsAsked() {
        let node = Reader()
        node.set("k", "v", commit: 2)
        node.beat(heard: 0, commit: 2, mayRead: true)
        node.beat(heard: node.own &+ 1, commit: 2, mayRead: true)
        node.send("GET", "k")
        #expect(node.takeReply() == "")
        #expect(node.forwarded == [NodeID(rawValue: "d2")])
    }

    @Test func theLeaseRunsFromTheGrantItAnswers() {
        let node = Reader()
        node.set("k", "v", commit: 2)
        node.beat(heard: 0, commit: 2, mayRead: false)
        let first = node.own
        node.advance(millis: 900)
        node.beat(heard: first, commit: 2, mayRead: true)
        node.advance(millis: 99)
        node.send("GET", "k")
        #expect(node.takeReply() == "$1\r\nv\r\n")
        node.advance(millis: 1)
        node.send("GET", "k")
        #expect(node.takeReply() == "")
        #expect(node.forwarded == [NodeID(rawValue: "d2")])
    }

    @Test func waitsForTheCommitOfWhatItLookedAt() {
        let node = Reader()
        node.set("k", "v", commit: 1)
        node.lend(commit: 1)
        node.send("GET", "k")
        #expect(node.takeReply() == "")
        #expect(node.forwarded.isEmpty)
        node.beat(heard: node.own, commit: 2, mayRead: true)
        #expect(node.takeReply() == "$1\r\nv\r\n")
    }

    @Test func aNewEpochEndsTheLease() {
        let node = Reader()
        node.set("k", "v", commit: 2)
        node.lend(commit: 2)
        node.learn(epoch: 2)
        node.send("GET", "k")
        #expect(node.takeReply() == "")
        #expect(node.forwarded == [NodeID(rawValue: "d2")])
    }

    @Test func thePrimaryAloneJudgesWhetherAKeyHasExpired() {
        let node = Reader()
        node.set("old", "v", deadline: 1_700_000_000_100, commit: 2)
        node.set("new", "w", deadline: 1_700_000_900_000, commit: 3)
        node.lend(commit: 3)
        node.advance(millis: 200)
        node.send("GET", "new")
        #expect(node.takeReply() == "$1\r\nw\r\n")
        node.send("GET", "old")
        #expect(node.takeReply() == "")
        #expect(node.forwarded == [NodeID(rawValue: "d2")])
    }

    @Test(arguments: [ReadMode.nearest, .secondary])
    func whereReadsMayBeOldNoLeaseIsNeeded(_ read: ReadMode) {
        let node = Reader(read)
        node.set("k", "v", commit: 2)
        node.beat(heard: 0, commit: 2, mayRead: false)
        node.advance(millis: 5000)
        node.send("GET", "k")
        #expect(node.takeReply() == "$1\r\nv\r\n")
    }

    @Test func writesGoToThePrimaryAndSoDoReadsBehindThem() {
        let node = Reader()
        node.set("k", "v", commit: 2)
        node.lend(commit: 2)
        node.send("SET", "k", "w")
        node.send("GET", "k")
        #expect(node.takeReply() == "")
        #expect(node.forwarded.allSatisfy { $0 == NodeID(rawValue: "d2") })
    }

    @Test func byDefaultThePrimaryAnswersAlone() {
        let node = Reader(.primary)
        node.set("k", "v", commit: 2)
        node.lend(commit: 2)
        node.send("GET", "k")
        #expect(node.takeReply() == "")
        #expect(node.forwarded == [NodeID(rawValue: "d2")])
    }
}
