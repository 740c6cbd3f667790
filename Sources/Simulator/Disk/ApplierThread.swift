import ClusterModel
import DataCore

/// A node's applier and flusher: committed batches reach the stores in order, some time later; once in a while the stores
/// reach table files and old segments of the log go.
final class ApplierThread {
    enum Job {
        case batch(LogBatch)
        case apply(through: UInt64)
        case open(StoreID, usesSlots: Bool)
        case drop(StoreID)
        case forgetHints(StoreID, through: [UInt8])
        case cut(StoreID, above: Seq, through: UInt64)
        case install(StoreID, SnapshotChunk)
    }

    private unowned let process: DataProcess
    private var jobs: [Job] = []
    private var waiting: [LogBatch] = []
    private var covered: UInt64 = 0
    private var isBusy = false
    /// Records that are void: of a store, above a seq, in batches up to a ticket.
    private var cuts: [(store: StoreID, above: Seq, through: UInt64)] = []
    /// Segment of the last batch that is wholly in the stores.
    private var generation: UInt64 = 0
    private var flushed: UInt64 = 0
    private var durable: UInt64 = 0

    /// Segments kept behind the one that is written, and segments between two flushes, as NodeRuntime's flusher has them.
    private static let retained: UInt64 = 4
    private static let segmentsPerFlush: UInt64 = 2

    init(process: DataProcess) { self.process = process }

    func start(_ recovered: [LogBatch]) {
        waiting = recovered
        flushed = process.disk.log.generation
        scheduleFlush()
    }

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
        for job in all {
            switch job {
            case .batch(let batch): waiting.append(batch)
            case .apply(let ticket): covered = max(covered, ticket)
            case .open(let store, let usesSlots): process.disk.openStore(store, usesSlots: usesSlots)
            case .drop(let store):
                while applyRound(.max) {}
                process.disk.dropStore(store)
            case .forgetHints(let store, let last): process.disk.forgetHints(store, through: last)
            case .cut(let store, let above, let through): cuts.append((store, above, through))
            case .install(let store, let chunk):
                process.disk.install(chunk, store)
                process.arrive(.input(.installed(store, number: chunk.number)))
            }
        }
        if applyRound(process.batchesPerRound) { wake() }
    }

    /// Applies some batches that are committed. Whether there are more.
    private func applyRound(_ limit: Int) -> Bool {
        var spent: [LogBatch] = []
        var marks: [StoreID: DataInput.Applied] = [:]
        while spent.count < limit, spent.count < waiting.count, waiting[spent.count].ticket <= covered {
            let ticket = waiting[spent.count].ticket
            process.disk.apply(waiting[spent.count], &marks) { [cuts] store, seq in
                cuts.contains { $0.store == store && seq > $0.above && ticket <= $0.through }
            }
            spent.append(waiting[spent.count])
        }
        guard let last = spent.last else { return false }
        waiting.removeFirst(spent.count)
        cuts.removeAll { $0.through <= last.ticket }
        generation = max(generation, last.generation)
        process.arrive(.input(.applied(marks.values.sorted { $0.store < $1.store }, spent: spent)))
        return waiting.first.map { $0.ticket <= covered } ?? false
    }

    // MARK: Flushing

    private func scheduleFlush() {
        process.after(1_000_000_000) { [self] in
            flushIfDue()
            scheduleFlush()
        }
    }

    private func flushIfDue() {
        let log = process.disk.log
        if generation >= flushed + Self.segmentsPerFlush {
            process.disk.flush()
            flushed = generation
            durable = generation
        }
        let oldest = log.oldestGeneration
        guard log.generation > oldest + Self.retained, durable > oldest else { return }
        log.release(below: min(durable, log.generation - Self.retained))
    }
}
