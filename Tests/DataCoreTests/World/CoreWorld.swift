import ClusterModel

@testable import DataCore

/// Some whole data nodes with a virtual disk each, virtual links and a metadata group that never fails, all from one seed.
/// What happens next is drawn by chance: a sync, an apply, an answer of a reader, a frame, a crash, a cut.
final class CoreWorld {
    /// One node's life.
    final class Member {
        let id: NodeID
        let disk = VirtualDisk()
        var node: DataNode?
        var isUp = false
        var boot: UInt64 = 0
        var reads: [RowBatch] = []
        var scans: [Scan] = []
        var applyThrough: UInt64 = 0
        var beats: [Heartbeat] = []
        var replies: [ConnectionID: [UInt8]] = [:]
        var closed: Set<ConnectionID> = []

        init(_ id: NodeID) { self.id = id }
    }

    enum Frame {
        case commands([UInt8])
        case replies([UInt8])
        case release(Release)
    }

    /// Frames from one node to another, in order; a break loses all that are under way.
    final class Link {
        var frames: [Frame] = []
        var number: UInt64
        init(number: UInt64) { self.number = number }
    }

    struct Pair: Hashable { var from: Int, to: Int }

    var chance: Entropy
    private(set) var now = Tick(monotonic: 1_000_000_000, wall: 1_700_000_000_000)
    private(set) var members: [Member] = []
    private var links: [Pair: Link] = [:]
    private var nextLink: UInt64 = 1
    private var map: RouteDelta
    private let cacheBytes: Int
    /// Nodes that are down until this time, ns.
    private var downUntil: [Int: UInt64] = [:]

    static let cluster = UniqueID(high: 7, low: 7)

    init(seed: UInt64, nodes: Int = 3, shards: Int = 6, cacheBytes: Int = 1 << 20) {
        chance = Entropy(seed: seed)
        self.cacheBytes = cacheBytes
        let keyspace = Keyspace(
            id: KeyspaceID(rawValue: 1), name: "default", scheme: SchemeParameters(kind: .hash, shards: shards),
            policy: ReplicationPolicy(replicas: 1))
        map = RouteDelta(
            cluster: Self.cluster, since: .zero, version: RouteVersion(rawValue: 1), keyspaces: [keyspace])
        for index in 0..<nodes { members.append(Member(NodeID(rawValue: "d\(index + 1)"))) }
        let width = 16384 / shards
        for index in 0..<shards {
            let to = index == shards - 1 ? 16384 : (index + 1) * width
            map.shards.append(
                ShardConfiguration(
                    id: ShardID(rawValue: UInt64(index + 1)), keyspace: keyspace.id, epoch: .none,
                    range: .slots(from: UInt16(index * width), to: UInt16(to)), policy: keyspace.policy,
                    members: [Member.name(index % nodes)], proposal: Proposal(proposer: "test", request: 1),
                    primaryBoot: BootNonce(rawValue: 0)))
        }
        for index in members.indices { boot(index) }
    }

    // MARK: Life and death

    private func settings(_ index: Int) -> DataSettings {
        let address = Address(host: "127.0.0.1", port: 7000 + index)
        var settings = DataSettings(
            id: members[index].id, store: UniqueID(high: UInt64(index + 1), low: 1),
            boot: BootNonce(rawValue: members[index].boot), address: address, gateway: address, peer: address,
            seed: chance.next())
        settings.cacheBytes = cacheBytes
        settings.gatewayTimeoutMillis = 2000
        return settings
    }

    /// Starts a node on what its disk holds; the metadata group gives its shards new epochs (RULES C11).
    private func boot(_ index: Int) {
        let member = members[index]
        member.boot += 1 + chance.next() % 1000
        let settings = settings(index)
        map.version = map.version.successor ?? map.version
        for shard in map.shards.indices where map.shards[shard].primary?.node == member.id {
            map.shards[shard].epoch = map.shards[shard].epoch.successor ?? map.shards[shard].epoch
            map.shards[shard].primaryBoot = settings.boot
        }
        map.nodes.removeAll { $0.id == member.id }
        map.nodes.append(settings.node)
        member.node = DataNode(settings: settings, now: now)
        member.isUp = true
        member.applyThrough = 0
        feed(index, .recovered(member.disk.recovered(cluster: Self.cluster)))
        endTurn(index)
    }

    /// Power cut of one node; it comes back after a while.
    func crash(_ index: Int) {
        let member = members[index]
        guard member.isUp else { return }
        member.node = nil
        member.isUp = false
        member.disk.crash(keepsStores: chance.next() % 2 == 0)
        member.reads = []
        member.scans = []
        member.beats = []
        member.replies = [:]
        for other in members.indices where other != index {
            cut(other, index)
            cut(index, other)
        }
        downUntil[index] = now.monotonic + 50_000_000 + chance.next() % 300_000_000
    }

