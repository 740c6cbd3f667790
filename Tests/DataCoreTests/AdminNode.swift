import ClusterModel

@testable import DataCore

/// A data node of a cluster of two with everything around it played by the test: log, store, metadata group, clients.
/// Its own half of the slots of keyspace `default` is the lower one.
final class AdminNode {
    private var node: DataNode
    private var effects = Effects<DataEffect>()
    private(set) var now = Tick(monotonic: 1_000_000_000, wall: 1_700_000_000_000)
    let settings: DataSettings
    /// Whether batches become durable at once.
    var isLogQuick = true
    /// Whether the store answers, and takes what is committed, at once.
    var isReaderQuick = true
    var isApplierQuick = true
    private var questions: [RowBatch] = []
    private var appliable: [(marks: [CommitMark], ticket: UInt64)] = []
    private var unsynced: [LogBatch] = []
    private var unapplied: [LogBatch] = []
    private var waiting = ApplyQueue()
    /// Data rows by row key.
    private var rows: [[UInt8]: [UInt8]] = [:]
    /// Beats not yet answered.
    private(set) var beats: [(beat: Heartbeat, sent: UInt64)] = []
    private(set) var closed: [ConnectionID] = []
    private(set) var ended: [ConnectionID] = []
    private var replies: [ConnectionID: [UInt8]] = [:]
    private var numbers: [ConnectionID: String] = [:]
    private var opened = 0

    static let cluster = UniqueID(high: 7, low: 7)
    static let keyspace = Keyspace(
        id: KeyspaceID(rawValue: 1), name: "default", scheme: SchemeParameters(kind: .hash, shards: 3),
        policy: ReplicationPolicy(replicas: 1))

    init(password: String? = nil, hasKeyspace: Bool = true, cacheBytes: Int? = nil) {
        var settings = DataSettings(
            id: NodeID(rawValue: "d1"), store: UniqueID(high: 0x0123_4567_89AB_CDEF, low: 1),
            boot: BootNonce(rawValue: 5), address: Address(host: "127.0.0.1", port: 7511),
            gateway: Address(host: "127.0.0.1", port: 7512), peer: Address(host: "127.0.0.1", port: 7513), seed: 9)
        settings.password = password.map { Array($0.utf8) }
        if let cacheBytes { settings.cacheBytes = cacheBytes }
        self.settings = settings
        node = DataNode(settings: settings, now: now)
        step(.recovered(RecoveredNode(cluster: nil, replicas: [], batches: [])))
        endTurn()
        answerBeat(delta: hasKeyspace ? Self.map(settings) : Self.emptyMap(settings))
    }

    // MARK: The map

    private static func emptyMap(_ settings: DataSettings) -> RouteDelta {
        RouteDelta(
            cluster: cluster, since: .zero, version: RouteVersion(rawValue: 1), nodes: [settings.node, other])
    }

    static let other = Node(
        id: NodeID(rawValue: "d2"), store: UniqueID(high: 2, low: 2), boot: BootNonce(rawValue: 6),
        address: Address(host: "127.0.0.1", port: 7521), gateway: Address(host: "127.0.0.1", port: 7522),
        peer: Address(host: "127.0.0.1", port: 7523), zone: "", host: "", weight: 1)

    /// Slots 0 ..< 4096 and 4096 ..< 8192 here, the rest on the other node.
    private static func map(_ settings: DataSettings) -> RouteDelta {
        func shard(_ id: UInt64, _ from: UInt16, _ to: UInt16, on node: Node, epoch: UInt64) -> ShardConfiguration {
            ShardConfiguration(
                id: ShardID(rawValue: id), keyspace: keyspace.id, epoch: Epoch(rawValue: epoch),
                range: .slots(from: from, to: to), policy: keyspace.policy,
                members: [Member(node: node.id, incarnation: .first)],
                proposal: Proposal(proposer: "metasrv", request: id), primaryBoot: node.boot)
        }
        return RouteDelta(
            cluster: cluster, since: .zero, version: RouteVersion(rawValue: 1), keyspaces: [keyspace],
            shards: [
                shard(1, 0, 4096, on: settings.node, epoch: 1), shard(2, 4096, 8192, on: settings.node, epoch: 3),
                shard(3, 8192, 16384, on: other, epoch: 2),
            ], nodes: [settings.node, other])
    }

