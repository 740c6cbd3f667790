import ClusterModel
import DataCore

/// All records that any node logged: equal (shard, epoch, seq) are equal bytes (RULES I7), and what is committed at a seq
/// is one record for ever (I8).
final class RecordLedger {
    private unowned let world: World
    private var contents: [Name: UInt32] = [:]
    /// Each node's records by seq.
    private var logs: [Log: [Entry]] = [:]
    private var committed: [ShardID: [Entry]] = [:]
    /// The first record of each epoch.
    private var starts: [Name: Seq] = [:]
    /// The highest epoch in which a replica gave its primary a word.
    private var answered: [Store: Epoch] = [:]
    /// Lives of replicas that ended: nobody acts by their number any more (RULES C14).
    private var ended: Set<Store> = []
    /// Nodes whose disks an older copy has taken the place of, and that have not started since.
    private var rewound: Set<Int> = []
    /// Nodes that have come back with an older directory and do not have again yet what they had.
    private var outdated: Set<Int> = []
    /// How often that happened to each node.
    private(set) var rewinds: [Int: Int] = [:]
    /// The epochs of the records that were once on each log's disk, by seq; what a snapshot stands for counts as any.
    private var synced: [Log: [Epoch]] = [:]
    /// What was, of nodes that are outdated: what they said before they were set back may arrive after it.
    private var syncedBefore: [Log: [Epoch]] = [:]

    private struct Name: Hashable {
        var shard: ShardID
        var epoch: Epoch
        var seq: Seq
    }

    private struct Store: Hashable {
        var node: Int
        var shard: ShardID
        var incarnation: Incarnation
    }

    private struct Log: Hashable {
        var node: Int
        var shard: ShardID
    }

    /// The record at a seq: its epoch, and whether it changes rows. Epoch none = not known.
    private struct Entry {
        var epoch = Epoch.none
        var isData = false
    }

    init(world: World) { self.world = world }

    /// A node gives a batch to its log.
    func logged(_ batch: LogBatch, node: Int) {
        batch.forEachRecord { header, payload in
            guard header.kind.isNumbered else { return noteControl(header, node) }
            let name = Name(shard: header.shard, epoch: header.epoch, seq: header.seq)
            let content = Checksum.of(payload) &+ UInt32(header.kind.rawValue)
            if let known = contents[name], known != content {
                violate(
                    "I7: \(world.nodes[node].id) logs another record \(header.seq) of epoch \(header.epoch) of shard "
                        + "\(header.shard)")
            }
            contents[name] = content
            if header.kind == .epochStart { noteStart(header) } else { checkMembers(header, payload, node) }
            let place = Int(header.seq.rawValue)
            if place == 1 { startAgain(header) }
            let log = Log(node: node, shard: header.shard)
            while logs[log, default: []].count < place { logs[log, default: []].append(Entry()) }
            logs[log]?[place - 1] = Entry(epoch: header.epoch, isData: header.kind == .data)
        }
    }

    /// I8: what is committed is not cut off.
    private func checkCut(_ log: Log, above kept: Int) {
        guard let own = logs[log], let known = committed[log.shard] else { return }
        for place in kept..<max(kept, min(own.count, known.count))
        where known[place].epoch != .none && own[place].epoch == known[place].epoch {
            return violate(
                "I8: \(world.nodes[log.node].id) cuts record \(place + 1) of epoch \(own[place].epoch) of shard "
                    + "\(log.shard), which is committed")
        }
    }

    /// C10: nothing is written in a configuration with fewer members than min-in-sync; that a read found a row's deadline
    /// passed is noted (A13).
    private func checkMembers(_ header: RecordHeader, _ payload: ByteView, _ node: Int) {
        guard let configuration = world.map.configuration(header.shard, header.epoch),
            configuration.members.count < configuration.policy.minInSync, !isExpiry(payload)
        else { return }
        violate(
            "C10: \(world.nodes[node].id) writes record \(header.seq) of shard \(header.shard) in epoch \(header.epoch), "
                + "which has \(configuration.members.count) members")
    }

    /// Whether a record says no more than that rows have gone at a time.
    private func isExpiry(_ payload: ByteView) -> Bool {
        var ops = OpCursor(payload)
        var hasTime = false
        while let op = ops.next() {
            switch op {
            case .time: hasTime = true
            case .delete: break
            case .put, .flush: return false
            }
        }
        return hasTime
    }