    var isDown: [Bool] { members.map { $0.isUp == false } }

    /// Breaks the link that `from` dialled to `to`, with all frames under way.
    func cut(_ from: Int, _ to: Int) {
        guard let link = links.removeValue(forKey: Pair(from: from, to: to)) else { return }
        if members[to].isUp { feed(to, .linkClosed(LinkID(number: link.number))) }
        if members[from].isUp { feed(from, .peerLost(members[to].id, nothingSent: false)) }
    }

    // MARK: The core

    private func feed(_ index: Int, _ input: DataInput) {
        guard members[index].isUp else { return }
        var effects = Effects<DataEffect>()
        members[index].node?.step(input, now: now, effects: &effects)
        run(effects.all, index)
    }

    private func endTurn(_ index: Int) {
        guard members[index].isUp else { return }
        var effects = Effects<DataEffect>()
        members[index].node?.endTurn(now: now, effects: &effects)
        run(effects.all, index)
        let member = members[index]
        member.node?.drainReplies { id, _, bytes in
            member.replies[id, default: []] += bytes.view.array
            bytes.removeAll()
        }
    }

    private func run(_ effects: [DataEffect], _ index: Int) {
        let member = members[index]
        for effect in effects {
            switch effect {
            case .persist(let batch): member.disk.persist(batch)
            case .apply(let ticket): member.applyThrough = max(member.applyThrough, ticket)
            case .openStore(let store, let usesSlots): member.disk.openStore(store, usesSlots: usesSlots)
            case .dropStore(let store): member.disk.dropStore(store)
            case .forgetHints(let store, let through): member.disk.forgetHints(store, through: through)
            case .read(let batch): member.reads.append(batch)
            case .scan(let scan): member.scans.append(scan)
            case .beat(let beat): member.beats.append(beat)
            case .forward(let node, let batch): send(.commands(batch.bytes.view.array), from: index, to: node)
            case .answer(let link, let batch): answer(batch, on: link)
            case .release(let node, let release): send(.release(release), from: index, to: node)
            case .close(let id): member.closed.insert(id)
            case .resumeReading, .note, .setting: break
            }
        }
    }

    private func send(_ frame: Frame, from index: Int, to node: NodeID) {
        guard let target = members.firstIndex(where: { $0.id == node }) else { return }
        guard members[target].isUp else { return feed(index, .peerLost(node, nothingSent: true)) }
        let pair = Pair(from: index, to: target)
        if links[pair] == nil {
            links[pair] = Link(number: nextLink)
            nextLink += 1
            feed(target, .linkOpened(LinkID(number: nextLink - 1), node: members[index].id))
        }
        links[pair]?.frames.append(frame)
    }

    /// Replies travel back on the link the commands came by.
    private func answer(_ batch: ForwardReplyBatch, on link: LinkID) {
        links.values.first { $0.number == link.number }?.frames.append(.replies(batch.bytes.view.array))
    }

    // MARK: What happens next

    /// One event.
    func tick() {
        now.monotonic += 200_000 + chance.next() % 2_000_000
        now.wall = 1_700_000_000_000 + Int64(now.monotonic / 1_000_000)
        for index in downUntil.keys.sorted() where downUntil[index].map({ $0 <= now.monotonic }) ?? false {
            downUntil[index] = nil
            boot(index)
        }
        let index = Int(chance.next() % UInt64(members.count))
        let member = members[index]
        guard member.isUp else { return }
        switch chance.next() % 8 {
        case 0, 1:
            if let ticket = member.disk.sync(1 + Int(chance.next() % 4)) { feed(index, .durable(through: ticket)) }
        case 2: apply(index)
        case 3: answerReads(index)
        case 4, 5: deliver(index)
        case 6: answerBeat(index)
        default:
            if chance.next() % 16 == 0 { member.disk.flush() }
            feed(index, .tick)
        }
        endTurn(index)
    }

    private func apply(_ index: Int) {
        let done = members[index].disk.apply(through: members[index].applyThrough, 1 + Int(chance.next() % 3))
        if !done.spent.isEmpty { feed(index, .applied(done.marks, spent: done.spent)) }
    }

    private func answerReads(_ index: Int) {
        let member = members[index]
        if !member.reads.isEmpty {
            let batch = member.reads.removeFirst()
            member.disk.answer(batch)
            feed(index, .rows(batch))
        } else if !member.scans.isEmpty {
            let scan = member.scans.removeFirst()
            member.disk.answer(scan)
            feed(index, .scanned(scan))
        }
    }

