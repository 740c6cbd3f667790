import ClusterModel
import Testing

@testable import DataCore

/// Other nodes say what makes no sense: whatever well-formed numbers come from a peer, no trap (RULES B8). What such a peer
/// does to its own shards is its own doing.
@Suite("Hostile peers") struct HostilePeerTests {
    private static let seeds: UInt64 = 200

    @Test(.timeLimit(.minutes(1)), arguments: [0, 1])
    func noWordOfAPeerIsATrap(half: UInt64) {
        var met = Set<RecordKind>()
        for seed in (1...Self.seeds).filter({ $0 % 2 == half }) {
            var peer = HostilePeer(seed: seed)
            for _ in 0..<120 { peer.act() }
            peer.settle()
            met.formUnion(peer.node.logged.map(\.kind))
        }
        // It leads, follows, is cut, learns, and loses its copy: otherwise little of it was asked.
        #expect(met.isSuperset(of: [.data, .epochStart, .promise, .truncate, .checkpoint, .drop]))
    }
}

/// Speaks for both other nodes of a `ReplicaNode`, whatever its role: partly what fits, partly numbers at the ends of their
/// ranges and beside those in use.
private struct HostilePeer {
    private var chance: Entropy
    let node = ReplicaNode()
    private let client: ConnectionID
    private var epoch: UInt64 = 1
    /// Of the map's configuration.
    private var members: [Int] = []
    private var learners: [Int] { members.contains(1) ? [] : [1] }
    private var current: ShardConfiguration { ReplicaNode.configuration(epoch, members, learners: learners) }
    /// What the node itself said lately: an answer has to fit for it to be taken at all.
    private var nonces: [UInt64] = [0]
    private var lessons: [UInt64] = [0]
    /// What it asked of whom when it led.
    private var questions: [(Int, Reconcile)] = []
    private var lesson: UInt64 = 100

    init(seed: UInt64) {
        chance = Entropy(seed: seed)
        client = node.open()
        changeMap()
    }

    private mutating func pick(_ count: Int) -> Int { Int(chance.next() % UInt64(count)) }

    private mutating func pick<Element>(of all: [Element]) -> Element { all[pick(all.count)] }

    private mutating func flag() -> Bool { chance.next() % 2 == 0 }

    /// Mostly a number near those in use.
    private mutating func number(_ near: UInt64) -> UInt64 {
        switch pick(6) {
        case 0: pick(of: [0, 1, 1 << 32, Limits.counters - 1, 1 << 63, .max - 1, .max, chance.next()])
        case 1: near &+ UInt64(pick(3))
        case 2: near &- UInt64(pick(3))
        default: near
        }
    }

    private mutating func anEpoch() -> Epoch { Epoch(rawValue: number(epoch)) }

    private mutating func aSeq() -> Seq { Seq(rawValue: number(log.last)) }

    private mutating func aShard() -> ShardID { pick(16) == 0 ? ShardID(rawValue: number(1)) : ReplicaNode.shard }

    private mutating func anIncarnation() -> Incarnation { Incarnation(rawValue: number(1)) }

    private mutating func aWall() -> Int64 {
        pick(4) == 0 ? pick(of: [0, -1, .max, .min, .max - 1]) : node.now.wall + Int64(pick(3)) - 1
    }

    /// The vector and the last record of the node's own log, by what it logged.
    private var log: (starts: [EpochStart], last: UInt64) {
        var starts: [EpochStart] = []
        var last: UInt64 = 0
        for header in node.logged {
            let seq = header.seq.rawValue
            switch header.kind {
            case .data: last = seq
            case .epochStart:
                starts.append(EpochStart(epoch: header.epoch, first: header.seq))
                last = seq
            case .truncate:
                starts.removeAll { $0.first >= header.seq }
                last = seq - 1
            case .drop: (starts, last) = ([], 0)
            case .checkpoint: (starts, last) = ([EpochStart(epoch: header.epoch, first: Seq(rawValue: 1))], seq)
            case .promise, .snapshot: break
            }
        }
        return (starts, last)
    }

    /// Mostly the vector of the node's own log, with what else there may be.
    private mutating func starts() -> [EpochStart] {
        var starts = log.starts
        if pick(3) == 0 { starts.removeLast(pick(starts.count + 1)) }
        if pick(3) == 0 { starts += (0..<pick(3)).map { _ in EpochStart(epoch: anEpoch(), first: aSeq()) } }
        return starts
    }