    /// The metadata group answers the oldest beat.
    func answerBeat(delta: RouteDelta? = nil) {
        guard !beats.isEmpty else { return }
        let sent = beats.removeFirst().sent
        step(.beatAnswered(HeartbeatAnswer(cluster: Self.cluster, term: Term(rawValue: 1), delta: delta), sent: sent))
        endTurn()
    }

    // MARK: Time and turns

    func advance(millis: UInt64) {
        now.monotonic += millis * 1_000_000
        now.wall += Int64(millis)
        step(.tick)
        endTurn()
    }

    private func step(_ input: DataInput) { node.step(input, now: now, effects: &effects) }

    /// Ends turns until nothing is left to do.
    private func endTurn() {
        var isQuiet = false
        while !isQuiet {
            node.endTurn(now: now, effects: &effects)
            let all = effects.all
            effects.removeAll()
            for effect in all { run(effect) }
            collect()
            if isLogQuick { sync() }
            isQuiet = all.isEmpty && effects.isEmpty
        }
    }

    /// Every batch becomes durable.
    func sync() {
        guard let last = unsynced.last else { return }
        unapplied += unsynced
        unsynced = []
        step(.durable(through: last.ticket))
        endTurn()
    }

    private func collect() {
        var drained: [(ConnectionID, Bool, [UInt8])] = []
        node.drainReplies { id, isClosing, bytes in
            drained.append((id, isClosing, bytes.view.array))
            bytes.removeAll()
        }
        for (id, isClosing, bytes) in drained {
            replies[id, default: []] += bytes
            if isClosing { ended.append(id) }
        }
    }

