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

    private struct Name: Hashable {
        var shard: ShardID
        var epoch: Epoch
        var seq: Seq
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
            let place = Int(header.seq.rawValue)
            if place == 1 { startAgain(header) }
            let log = Log(node: node, shard: header.shard)
            while logs[log, default: []].count < place { logs[log, default: []].append(Entry()) }
            logs[log]?[place - 1] = Entry(epoch: header.epoch, isData: header.kind == .data)
        }
    }

    /// A copy that is dropped has no records; one that begins behind a snapshot has none that were looked at.
    private func noteControl(_ header: RecordHeader, _ node: Int) {
        switch header.kind {
        case .drop, .checkpoint: logs[Log(node: node, shard: header.shard)] = nil
        case .truncate:
            let log = Log(node: node, shard: header.shard)
            let kept = Int(header.seq.rawValue) - 1
            if let own = logs[log], own.count > kept { logs[log] = Array(own.prefix(kept)) }
        case .data, .epochStart, .promise, .snapshot: break
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