    private mutating func reconciled() -> Reconciled {
        Reconciled(shard: aShard(), epoch: anEpoch(), incarnation: anIncarnation(), last: aSeq())
    }

    private mutating func configuration() -> ShardConfiguration {
        if pick(3) > 0 { return current }
        let roles: [[Int]] = [[1, 2, 3], [2, 1, 3], [3, 2, 1], [2, 3], [1], [2], []]
        let members = pick(of: roles)
        var made = ReplicaNode.configuration(
            number(epoch), members, learners: flag() ? [1, 2, 3].filter { !members.contains($0) } : [])
        made.id = aShard()
        if pick(4) == 0 { made.handedOverFrom = NodeID(rawValue: pick(of: ["d1", "d2", "d3", "d9"])) }
        if pick(4) == 0 {
            made.unsettled = [Electorate(members: [ReplicaNode.member(2), ReplicaNode.member(3)], ack: .majority)]
        }
        return made
    }

    private mutating func message() -> any ReplicaMessage {
        switch pick(10) {
        case 0:
            ReplicaBeat(
                nonce: chance.next(), heard: pick(of: nonces), leaseMillis: number(1000), wall: aWall(),
                shards: (0..<pick(3)).map { _ in
                    ReplicaBeat.Shard(shard: aShard(), epoch: anEpoch(), commit: aSeq(), mayRead: flag())
                })
        case 1:
            ReplicaGrant(
                nonce: pick(of: nonces), own: chance.next(), leaseMillis: number(1000), pace: number(1_000_000),
                wall: aWall(),
                shards: (0..<pick(3)).map { _ in
                    ReplicaGrant.Shard(
                        shard: aShard(), epoch: anEpoch(), incarnation: anIncarnation(), last: aSeq(), durable: aSeq())
                }, newer: pick(4) == 0 ? [configuration()] : [])
        case 2: Reconcile(configuration: configuration(), epochs: starts(), last: aSeq(), nonce: chance.next())
        case 3: ReconcileAnswer(nonce: pick(of: nonces), reconciled())
        case 4: ReplicaAcks(acks: (0..<pick(3)).map { _ in reconciled() })
        case 5: TakeoverPoll(nonce: chance.next(), shard: aShard(), epoch: anEpoch(), seals: flag())
        case 6:
            TakeoverVote(
                nonce: pick(of: nonces), shard: aShard(), epoch: anEpoch(), incarnation: anIncarnation(),
                hasLapsed: flag(), isSealed: flag(), lastEpoch: anEpoch(), last: aSeq())
        case 7:
            SnapshotChunk(
                shard: aShard(), epoch: anEpoch(), baseEpoch: anEpoch(), base: aSeq(), epochs: starts(),
                lesson: number(1), number: number(0), isLast: flag(), end: aSeq(),
                rows: (0..<pick(3)).map { _ in
                    SnapshotChunk.Row(key: [UInt8](repeating: 107, count: pick(40)), value: [0, 1, 2])
                })
        case 8:
            SnapshotTaken(
                shard: aShard(), epoch: anEpoch(), incarnation: anIncarnation(), lesson: pick(of: lessons),
                number: number(0))
        default: Relearn(shard: aShard(), epoch: anEpoch(), incarnation: anIncarnation())
        }
    }

    /// Ops, whole or not; what begins a well-formed one is in `OpCursor`.
    private mutating func payload() -> [UInt8] {
        let batch = LogBatch()
        batch.beginRecord(shard: ReplicaNode.shard, incarnation: .first, epoch: .none, seq: .zero, kind: .data)
        for _ in 0..<pick(3) {
            let key: [UInt8] = [107, UInt8(48 + pick(3))]
            key.withByteView { key in
                switch pick(4) {
                case 0: batch.delete(key: key)
                case 1: batch.flush()
                case 2: batch.time(aWall())
                default: batch.put(key: key, value: key, deadline: flag() ? 0 : aWall())
                }
            }
        }
        batch.endRecord()
        var bytes: [UInt8] = []
        batch.forEachRecord { _, payload in bytes = payload.array }
        if pick(3) == 0, !bytes.isEmpty { bytes[pick(bytes.count)] = UInt8(truncatingIfNeeded: chance.next()) }
        return bytes
    }

