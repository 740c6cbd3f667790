public import ClusterModel

/// How far a store's records are committed, and durable in the log here.
public struct CommitMark: Hashable, Sendable {
    public var store: StoreID
    public var seq: Seq

    public init(store: StoreID, seq: Seq) {
        self.store = store
        self.seq = seq
    }
}

/// Batches on their way to the stores: which of their records may be applied, in the order of each store's log.
///
/// A store whose commits stand still (no primary just now, a copy that was left out) holds back its own records alone; its
/// batches stay until they are decided.
public struct ApplyQueue {
    private struct Waiting {
        var batch: LogBatch
        /// The first record of each store that was not committed at the last look; empty = not looked at.
        var lacks: [CommitMark] = []
    }

    private struct Cut {
        var store: StoreID
        var above: Seq
        /// The last batch that holds void records.
        var through: UInt64
    }

    private var waiting: [Waiting] = []
    private var committed: [StoreID: Seq] = [:]
    /// What the stores that are here hold. Records of others are nobody's: their lives ended, here or before this start, and a
    /// batch that waited for one of them would keep its segment for ever.
    private var done: [StoreID: Seq]
    private var cuts: [Cut] = []
    private var durable: UInt64 = 0
    /// Segment of the newest batch that was completed.
    private var newest: UInt64 = 0

    /// - Parameter applied: what the stores hold that are here already.
    public init(applied: [StoreID: Seq] = [:]) { done = applied }

    /// All batches of segments up to this one, inclusive, are wholly decided and applied.
    public var generation: UInt64 {
        guard let first = waiting.first else { return newest }
        return min(newest, first.batch.generation > 0 ? first.batch.generation - 1 : 0)
    }

    public var isEmpty: Bool { waiting.isEmpty }

    /// What the oldest batch waits for; empty = nothing, or it was not looked at.
    public var awaited: [CommitMark] { waiting.first?.lacks ?? [] }

    /// Adds a batch behind all earlier ones.
    public mutating func add(_ batch: LogBatch) { waiting.append(Waiting(batch: batch)) }

    /// - Parameter ticket: batches up to it are durable; the others are still being written and are not looked at.
    public mutating func commit(_ marks: [CommitMark], durable ticket: UInt64) {
        durable = max(durable, ticket)
        for mark in marks where mark.seq > committed[mark.store, default: .zero] { committed[mark.store] = mark.seq }
    }

    /// Records of a store above a seq, in batches up to a ticket, are void.
    public mutating func cut(_ store: StoreID, above seq: Seq, through ticket: UInt64) {
        cuts.append(Cut(store: store, above: seq, through: ticket))
        for index in waiting.indices { waiting[index].lacks = [] }
    }

    /// The store is here from now on; its records come later.
    public mutating func open(_ store: StoreID) { done[store] = done[store] ?? .zero }

    /// The store is dropped: its records are nobody's.
    public mutating func drop(_ store: StoreID) {
        done[store] = nil
        committed[store] = nil
    }

    /// The store holds everything up to a record that did not come by a batch.
    public mutating func skip(_ store: StoreID, through seq: Seq) {
        guard let held = done[store] else { return }
        done[store] = max(held, seq)
        committed[store] = max(committed[store, default: .zero], seq)
    }

    /// Hands over records that are committed, in order, until about so many bytes of batches were looked through.
    /// - Parameter body: gets each record once; the views are valid as long as the batch.
    /// - Returns: batches that are done with once what was handed over is in the stores, and whether the bound ended it.
    public mutating func take(
        bytes limit: Int, _ body: (StoreID, RecordHeader, ByteView) -> Void
    ) -> (spent: [LogBatch], isMore: Bool) {
        var spent: [LogBatch] = []
        var bytes = 0
        var isMore = false
        var kept = 0
        for index in waiting.indices {
            if bytes >= limit {
                isMore = true
                if kept < index { waiting.removeSubrange(kept..<index) }
                return (spent, isMore)
            }
            if waiting[index].batch.ticket <= durable, !isStuck(waiting[index]) {
                var entry = waiting[index]
                bytes += entry.batch.byteCount
                look(&entry, body)
                if entry.lacks.isEmpty {
                    spent.append(entry.batch)
                    newest = max(newest, entry.batch.generation)
                    continue
                }
                waiting[index] = entry
            }
            if kept < index { waiting[kept] = waiting[index] }
            kept += 1
        }
        waiting.removeSubrange(kept..<waiting.count)
        if !cuts.isEmpty {
            let oldest = waiting.first?.batch.ticket ?? .max
            cuts.removeAll { $0.through < oldest }
        }
        return (spent, isMore)
    }

    /// Whether nothing has changed for what the batch lacks.
    private func isStuck(_ entry: Waiting) -> Bool {
        guard !entry.lacks.isEmpty else { return false }
        return entry.lacks.allSatisfy {
            committed[$0.store, default: .zero] < $0.seq && isHere($0.store)
        }
    }

    private mutating func look(_ entry: inout Waiting, _ body: (StoreID, RecordHeader, ByteView) -> Void) {
        entry.lacks.removeAll(keepingCapacity: true)
        var store = StoreID(shard: .none, incarnation: .first)
        var covered = Seq.zero
        var applied = Seq.zero
        var isSomebodys = false
        var records = entry.batch.records
        func settle() { if applied > .zero { done[store] = applied } }
        while let (header, payload) = records.next() {
            guard header.kind.isNumbered else { continue }
            if header.shard != store.shard || header.incarnation != store.incarnation {
                settle()
                store = header.store
                isSomebodys = isHere(store)
                covered = committed[store, default: .zero]
                applied = done[store, default: .zero]
            }
            if header.seq <= applied || !isSomebodys || isVoid(header.seq, store, entry.batch.ticket) {
                continue
            }
            if header.seq <= covered {
                body(store, header, payload)
                applied = header.seq
            } else if !entry.lacks.contains(where: { $0.store == store }) {
                entry.lacks.append(CommitMark(store: store, seq: header.seq))
            }
        }
        settle()
    }

    private func isHere(_ store: StoreID) -> Bool { done[store] != nil || Mutant.e8KeepsEndedLives.isOn }

    private func isVoid(_ seq: Seq, _ store: StoreID, _ ticket: UInt64) -> Bool {
        cuts.contains { $0.store == store && seq > $0.above && ticket <= $0.through }
    }
}
