internal import CSystemCalls
internal import ClusterModel
internal import DataCore
internal import Foundation
internal import Glibc
internal import LevelStore
internal import Synchronization

/// The thread that brings committed records to LevelDB, in order, many batches at once, and opens and drops stores.
///
/// It never syncs LevelDB: after a crash the log has what LevelDB lost. `applied` is written with the rows it stands for.
final class Applier: @unchecked Sendable {
    enum Job {
        /// A batch was persisted; its records may be applied once `apply` covers them.
        case batch(LogBatch)
        case apply([CommitMark], durable: UInt64)
        case open(StoreID, usesSlots: Bool, isNew: Bool)
        case drop(StoreID)
        case forgetHints(StoreID, through: [UInt8])
        /// Records of a store above a seq, in batches up to a ticket, are void.
        case cut(StoreID, above: Seq, through: UInt64)
        /// Rows of a snapshot.
        case install(StoreID, SnapshotChunk)
    }

    struct Counters: Sendable {
        var rounds: UInt64 = 0
        var rows: UInt64 = 0
        /// Time in LevelDB's writes, ns, and the longest of them since it was last asked.
        var nanos: UInt64 = 0
        var longestNanos: UInt64 = 0
    }

    let stores: ShardStores
    private let queue = WorkQueue<Job>()
    private let isApplied: ([DataInput.Applied], [LogBatch]) -> Void
    private let secureLog: () throws -> Void
    private let isInstalled: (StoreID, SnapshotChunk) -> Void
    private let failed: (DiskError) -> Void
    private let lock = Mutex(Shared())
    private var worker: Worker?

    private struct Shared {
        var counters = Counters()
        /// Segment of the last batch that is wholly in the stores.
        var generation: UInt64 = 0
    }

    // Of the thread alone.
    private var waiting: ApplyQueue
    private var sizes: [StoreID: UInt64] = [:]
    private var lastSizes: UInt64 = 0
    private let changes = LevelBatch()
    private var row = ByteBuffer(capacity: 256)
    private var value = ByteBuffer(capacity: 1024)

    /// Bytes of batches that one round takes.
    private static let roundBytes = 8 << 20
    /// How long the first batch waits for more in any case ...
    private static let gatherMicros: UInt32 = 20_000
    /// ... and then, unless somebody waits for it ...
    private static let gatherSeconds = 0.5
    /// ... or so many bytes came together.
    private static let gatherBytes = 4 << 20
    static let niceness: Int32 = 10
    /// Bytes of one LevelDB write.
    private static let writeBytes = 4 << 20

    /// - Parameter secureLog: makes durable what the log has of the rows that are about to be written.
    init(
        stores: ShardStores, applied: [StoreID: Seq], secureLog: @escaping () throws -> Void = {},
        isApplied: @escaping ([DataInput.Applied], [LogBatch]) -> Void,
        isInstalled: @escaping (StoreID, SnapshotChunk) -> Void = { _, _ in }, failed: @escaping (DiskError) -> Void
    ) {
        self.stores = stores
        waiting = ApplyQueue(applied: applied)
        self.secureLog = secureLog
        self.isApplied = isApplied
        self.isInstalled = isInstalled
        self.failed = failed
        worker = Worker("applier") { [self] in run() }
    }

    func add(_ job: Job) {
        switch job {
        case .batch(let batch): queue.add(job, weight: batch.byteCount)
        case .apply: queue.add(job)
        case .open(let store, _, _):
            stores.announce(store)
            queue.add(job)
            queue.hurry()
        case .drop, .forgetHints, .cut, .install:
            queue.add(job)
            queue.hurry()
        }
    }

    /// Somebody waits until what was added is in the stores.
    func hurry() { queue.hurry() }

    /// Does what waits, then ends the thread.
    func stop() {
        queue.close()
        worker?.wait()
    }

    var counters: Counters {
        lock.withLock { shared in
            let counters = shared.counters
            shared.counters.longestNanos = 0
            return counters
        }
    }

    /// All batches of segments before this one are in the stores.
    var generation: UInt64 { lock.withLock { $0.generation } }

    // MARK: The thread

    private func run() {
        // What clients wait for goes first: they never wait for LevelDB but when the backlog is full, and then nothing
        // else has work. LevelDB's own thread, begun by this one, inherits it.
        _ = ostraka_set_thread_nice(Self.niceness)
        do {
            while let jobs = queue.takeAll() {
                for job in jobs { try take(job) }
                try gather()
                while try applyRound() {}
            }
        } catch {
            failed(DiskError(error))
        }
    }

    /// Lets the batches of many turns come together. A write to each of many stores costs more than the rows; the more rows
    /// one has, the nearer neighbours lie in LevelDB's memory table, whose cache misses are what a row costs; and of a key
    /// that is set again meanwhile one row is written.
    private func gather() throws {
        guard !waiting.isEmpty else { return }
        usleep(Self.gatherMicros)
        for job in queue.gather(within: Self.gatherSeconds, weight: Self.gatherBytes) ?? [] { try take(job) }
    }

