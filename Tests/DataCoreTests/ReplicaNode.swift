import ClusterModel

@testable import DataCore

/// Node d1 of a cluster of three that share one shard of all slots; the test plays the other nodes, the log, the store and
/// the metadata group.
final class ReplicaNode {
    private var node: DataNode
    private var effects = Effects<DataEffect>()
    private(set) var now = Tick(monotonic: 10_000_000_000, wall: 1_700_000_000_000)
    private let settings: DataSettings
    private var version: UInt64 = 0
    private var unsynced: [LogBatch] = []
    /// Records this node logged, in order.
    private(set) var logged: [RecordHeader] = []
    /// Messages by node, in order, until they are taken.
    private var sent: [NodeID: [(kind: ReplicaMessageKind, body: [UInt8])]] = [:]
    private(set) var installed: [SnapshotChunk] = []
    private var answers: [UInt64: ForwardOutcome] = [:]
    private(set) var opened: [StoreID] = []
    private(set) var droppedStores: [StoreID] = []
    /// What it complained of.
    private(set) var errors: [String] = []
    /// Questions to the store that are not answered.
    private var reads: [RowBatch] = []
    private var replies: [ConnectionID: [UInt8]] = [:]
    private var scans: [Scan] = []
    private var searches: [LogRead] = []
    /// What it asked of the metadata group.
    private(set) var proposals: [ReconfigureRequest] = []
    /// What it told the metadata group.
    private(set) var beats: [Heartbeat] = []

    static let cluster = UniqueID(high: 7, low: 7)
    static let shard = ShardID(rawValue: 1)
    private static let names = (1...3).map { NodeID(rawValue: "d\($0)") }
    private static let keyspace = Keyspace(
        id: KeyspaceID(rawValue: 1), name: "default", scheme: SchemeParameters(kind: .hash, shards: 1),
        policy: ReplicationPolicy(replicas: 3))

    init(leaseMillis: UInt64 = 1000, _ found: RecoveredNode = RecoveredNode(cluster: nil, replicas: [], batches: [])) {
        var settings = DataSettings(
            id: Self.names[0], store: UniqueID(high: 1, low: 1), boot: BootNonce(rawValue: 5),
            address: Address(host: "d1", port: 7511), gateway: Address(host: "d1", port: 7512),
            peer: Address(host: "d1", port: 7513), seed: 9)
        settings.leaseMillis = leaseMillis
        self.settings = settings
        node = DataNode(settings: settings, now: now)
        step(.recovered(found))
        step(
            .beatAnswered(
                HeartbeatAnswer(cluster: Self.cluster, term: Term(rawValue: 1), delta: nil), sent: now.monotonic))
        endTurn()
    }

    static func member(_ number: Int) -> Member {
        Member(node: names[number - 1], incarnation: .first)
    }

    // MARK: Turns

    private func step(_ input: DataInput) {
        node.step(input, now: now, effects: &effects)
    }

    private func endTurn() {
        var isQuiet = false
        while !isQuiet {
            node.endTurn(now: now, effects: &effects)
            let all = effects.all
            effects.removeAll()
            for effect in all { run(effect) }
            node.drainReplies { id, _, bytes in
                replies[id, default: []] += bytes.view.array
                bytes.removeAll()
            }
            isQuiet = all.isEmpty && effects.isEmpty
        }
    }

    private func run(_ effect: DataEffect) {
        switch effect {
        case .persist(let batch):
            unsynced.append(batch)
            batch.forEachRecord { header, _ in logged.append(header) }
        case .replicate(let node, let batch):
            var cursor = ReplicaCursor(batch.bytes.view)
            while let (kind, body) = cursor.next() { sent[node, default: []].append((kind, body.array)) }
        case .install(_, let chunk): installed.append(chunk)
        case .openStore(let store, _): opened.append(store)
        case .dropStore(let store): droppedStores.append(store)
        case .note(let note) where note.level == .error: errors.append(note.text)
        case .read(let questions): reads.append(questions)
        case .scan(let scan): scans.append(scan)
        case .readLog(let search): searches.append(search)
        case .beat(let beat, _): beats.append(beat)
        case .reconfigure(let request): proposals.append(request)
        case .answer(_, let batch):
            var cursor = ForwardReplyCursor(batch.bytes.view)
            while let (request, outcome, _) = cursor.next() { answers[request] = outcome }
        default: break
        }
    }

