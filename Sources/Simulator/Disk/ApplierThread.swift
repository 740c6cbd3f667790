import ClusterModel
import DataCore

/// A node's applier and flusher: committed batches reach the stores in order, some time later; once in a while the stores
/// reach table files and old segments of the log go.
final class ApplierThread {
    enum Job {
        case batch(LogBatch)
        case apply([CommitMark], durable: UInt64)
        case open(StoreID, usesSlots: Bool)
        case drop(StoreID)
        case forgetHints(StoreID, through: [UInt8])
        case cut(StoreID, above: Seq, through: UInt64)
        case install(StoreID, SnapshotChunk)
    }

    private unowned let process: DataProcess
    private var jobs: [Job] = []
    private var waiting = ApplyQueue()
    private var isBusy = false
    /// Segment of the last batch that is wholly in the stores.
    private var generation: UInt64 = 0
    private var flushed: UInt64 = 0

    /// A write to a store did not go well: nothing follows it (RULES E6).
    private var hasFailed = false

    /// Segments kept behind the one that is written, and segments between two flushes, as NodeRuntime's flusher has them.
    private static let retained: UInt64 = 4
    private static let segmentsPerFlush: UInt64 = 2

    init(process: DataProcess) { self.process = process }

    func start(_ recovered: [LogBatch]) {
        waiting = ApplyQueue(applied: process.disk.applied)
        for batch in recovered { add(.batch(batch)) }
        flushed = process.disk.log.oldestGeneration
        scheduleFlush()
    }

    /// Whether all that the log holds is in the stores, or nobody's.
    var isIdle: Bool { jobs.isEmpty && waiting.isEmpty }
    var awaited: [CommitMark] { waiting.awaited }

    func add(_ job: Job) {
        jobs.append(job)
        wake()
    }

    private func wake() {
        guard !isBusy else { return }
        isBusy = true
        process.afterApplying { [self] in
            isBusy = false
            run()
        }
    }

    private func run() {
        let all = jobs
        jobs = []
        for job in all where !hasFailed {
            switch job {
            case .batch(let batch): waiting.add(batch)
            case .apply(let marks, let ticket): waiting.commit(marks, durable: ticket)
            case .open(let store, let usesSlots):
                guard check(process.disk.openStore(store, usesSlots: usesSlots)) else { return }
                waiting.open(store)
            case .drop(let store):
                while applyRound(.max) {}
                guard !hasFailed else { return }
                waiting.drop(store)
                process.disk.dropStore(store)
            case .forgetHints(let store, let last): check(process.disk.forgetHints(store, through: last))
            case .cut(let store, let above, let through): waiting.cut(store, above: above, through: through)
            case .install(let store, let chunk):
                guard check(process.disk.install(chunk, store)) else { return }
                if chunk.isLast { waiting.skip(store, through: chunk.base) }
                process.arrive(.input(.installed(store, lesson: chunk.lesson, number: chunk.number)))
            }
        }
        if !hasFailed, applyRound(process.bytesPerRound) { wake() }
    }

    /// Goes on, or has the process end: a store that could not be written is not written again (RULES E6).
    @discardableResult
    private func check(_ isWritten: Bool) -> Bool {
        if isWritten || Mutant.e6GoesOnAfterFailedWrite.isOn { return true }
        if !hasFailed { process.machine.failStop("there is no room for the stores", isSuspect: false) }
        hasFailed = true
        return false
    }

    /// Applies some records that are committed. Whether there are more.
    private func applyRound(_ bytes: Int) -> Bool {
        var marks: [StoreID: DataInput.Applied] = [:]
        // A row whose record the log has lost would be nobody's (RULES C16).
        if process.world.settings.syncInterval != nil { guard process.syncLog() else { return false } }
        let taken = waiting.take(bytes: bytes) {
            if !hasFailed { check(process.disk.apply($0, $1, $2, &marks)) }
        }
        guard !hasFailed else { return false }
        generation = max(generation, waiting.generation)
        if !marks.isEmpty || !taken.spent.isEmpty {
            process.arrive(.input(.applied(marks.values.sorted { $0.store < $1.store }, spent: taken.spent)))
        }
        return taken.isMore
    }

    // MARK: Flushing

    private func scheduleFlush() {
        process.after(1_000_000_000) { [self] in
            flushIfDue()
            process.disk.space.prepareSpare()
            scheduleFlush()
        }
    }

    private func flushIfDue() {
        let log = process.disk.log
        if generation >= flushed + Self.segmentsPerFlush {
            if !Mutant.e5DeletesUnflushed.isOn { guard check(process.disk.flush()) else { return } }
            flushed = generation
        }
        let oldest = log.oldestGeneration
        guard log.generation > oldest + Self.retained, flushed > oldest else { return }
        process.disk.releaseLog(below: min(flushed, log.generation - Self.retained))
    }
}