    private func noteStart(_ header: RecordHeader) {
        starts[Name(shard: header.shard, epoch: header.epoch, seq: .zero)] = header.seq
    }

    /// The first record of an epoch, if there is one yet.
    func start(_ shard: ShardID, _ epoch: Epoch) -> Seq? { starts[Name(shard: shard, epoch: epoch, seq: .zero)] }

    /// A log is cut, begins anew behind a snapshot, or ends.
    private func noteControl(_ header: RecordHeader, _ node: Int) {
        let log = Log(node: node, shard: header.shard)
        switch header.kind {
        case .truncate:
            let kept = max(Int(header.seq.rawValue) - 1, 0)
            checkCut(log, above: kept)
            if let count = logs[log]?.count, count > kept { logs[log]?.removeLast(count - kept) }
        // A core logs a checkpoint when a snapshot is in its store.
        case .snapshot, .checkpoint: logs[log] = [Entry](repeating: Entry(), count: Int(header.seq.rawValue))
        case .drop:
            ended.insert(Store(node: node, shard: header.shard, incarnation: header.incarnation))
            logs[log] = nil
            synced[log] = nil
        case .data, .epochStart, .promise: break
        }
    }

    /// A node's log has a batch on its disk.
    func synced(_ batch: LogBatch, node: Int) {
        batch.forEachRecord { header, _ in
            let log = Log(node: node, shard: header.shard)
            if header.kind.isNumbered {
                set(log, header.seq, header.epoch)
            } else if header.kind == .snapshot || header.kind == .checkpoint {
                synced[log] = [Epoch](repeating: Self.any, count: Int(header.seq.rawValue))
            } else if header.kind == .drop {
                synced[log] = nil
            }
        }
    }

    private static let any = Epoch(rawValue: .max)

    private func set(_ log: Log, _ seq: Seq, _ epoch: Epoch) {
        while UInt64(synced[log, default: []].count) < seq.rawValue { synced[log, default: []].append(.none) }
        synced[log]?[Int(seq.rawValue) - 1] = epoch
    }

    /// A node starts with a replica's log: what it read counts as durable from here on.
    func recovered(_ replica: RecoveredNode.Replica, node: Int) {
        let log = Log(node: node, shard: replica.shard)
        let read = Self.entries(of: replica)
        if rewound.contains(node) { logs[log] = read }
        let last = Int(replica.last.rawValue)
        guard var own = logs[log] else { return }
        // What it had logged behind that, and not synced, is gone; and so is what had taken the place of a record that was
        // cut, where the cut was not synced either.
        if own.count > last { own.removeLast(own.count - last) }
        for (place, found) in read.enumerated().prefix(own.count)
        where own[place].epoch != .none && found.epoch != .none && own[place].epoch != found.epoch {
            own[place] = found
        }
        logs[log] = own
        for place in 0..<min(last, own.count) {
            set(log, Seq(rawValue: UInt64(place + 1)), own[place].epoch == .none ? Self.any : own[place].epoch)
        }
    }

    /// The records of a log by the epochs that it knows of. Behind the first of an epoch each counts as one with rows.
    private static func entries(of replica: RecoveredNode.Replica) -> [Entry] {
        var entries = [Entry](repeating: Entry(), count: Int(replica.last.rawValue))
        for start in replica.epochs where start.first <= replica.last && start.first > .zero {
            for place in Int(start.first.rawValue) - 1..<entries.count {
                entries[place] = Entry(epoch: start.epoch, isData: place >= Int(start.first.rawValue))
            }
        }
        return entries
    }

    /// An older copy takes the place of a node's disk: what it has forgotten is no break of a promise, and lives that have
    /// ended since go on.
    func rewind(node: Int) {
        rewound.insert(node)
        rewinds[node, default: 0] += 1
        outdated.insert(node)
        for store in answered.keys where store.node == node { answered[store] = nil }  // order-free: all go
        for log in logs.keys where log.node == node { logs[log] = nil }  // order-free: all go
        for log in synced.keys where log.node == node {  // order-free: all go
            syncedBefore[log] = synced.removeValue(forKey: log)
        }
        ended = ended.filter { $0.node != node }
    }