    private mutating func stream() {
        let first = aSeq().rawValue
        let parts = (0...pick(2)).map { _ in
            RecordStream.Part(
                shard: aShard(), epoch: anEpoch().rawValue, commit: aSeq().rawValue,
                previousEpoch: anEpoch().rawValue, previous: flag() ? first &- 1 : aSeq().rawValue,
                last: number(first))
        }
        let records = (0..<pick(4)).map { index in
            ReplicaNode.StreamedRecord(
                shard: aShard(), incarnation: anIncarnation(), epoch: anEpoch(),
                seq: Seq(rawValue: number(first &+ UInt64(index))),
                kind: pick(4) == 0 ? pick(of: RecordKind.allCases) : .data, payload: payload())
        }
        node.hear(speaker(), parts, records)
    }

    private mutating func changeMap() {
        epoch += 1
        members = pick(of: [[1, 2, 3], [2, 1, 3], [2, 1], [2, 3]])
        node.adopt(epoch, members, learners: learners)
    }

    /// Mostly the primary, where that is not the node itself.
    private mutating func speaker() -> Int { members[0] > 1 && pick(4) > 0 ? members[0] : 2 + pick(2) }

    /// Nearly what the others would say that keep to the protocol: the rest is only heard where something goes on.
    private mutating func behave() {
        guard let primary = members.first, primary != 1 else {
            for (number, question) in questions where members.contains(number) {
                let answer = Reconciled(
                    shard: ReplicaNode.shard, epoch: question.configuration.epoch, incarnation: .first,
                    last: question.last)
                node.hear(number, ReconcileAnswer(nonce: question.nonce, answer))
            }
            questions = []
            for number in members.dropFirst() { node.grant(number, epoch: epoch, last: log.last) }
            return
        }
        let (starts, last) = log
        node.hear(
            primary,
            Reconcile(
                configuration: current,
                epochs: pick(2) == 0 ? starts + [EpochStart(epoch: anEpoch(), first: aSeq())] : starts,
                last: Seq(rawValue: last - min(last, UInt64(pick(3)))), nonce: chance.next()))
        node.sync()
        if last == 0, learners == [1] {
            lesson += 1
            node.hear(
                primary,
                SnapshotChunk(
                    shard: ReplicaNode.shard, epoch: Epoch(rawValue: epoch), baseEpoch: Epoch(rawValue: 1),
                    base: Seq(rawValue: number(3)),
                    epochs: [EpochStart(epoch: Epoch(rawValue: 1), first: Seq(rawValue: 1))],
                    lesson: lesson, number: 0, isLast: true, end: Seq(rawValue: 3), rows: []))
            if let chunk = node.installed.last { node.noteInstalled(chunk) }
        } else {
            node.hearRecords(
                primary, epoch: epoch, last + 1...last + 2, startsEpoch: starts.last?.epoch.rawValue != epoch,
                commit: last)
        }
    }

    mutating func act() {
        if pick(3) == 0 { return behave() }
        listen()
        switch pick(12) {
        case 0: node.advance(millis: UInt64(pick(400)))
        case 1: node.sync()
        case 2: node.send(client, "SET", "k\(pick(3))", "v")
        case 3: node.send(client, "GET", "k\(pick(3))")
        case 4: node.answerReads()
        case 5: if pick(8) == 0 { changeMap() } else if pick(8) == 0 { node.lose(2 + pick(2)) }
        case 6, 7: stream()
        case 8: if let chunk = node.installed.last { node.noteInstalled(chunk) }
        default: node.hear(speaker(), message())
        }
    }

    /// Notes what the node asked, so that some answers fit.
    private mutating func listen() {
        for number in 2...3 {
            for (kind, body) in node.takeSent(to: number) {
                body.withByteView { view in
                    switch kind {
                    case .beat: nonces += [ReplicaBeat(decoding: view)?.nonce].compactMap(\.self)
                    case .grant: nonces += [ReplicaGrant(decoding: view)?.own].compactMap(\.self)
                    case .reconcile:
                        guard let question = Reconcile(decoding: view) else { return }
                        nonces.append(question.nonce)
                        questions.append((number, question))
                    case .poll: nonces += [TakeoverPoll(decoding: view)?.nonce].compactMap(\.self)
                    case .snapshot: lessons += [SnapshotChunk(decoding: view)?.lesson].compactMap(\.self)
                    default: break
                    }
                }
            }
        }
        nonces.removeFirst(max(0, nonces.count - 6))
        lessons.removeFirst(max(0, lessons.count - 3))
    }

    /// Time goes on, everything becomes durable.
    mutating func settle() {
        for _ in 0..<8 {
            node.sync()
            node.answerReads()
            node.answerWalks()
            node.advance(millis: 700)
        }
    }
}