    func advance(millis: UInt64) {
        now.monotonic += millis * 1_000_000
        now.wall += Int64(millis)
        step(.tick)
        endTurn()
    }

    /// Everything logged becomes durable.
    func sync() {
        while let last = unsynced.last {
            unsynced = []
            step(.durable(through: last.ticket))
            endTurn()
        }
    }

    // MARK: The map

    static func configuration(_ epoch: UInt64, _ members: [Int], learners: [Int] = []) -> ShardConfiguration {
        ShardConfiguration(
            id: shard, keyspace: keyspace.id, epoch: Epoch(rawValue: epoch), range: .slots(from: 0, to: Slot.count),
            policy: keyspace.policy, members: members.map { member($0) }, learners: learners.map { member($0) },
            proposal: Proposal(proposer: "metasrv", request: epoch), primaryBoot: BootNonce(rawValue: 5))
    }

    /// The metadata group's map has this configuration now.
    func adopt(_ epoch: UInt64, _ members: [Int], learners: [Int] = []) {
        let nodes = Self.names.map { name in
            var other = settings.node
            other.id = name
            other.peer.host = name.rawValue
            return other
        }
        let delta = RouteDelta(
            cluster: Self.cluster, since: RouteVersion(rawValue: version), version: RouteVersion(rawValue: version + 1),
            keyspaces: version == 0 ? [Self.keyspace] : [],
            shards: [Self.configuration(epoch, members, learners: learners)], nodes: version == 0 ? nodes : [])
        version += 1
        step(.routes(delta))
        endTurn()
        sync()
    }

    /// The metadata group's answer to a proposal: a refusal, or nil = none came in time.
    func answer(_ request: ReconfigureRequest, refusal: String?) {
        let answer = refusal.map { ReconfigureAnswer(accepted: false, current: nil, refusal: $0) }
        step(.reconfigured(Self.shard, request.configuration.proposal, answer))
        endTurn()
    }

    // MARK: Other nodes

    func hear(_ number: Int, _ messages: any ReplicaMessage...) {
        let batch = ReplicaBatch()
        for message in messages { batch.append(message) }
        hear(number, batch)
    }

    private func hear(_ number: Int, _ batch: ReplicaBatch) {
        step(.replicated(from: Self.names[number - 1], batch.bytes.view))
        endTurn()
    }

    /// Records of one key, SET to their seq, as the primary of an epoch sends them on.
    func hearRecords(
        _ number: Int, epoch: UInt64, _ seqs: ClosedRange<UInt64>, startsEpoch: Bool = false, commit: UInt64
    ) {
        let source = LogBatch()
        for seq in seqs {
            let kind = startsEpoch && seq == seqs.lowerBound ? RecordKind.epochStart : .data
            source.beginRecord(
                shard: Self.shard, incarnation: .first, epoch: Epoch(rawValue: epoch), seq: Seq(rawValue: seq),
                kind: kind)
            if kind == .data {
                [UInt8](repeating: 107, count: 1).withByteView { key in
                    Array("\(seq)".utf8).withByteView { source.put(key: key, value: $0) }
                }
            }
            source.endRecord()
        }
        let part = RecordStream.Part(
            shard: Self.shard, epoch: epoch, commit: commit, previousEpoch: epoch, previous: seqs.lowerBound - 1,
            last: seqs.upperBound)
        hear(number, [part], source)
    }

    /// A record of any header and payload.
    struct StreamedRecord {
        var shard: ShardID
        var incarnation: Incarnation
        var epoch: Epoch
        var seq: Seq
        var kind: RecordKind
        var payload: [UInt8] = []
    }

    /// Records as they are named, whether they fit or not.
    func hear(_ number: Int, _ parts: [RecordStream.Part], _ records: [StreamedRecord]) {
        let source = LogBatch()
        for record in records {
            source.beginRecord(
                shard: record.shard, incarnation: record.incarnation, epoch: record.epoch, seq: record.seq,
                kind: record.kind)
            source.append(record.payload)
            source.endRecord()
        }
        hear(number, parts, source)
    }

    private func hear(_ number: Int, _ parts: [RecordStream.Part], _ source: LogBatch) {
        let batch = ReplicaBatch()
        batch.append(.records) { buffer in
            RecordStream.begin(parts, in: &buffer)
            var records = source.records
            while let (_, whole) = records.nextWhole() { buffer.append(whole) }
        }
        hear(number, batch)
    }