    /// Whether a node came back with an older directory and still lacks what it had in one of its replicas.
    func isOutdated(node: Int) -> Bool {
        guard outdated.contains(node) else { return false }
        let lacks = world.map.shards.contains { shard in
            shard.replica(on: world.nodes[node].id).map { lacking(shard.id, $0.incarnation, node: node) != nil }
                ?? false
        }
        if !lacks {
            outdated.remove(node)
            syncedBefore = syncedBefore.filter { $0.key.node != node }
        }
        return lacks
    }

    /// Whether a member's node has ever come back with an older directory.
    func wasSetBack(_ member: Member) -> Bool {
        world.index(of: member.node).map { rewinds[$0] != nil } ?? false
    }

    /// A node has started with what its disk holds.
    func started(node: Int) { rewound.remove(node) }

    /// A replica tells its primary that it follows it in an epoch.
    func answered(_ shard: ShardID, _ incarnation: Incarnation, node: Int, in epoch: Epoch) {
        let store = Store(node: node, shard: shard, incarnation: incarnation)
        if epoch > answered[store, default: .none] { answered[store] = epoch }
    }

    /// I2: what a replica has answered in, it knows after a restart (RULES C3).
    func checkPromise(_ replica: RecoveredNode.Replica, node: Int) {
        let store = Store(node: node, shard: replica.shard, incarnation: replica.incarnation)
        guard let highest = answered[store], replica.configuration.epoch < highest else { return }
        violate(
            "I2: \(world.nodes[node].id) answered in epoch \(highest) of shard \(replica.shard) and starts in epoch "
                + "\(replica.configuration.epoch)")
    }

    /// The first committed record that a replica never had on its disk, if there is one. One whose life has ended lacks
    /// nothing: it never answers again.
    func lacking(_ shard: ShardID, _ incarnation: Incarnation, node: Int) -> Seq? {
        guard let known = committed[shard],
            !ended.contains(Store(node: node, shard: shard, incarnation: incarnation))
        else { return nil }
        let own = synced[Log(node: node, shard: shard)] ?? []
        for place in known.indices where known[place].epoch != .none {
            let has = place < own.count ? own[place] : .none
            if has != Self.any, has != known[place].epoch { return Seq(rawValue: UInt64(place + 1)) }
        }
        return nil
    }

    /// Whether the life of a replica that a member names has ended.
    func hasEnded(_ shard: ShardID, _ member: Member) -> Bool {
        guard let node = world.index(of: member.node) else { return false }
        return ended.contains(Store(node: node, shard: shard, incarnation: member.incarnation))
    }

    /// The seq of the last record that a node logged of a shard.
    func length(_ shard: ShardID, node: Int) -> Int { logs[Log(node: node, shard: shard)]?.count ?? 0 }

    /// Whether a node had on its disk the record that another has at a seq.
    func holds(_ shard: ShardID, _ seq: Seq, node: Int, as other: Int) -> Bool {
        let place = Int(seq.rawValue) - 1
        guard place >= 0 else { return true }
        let log = Log(node: node, shard: shard)
        let wanted = logs[Log(node: other, shard: shard)].flatMap { place < $0.count ? $0[place].epoch : nil } ?? .none
        return [synced[log], syncedBefore[log]].contains { own in
            guard let own, place < own.count, own[place] != .none else { return false }
            return wanted == .none || own[place] == Self.any || own[place] == wanted
        }
    }

    /// A shard that never held a row may begin again elsewhere, without its log.
    private func startAgain(_ header: RecordHeader) {
        guard let known = committed[header.shard], let first = known.first, first.epoch != .none,
            first.epoch < header.epoch, !known.contains(where: \.isData)
        else { return }
        committed[header.shard] = nil
    }

    /// A node knows its records behind one seq up to another to be committed.
    func committed(_ shard: ShardID, node: Int, from: Seq, through: Seq) {
        guard let own = logs[Log(node: node, shard: shard)], through > from else { return }
        var known = committed[shard, default: []]
        while UInt64(known.count) < through.rawValue { known.append(Entry()) }
        for place in Int(from.rawValue)..<Int(through.rawValue) where place < own.count && own[place].epoch != .none {
            if known[place].epoch == .none {
                known[place] = own[place]
            } else if known[place].epoch != own[place].epoch {
                violate(
                    "I8: \(world.nodes[node].id) commits record \(place + 1) of epoch \(own[place].epoch) of shard "
                        + "\(shard), where epoch \(known[place].epoch)'s was committed")
            }
        }
        committed[shard] = known
    }

    private func violate(_ text: String) { world.violate(.invariant, text) }
}