    private func answerBeat(_ index: Int) {
        guard !members[index].beats.isEmpty else { return }
        let beat = members[index].beats.removeFirst()
        guard beat.node.boot == BootNonce(rawValue: members[index].boot) else { return }
        feed(
            index,
            .beatAnswered(
                HeartbeatAnswer(
                    cluster: Self.cluster, term: Term(rawValue: 1),
                    delta: beat.routeVersion < map.version ? map : nil)))
    }

    /// One frame of one link that ends, or begins, at this node.
    private func deliver(_ index: Int) {
        let pairs = links.keys.filter { ($0.from == index || $0.to == index) && links[$0]?.frames.isEmpty == false }
            .sorted { ($0.from, $0.to) < ($1.from, $1.to) }
        guard !pairs.isEmpty else { return }
        let pair = pairs[Int(chance.next() % UInt64(pairs.count))]
        guard let link = links[pair] else { return }
        switch link.frames.removeFirst() {
        case .commands(let bytes):
            bytes.withByteView { feed(pair.to, .forwarded(link: LinkID(number: link.number), $0)) }
            endTurn(pair.to)
        case .replies(let bytes):
            bytes.withByteView { feed(pair.from, .forwardAnswered(from: members[pair.to].id, $0)) }
            endTurn(pair.from)
        case .release(let release):
            feed(pair.to, .released(release))
            endTurn(pair.to)
        }
    }

    // MARK: Clients

    func connect(_ index: Int, _ port: PortKind = .gateway) -> ConnectionID? {
        members[index].node?.open(port, Peer(address: "test", local: "test"), now: now)
    }

    func disconnect(_ index: Int, _ id: ConnectionID) { members[index].node?.close(id) }

    func send(_ index: Int, _ id: ConnectionID, _ commands: [[String]]) {
        let batch = CommandBatch()
        let words = commands.map { $0.map { Array($0.utf8) } }
        let bytes = Array(words.joined().joined()) + [0]
        bytes.withByteView { view in
            var place = 0
            for command in words {
                let first = batch.argumentCount
                for word in command {
                    batch.append(view[place..<place + word.count])
                    place += word.count
                }
                batch.finish(connection: id, first: first)
            }
            feed(index, .commands(batch))
        }
        endTurn(index)
    }

    /// Takes a complete reply of a connection, if there is one.
    func reply(_ index: Int, _ id: ConnectionID) -> String? {
        guard let bytes = members[index].replies[id], let end = ReplyText.end(bytes, 0) else { return nil }
        members[index].replies[id] = Array(bytes[end...])
        return String(decoding: bytes[..<end], as: UTF8.self)
    }

    /// Runs until a reply is there; nil when it does not come within so many events.
    func wait(_ index: Int, _ id: ConnectionID, events: Int = 20_000) -> String? {
        for _ in 0..<events {
            if let reply = reply(index, id) { return reply }
            tick()
        }
        return nil
    }

    func call(_ index: Int, _ id: ConnectionID, _ words: String...) -> String? {
        send(index, id, [words])
        return wait(index, id)
    }

    /// Gives a shard to another node by compare-and-set.
    func reassign(_ shard: Int, to index: Int) {
        let former = map.shards[shard].primary?.node
        map.version = map.version.successor ?? map.version
        map.shards[shard].epoch = map.shards[shard].epoch.successor ?? map.shards[shard].epoch
        map.shards[shard].members = [
            ClusterModel.Member(
                node: members[index].id, incarnation: Incarnation(rawValue: map.shards[shard].epoch.rawValue))
        ]
        map.shards[shard].primaryBoot = BootNonce(rawValue: members[index].boot)
        map.shards[shard].handedOverFrom = former
    }
}

extension CoreWorld.Member {
    static func name(_ index: Int) -> ClusterModel.Member {
        ClusterModel.Member(node: NodeID(rawValue: "d\(index + 1)"), incarnation: .first)
    }
}

/// Where a RESP2 reply ends.
enum ReplyText {
    static func end(_ bytes: [UInt8], _ start: Int) -> Int? {
        guard start < bytes.count, let line = lineEnd(bytes, start) else { return nil }
        let number = Int(String(decoding: bytes[start + 1..<line - 2], as: UTF8.self))
        switch bytes[start] {
        case UInt8(ascii: "$"):
            guard let number, number >= 0 else { return line }
            return line + number + 2 <= bytes.count ? line + number + 2 : nil
        case UInt8(ascii: "*"):
            var place = line
            for _ in 0..<max(number ?? 0, 0) {
                guard let next = end(bytes, place) else { return nil }
                place = next
            }
            return place
        default: return line
        }
    }

    private static func lineEnd(_ bytes: [UInt8], _ start: Int) -> Int? {
        var place = start
        while place + 1 < bytes.count {
            if bytes[place] == 13, bytes[place + 1] == 10 { return place + 2 }
            place += 1
        }
        return nil
    }
}