    func lose(_ number: Int) {
        step(.peerLost(Self.names[number - 1], nothingSent: false))
        endTurn()
    }

    /// Takes the messages of a kind that were sent to a node; those of other kinds are forgotten.
    func take<Message: ReplicaMessage>(_: Message.Type, to number: Int) -> [Message] {
        let all = sent.removeValue(forKey: Self.names[number - 1]) ?? []
        return all.filter { $0.kind == Message.kind }.compactMap { $0.body.withByteView { Message(decoding: $0) } }
    }

    /// Takes all that was sent to a node.
    func takeSent(to number: Int) -> [(kind: ReplicaMessageKind, body: [UInt8])] {
        sent.removeValue(forKey: Self.names[number - 1]) ?? []
    }

    /// Another node answers every beat it got with a grant, and says how far its log is.
    func grant(_ number: Int, epoch: UInt64, last: UInt64) {
        for beat in take(ReplicaBeat.self, to: number) {
            hear(
                number,
                ReplicaGrant(
                    nonce: beat.nonce, leaseMillis: beat.leaseMillis,
                    shards: [
                        ReplicaGrant.Shard(
                            shard: Self.shard, epoch: Epoch(rawValue: epoch), incarnation: .first,
                            last: Seq(rawValue: last), durable: Seq(rawValue: last))
                    ], newer: []))
        }
    }

    /// The store holds a chunk.
    func noteInstalled(_ chunk: SnapshotChunk) {
        step(
            .installed(
                StoreID(shard: Self.shard, incarnation: .first), lesson: chunk.lesson, number: chunk.number))
        endTurn()
    }

    /// The store has no row that was asked for.
    func answerReads() {
        let all = reads
        reads = []
        for questions in all {
            for index in questions.items.indices { questions.answer(index, .absent) }
            step(.rows(questions))
        }
        endTurn()
    }

    var openReads: Int { reads.count }

    /// Walks over the store end without a row, searches of the log find nothing.
    func answerWalks() {
        while !(scans.isEmpty && searches.isEmpty) {
            let (walks, looks) = (scans, searches)
            (scans, searches) = ([], [])
            for walk in walks {
                walk.isComplete = true
                step(.scanned(walk))
            }
            for look in looks { step(.logRead(look)) }
            endTurn()
        }
    }

    // MARK: Another node's gateway

    /// Runs a command that another node forwards for one of its clients.
    func forward(_ request: UInt64, attempt: UInt32, _ words: String...) {
        let batch = ForwardBatch()
        batch.begin(
            ForwardedCommand(
                session: 1, attempt: attempt, request: request, keyspace: Self.keyspace.id, shard: Self.shard,
                epoch: .none, protocolVersion: 2), arguments: words.count)
        for word in words { Array(word.utf8).withByteView { batch.append(argument: $0) } }
        step(.forwarded(link: LinkID(number: 9), batch.bytes.view))
        endTurn()
    }

    /// What forwarded commands were answered, by request; an answer is taken once.
    func takeAnswers() -> [UInt64: ForwardOutcome] {
        defer { answers = [:] }
        return answers
    }

    // MARK: Clients

    func open() -> ConnectionID {
        node.open(.gateway, Peer(address: "c:1", local: "d1:7512"), now: now) ?? ConnectionID(place: .max, use: 0)
    }

    func send(_ connection: ConnectionID, _ words: String...) {
        let batch = CommandBatch()
        for word in words {
            let bytes = Array(word.utf8)
            let block = unsafe batch.keep(max(bytes.count, 1))
            for (index, byte) in bytes.enumerated() { unsafe block[index] = byte }
            batch.append(unsafe ByteView(base: UnsafePointer(block), count: bytes.count))
        }
        batch.finish(connection: connection, first: 0)
        step(.commands(batch))
        batch.removeAll()
        endTurn()
    }

    func takeReply(_ connection: ConnectionID) -> String {
        String(decoding: replies.removeValue(forKey: connection) ?? [], as: UTF8.self)
    }

    /// What the node says of its replica.
    var glance: ReplicaGlance? {
        var found: ReplicaGlance?
        node.glance(now: now) { found = $0 }
        return found
    }
}
