import ClusterModel
import DataCore
import Wire

/// Any bytes from three clients of a whole data node: no trap, every command answered once, and every answer is RESP.
///
/// The input is cut at bytes 0xFE; piece i comes from client i % 3, the second of which uses the cluster port. Effects
/// are answered one turn later, so that commands wait for rows and commits.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = unsafe ByteView(base: start, count: count).array
    var run = Run()
    for (index, piece) in bytes.split(separator: 0xFE, maxSplits: 64, omittingEmptySubsequences: false).enumerated() {
        run.give(Array(piece), to: index % 3)
    }
    run.settle()
    return 0
}

/// A node, its clients, and a disk in memory.
private struct Run: ~Copyable {
    private var node: DataNode
    private var effects = Effects<DataEffect>()
    private let disk = MemoryDisk()
    private let batch = CommandBatch()
    private var clients: [Client] = []
    private var now = Tick(monotonic: 1_000_000_000, wall: 1_700_000_000_000)

    private struct Client {
        var connection: ConnectionID
        var replies = ReplyParser()
        var isOpen = true
    }

    init() {
        let address = Address(host: "127.0.0.1", port: 1)
        var settings = DataSettings(
            id: NodeID(rawValue: "d1"), store: UniqueID(high: 1, low: 1), boot: BootNonce(rawValue: 7),
            address: address, gateway: address, peer: address, seed: 5)
        settings.cacheBytes = 4096
        node = DataNode(settings: settings, now: now)
        node.step(.recovered(RecoveredNode(cluster: nil, replicas: [], batches: [])), now: now, effects: &effects)
        node.step(.beatAnswered(Run.answer(settings), sent: now.monotonic), now: now, effects: &effects)
        for _ in 0..<4 { turn() }
        for index in 0..<3 {
            let peer = Peer(address: "127.0.0.1:\(index)", local: "127.0.0.1:1")
            guard let connection = node.open(index == 1 ? .cluster : .gateway, peer, now: now) else {
                preconditionFailure("a client was refused")
            }
            clients.append(Client(connection: connection))
        }
    }

    private static func answer(_ settings: DataSettings) -> HeartbeatAnswer {
        let cluster = UniqueID(high: 9, low: 9)
        let policy = ReplicationPolicy(replicas: 1)
        let hash = Keyspace(
            id: KeyspaceID(rawValue: 1), name: "default", scheme: SchemeParameters(kind: .hash, shards: 2),
            policy: policy)
        let range = Keyspace(
            id: KeyspaceID(rawValue: 2), name: "r",
            scheme: SchemeParameters(kind: .range, splitAt: [Key([0x6B])]), policy: policy)
        let ranges: [(Keyspace, ShardRange)] = [
            (hash, .slots(from: 0, to: 8192)), (hash, .slots(from: 8192, to: 16384)),
            (range, .keys(from: nil, to: Key([0x6B]))), (range, .keys(from: Key([0x6B]), to: nil)),
        ]
        let shards = ranges.enumerated().map { index, placed in
            ShardConfiguration(
                id: ShardID(rawValue: UInt64(index + 1)), keyspace: placed.0.id, epoch: Epoch(rawValue: 1),
                range: placed.1, policy: policy, members: [Member(node: settings.id, incarnation: .first)],
                proposal: Proposal(proposer: "fuzz", request: 1), primaryBoot: settings.boot)
        }
        let delta = RouteDelta(
            cluster: cluster, since: .zero, version: RouteVersion(rawValue: 1), keyspaces: [hash, range],
            shards: shards, nodes: [settings.node])
        return HeartbeatAnswer(cluster: cluster, term: Term(rawValue: 1), delta: delta)
    }

    mutating func give(_ bytes: [UInt8], to index: Int) {
        guard clients[index].isOpen else { return }
        bytes.withByteView { view in
            var place = 0
            // Whatever is incomplete at a piece's end is dropped, the next piece begins anew.
            var parser = RequestParser()
            while true {
                let result = parser.parse(
                    view[place..<view.count], connection: clients[index].connection, into: batch, limit: 64)
                place += result.consumed
                node.step(.commands(batch), now: now, effects: &effects)
                batch.removeAll()
                turn()
                guard result.isLimited, result.error == nil else { break }
            }
        }
    }