    private func run(_ effect: DataEffect) {
        switch effect {
        case .openStore(let store, _): waiting.open(store)
        case .persist(let batch): unsynced.append(batch)
        case .apply(let marks, let ticket):
            if isApplierQuick { apply(marks, ticket) } else { appliable.append((marks, ticket)) }
        case .read(let asked): if isReaderQuick { answer(asked) } else { questions.append(asked) }
        case .scan(let scan):
            for (row, value) in rows.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) })
            where !row.lexicographicallyPrecedes(scan.from) && row.lexicographicallyPrecedes(scan.to ?? [255]) {
                row.withByteView { row in
                    value.withByteView { value in
                        if let key = RowKey.key(of: row, usesSlots: true) { scan.add(key: key, value: value) }
                    }
                }
            }
            scan.isComplete = true
            step(.scanned(scan))
        case .beat(let beat, let sent): beats.append((beat, sent))
        case .close(let id):
            closed.append(id)
            node.close(id)
        default: break
        }
    }

    private func answer(_ asked: RowBatch) {
        for index in asked.items.indices {
            if let value = rows[rowKey(asked.key(index))] {
                value.withByteView { asked.answer(index, value: $0, deadline: 0) }
            } else {
                asked.answer(index, .absent)
            }
        }
        step(.rows(asked))
    }

    /// The store answers what it was asked until now. Returns whether that was anything.
    func answerReads() -> Bool {
        let all = questions
        questions = []
        for asked in all { answer(asked) }
        endTurn()
        return !all.isEmpty
    }

    /// The store takes what was committed until now.
    func applyAll() {
        let all = appliable
        appliable = []
        for (marks, ticket) in all { apply(marks, ticket) }
        endTurn()
    }

    private func rowKey(_ key: ByteView) -> [UInt8] {
        var buffer = ByteBuffer()
        RowKey.write(key, usesSlots: true, to: &buffer)
        return buffer.view.array
    }

    private func apply(_ committed: [CommitMark], _ ticket: UInt64) {
        for batch in unapplied { waiting.add(batch) }
        unapplied = []
        waiting.commit(committed, durable: ticket)
        var marks: [StoreID: DataInput.Applied] = [:]
        let taken = waiting.take(bytes: .max) { store, header, payload in
            marks[store] = DataInput.Applied(store: store, epoch: header.epoch, seq: header.seq, bytes: 0)
            guard header.kind == .data else { return }
            var ops = OpCursor(payload)
            while let op = ops.next() {
                switch op {
                case .put(let key, let value, _): rows[rowKey(key)] = value.array
                case .delete(let key): rows[rowKey(key)] = nil
                case .flush: rows = [:]
                case .time: break
                }
            }
        }
        step(.applied(marks.values.sorted { $0.store < $1.store }, spent: taken.spent))
    }

    // MARK: Clients

    func open(_ port: PortKind = .gateway) -> ConnectionID {
        let number = (replies.count + 1) * 7
        let peer = Peer(address: "127.0.0.1:\(40000 + number)", local: "127.0.0.1:7512")
        guard let id = node.open(port, peer, now: now) else { return ConnectionID(place: .max, use: 0) }
        replies[id] = []
        opened += 1
        numbers[id] = "\(opened)"
        return id
    }

    /// Whether one more client would be let in.
    func admitsClient() -> Bool {
        guard let id = node.open(.gateway, Peer(address: "", local: ""), now: now) else { return false }
        node.close(id)
        opened += 1
        return true
    }

    /// Runs commands, each its words, in one step, and gives what the connection was answered, in bytes as text.
    @discardableResult
    func call(_ connection: ConnectionID, _ commands: [String]...) -> String {
        deliver(connection, commands, nanoseconds: nil)
        return takeReply(connection)
    }

    /// The same, with the time that the step took.
    func call(_ connection: ConnectionID, _ commands: [[String]], nanoseconds: UInt64) -> String {
        deliver(connection, commands, nanoseconds: nanoseconds)
        return takeReply(connection)
    }

    private func deliver(_ connection: ConnectionID, _ commands: [[String]], nanoseconds: UInt64?) {
        let batch = CommandBatch()
        for words in commands {
            let first = batch.argumentCount
            for word in words {
                let bytes = Array(word.utf8)
                let block = unsafe batch.keep(max(bytes.count, 1))
                for (index, byte) in bytes.enumerated() { unsafe block[index] = byte }
                batch.append(unsafe ByteView(base: UnsafePointer(block), count: bytes.count))
            }
            batch.finish(connection: connection, first: first)
        }
        step(.commands(batch))
        if let nanoseconds { node.noteStep(nanoseconds: nanoseconds, batch) }
        batch.removeAll()
        endTurn()
    }

    /// The line that CLIENT LIST has for a connection: they were opened one after another, with numbers from 1.
    func line(of connection: ConnectionID) -> String {
        let asker = open(.cluster)
        let text = call(asker, ["client", "list", "id", number(of: connection)])
        node.close(asker)
        return text
    }

    /// Its CLIENT ID. It is not asked for it, since it may be blocked.
    func number(of connection: ConnectionID) -> String { numbers[connection] ?? "none" }

    /// As `call`, in bytes: what is no UTF-8 stays as it is.
    func bytes(_ connection: ConnectionID, _ command: [String]) -> [UInt8] {
        deliver(connection, [command], nanoseconds: nil)
        let bytes = replies[connection] ?? []
        replies[connection] = []
        return bytes
    }

    func takeReply(_ connection: ConnectionID) -> String {
        let bytes = replies[connection] ?? []
        replies[connection] = []
        return String(decoding: bytes, as: UTF8.self)
    }

    func report() -> NodeReport { node.report() }

    /// The words of a command line; `"` encloses words with spaces.
    static func words(_ line: String) -> [String] {
        var words: [String] = []
        var word = ""
        var isQuoted = false
        var isStarted = false
        for character in line {
            if character == "\"" {
                isQuoted.toggle()
                isStarted = true
            } else if character == " ", !isQuoted {
                if isStarted { words.append(word) }
                (word, isStarted) = ("", false)
            } else {
                word.append(character)
                isStarted = true
            }
        }
        if isStarted { words.append(word) }
        return words
    }
}