    private func take(_ job: Job) throws {
        switch job {
        case .batch(let batch): waiting.add(batch)
        case .apply(let marks, let ticket): waiting.commit(marks, durable: ticket)
        case .open(let store, let usesSlots, let isNew):
            if stores.database(openNow: store) == nil {
                try stores.open(store, usesSlots: usesSlots, isNew: isNew)
            }
            waiting.open(store)
        case .drop(let store):
            while try applyRound() {}
            waiting.drop(store)
            sizes[store] = nil
            try stores.drop(store)
        case .forgetHints(let store, let through): try forgetHints(store, through)
        case .cut(let store, let above, let through): waiting.cut(store, above: above, through: through)
        case .install(let store, let chunk): try install(chunk, store)
        }
    }

    /// Applies some batches that are committed. Returns whether there may be more.
    private func applyRound() throws -> Bool {
        let round = ApplyRound()
        let taken = waiting.take(bytes: Self.roundBytes) { round.take($0, $1, $2) }
        var marks: [DataInput.Applied] = []
        if !round.parts.isEmpty { try secureLog() }
        for part in round.parts {
            guard let database = stores.database(openNow: part.store) else { continue }
            try write(part, database)
            marks.append(
                DataInput.Applied(
                    store: part.store, epoch: part.epoch, seq: part.seq, bytes: size(part.store, database)))
        }
        let generation = waiting.generation
        lock.withLock { $0.generation = max($0.generation, generation) }
        if !marks.isEmpty || !taken.spent.isEmpty { isApplied(marks, taken.spent) }
        return taken.isMore
    }

    private func write(_ part: ApplyRound.Part, _ database: LevelDatabase) throws {
        let start = Clocks.monotonic()
        let usesSlots = stores.usesSlots(part.store)
        changes.removeAll()
        if part.flushes { try clear(database) }
        let order = part.inRowOrder(usesSlots: usesSlots)
        for (prefix, place) in order {
            let op = part.ops[place]
            row.removeAll()
            RowKey.write(op.key, prefix: usesSlots ? prefix : nil, to: &row)
            if op.isDelete {
                changes.delete(row.view)
            } else {
                value.removeAll()
                StoredValue.write(op.value, deadline: op.deadline, to: &value)
                changes.put(row.view, value.view)
                if op.deadline != 0 { hint(op) }
            }
        }
        value.removeAll()
        value.append(littleEndian: part.epoch.rawValue)
        value.append(littleEndian: part.seq.rawValue)
        RowKey.applied.withByteView { changes.put($0, value.view) }
        try database.write(changes)
        note(rows: order.count, nanos: Clocks.monotonic() - start)
    }

    private func hint(_ op: ApplyRound.Op) {
        row.removeAll()
        RowKey.writeHint(deadline: op.deadline, key: op.key, to: &row)
        changes.put(row.view, .empty)
    }

    /// FLUSHALL: every data row and hint goes before what came after it.
    private func clear(_ database: LevelDatabase) throws {
        let rows = database.iterator(fillsCache: false)
        [RowKey.dataKind].withByteView { rows.seek($0) }
        while rows.isValid {
            changes.delete(rows.key)
            rows.next()
            if changes.bytes > Self.writeBytes {
                try database.write(changes)
                changes.removeAll()
            }
        }
        try rows.check()
    }

    /// A chunk of a snapshot. The first finds the store empty or makes it so; after the last the store is durable and says
    /// what it stands for.
    private func install(_ chunk: SnapshotChunk, _ store: StoreID) throws {
        guard let database = stores.database(openNow: store) else { return }
        changes.removeAll()
        if chunk.number == 0 { try clear(database) }
        for row in chunk.rows {
            row.key.withByteView { key in row.value.withByteView { changes.put(key, $0) } }
        }
        if chunk.isLast {
            value.removeAll()
            value.append(littleEndian: chunk.baseEpoch.rawValue)
            value.append(littleEndian: chunk.base.rawValue)
            RowKey.applied.withByteView { changes.put($0, value.view) }
        }
        try database.write(changes)
        if chunk.isLast {
            try ShardStores.makeDurable(database)
            waiting.skip(store, through: chunk.base)
        }
        isInstalled(store, chunk)
    }

    private func forgetHints(_ store: StoreID, _ through: [UInt8]) throws {
        guard let database = stores.database(openNow: store) else { return }
        changes.removeAll()
        let rows = database.iterator(fillsCache: false)
        [RowKey.hintKind].withByteView { rows.seek($0) }
        while rows.isValid, rows.key.count > 0, rows.key[0] == RowKey.hintKind,
            through.withByteView({ !$0.precedes(rows.key) })
        {
            changes.delete(rows.key)
            rows.next()
        }
        try rows.check()
        try database.write(changes)
    }

    /// Approximate bytes of a store; LevelDB is asked at most once a second.
    private func size(_ store: StoreID, _ database: LevelDatabase) -> UInt64 {
        let now = Clocks.monotonic()
        if now - lastSizes > 1_000_000_000 {
            lastSizes = now
            sizes.removeAll(keepingCapacity: true)
        }
        if let known = sizes[store] { return known }
        let size = database.approximateSize(from: [0], to: [255])
        sizes[store] = size
        return size
    }

    private func note(rows: Int, nanos: UInt64) {
        lock.withLock { shared in
            shared.counters.rounds += 1
            shared.counters.rows += UInt64(rows)
            shared.counters.nanos += nanos
            shared.counters.longestNanos = max(shared.counters.longestNanos, nanos)
        }
    }
}