    /// Time goes on until all that waits was answered or refused.
    mutating func settle() {
        for _ in 0..<8 {
            now.monotonic += 2_000_000_000
            now.wall += 2000
            node.step(.tick, now: now, effects: &effects)
            turn()
        }
    }

    private mutating func turn() {
        now.monotonic += 1_000_000
        now.wall += 1
        for input in disk.takeAnswers() { node.step(input, now: now, effects: &effects) }
        node.endTurn(now: now, effects: &effects)
        for effect in effects.all {
            if case .close(let id) = effect, let index = clients.firstIndex(where: { $0.connection == id }) {
                clients[index].isOpen = false
            }
            disk.run(effect)
        }
        effects.removeAll()
        var given: [(id: ConnectionID, isClosing: Bool, bytes: [UInt8])] = []
        node.drainReplies { id, isClosing, bytes in
            given.append((id, isClosing, bytes.view.array))
            bytes.removeAll()
        }
        for (id, isClosing, bytes) in given {
            if let index = clients.firstIndex(where: { $0.connection == id }) {
                check(bytes, index)
                if isClosing { clients[index].isOpen = false }
            }
            if isClosing { node.close(id) }
        }
    }

    private mutating func check(_ bytes: [UInt8], _ index: Int) {
        clients[index].replies.append(bytes)
        do throws(ReplyError) {
            while try clients[index].replies.next() != nil {}
        } catch { preconditionFailure("the node's answer is no RESP: \(error)") }
        precondition(!clients[index].replies.isInsideReply, "half an answer was given")
    }
}

/// Rows in memory: batches are durable and applied when the next turn begins.
private final class MemoryDisk {
    private var rows: [StoreID: [[UInt8]: ([UInt8], Int64)]] = [:]
    private var open = ApplyQueue()
    private var answers: [DataInput] = []

    func takeAnswers() -> [DataInput] {
        let taken = answers
        answers = []
        return taken
    }

    func run(_ effect: DataEffect) {
        switch effect {
        case .openStore(let store, _): open.open(store)
        case .persist(let batch):
            open.add(batch)
            answers.append(.durable(through: batch.ticket))
        case .apply(let committed, let ticket): apply(committed, ticket)
        case .dropStore(let store): rows[store] = nil
        case .read(let asked):
            for index in asked.items.indices { answer(asked, index) }
            answers.append(.rows(asked))
        case .scan(let scan):
            scan.isComplete = true
            answers.append(.scanned(scan))
        default: break
        }
    }

    private func answer(_ asked: RowBatch, _ index: Int) {
        let row = rows[asked.items[index].store]?[asked.key(index).array]
        guard let (value, deadline) = row else { return asked.answer(index, .absent) }
        value.withByteView { asked.answer(index, value: $0, deadline: deadline) }
    }

    private func apply(_ committed: [CommitMark], _ ticket: UInt64) {
        var marks: [DataInput.Applied] = []
        open.commit(committed, durable: ticket)
        let taken = open.take(bytes: .max) { store, header, payload in
            if header.kind == .data { apply(payload, to: store) }
            marks.append(.init(store: store, epoch: header.epoch, seq: header.seq, bytes: 0))
        }
        answers.append(.applied(marks, spent: taken.spent))
    }

    private func apply(_ payload: ByteView, to store: StoreID) {
        var ops = OpCursor(payload)
        while let op = ops.next() {
            switch op {
            case .put(let key, let value, let deadline): rows[store, default: [:]][key.array] = (value.array, deadline)
            case .delete(let key): rows[store]?[key.array] = nil
            case .flush: rows[store] = nil
            case .time: break
            }
        }
        precondition(!ops.isDamaged, "the node logged ops that cannot be read")
    }
}
