internal import CSystemCalls
internal import ClusterModel
internal import DataCore
internal import Foundation
internal import LevelStore

/// Brings what is applied into LevelDB's table files, and lets old segments of the log go.
///
/// A segment is needed until every shard in it is in table files: LevelDB's own logs are never synced, and after a power cut
/// an older of them may have lost what a newer one still has (RULES E5). Beyond that `retained` segments are kept for
/// catch-up. Each store notes how much of it is durable; recovery goes on from there, not from what LevelDB seems to hold.
final class Flusher: @unchecked Sendable {
    private let writer: LogWriter
    private let applier: Applier
    private let failed: (DiskError) -> Void
    private let isDiskLow: () -> Bool
    private let retained: UInt64
    private static let segmentsPerFlush: UInt64 = 2
    private let condition = Condition()
    private var isStopping = false
    private var worker: Worker?

    // Of the thread alone, then of `stop`.
    private var oldest: UInt64
    /// Segments before this one are durable in table files, or older than the log.
    private var flushed: UInt64

    /// - Parameters:
    ///   - oldest: the oldest segment there is.
    ///   - retained: segments kept behind the one that is written.
    ///   - isDiskLow: whether what room is left is not for spare segments.
    ///   - failed: told from the thread, once: a flush failed, and nothing is released any more.
    init(
        writer: LogWriter, applier: Applier, oldest: UInt64, retained: UInt64 = 4, period: TimeInterval = 1,
        isDiskLow: @escaping () -> Bool = { false }, failed: @escaping (DiskError) -> Void
    ) {
        self.writer = writer
        self.applier = applier
        self.oldest = oldest
        self.isDiskLow = isDiskLow
        self.retained = retained
        self.failed = failed
        // What earlier starts wrote counts: of many that were killed before they had written so much, none would flush, and
        // each would have to do again what all before it did.
        flushed = oldest
        worker = Worker("flusher") { [self] in run(period) }
    }

    /// Ends the thread and makes durable what is applied, so that the next start has nothing to do again. Call it when the
    /// applier has stopped.
    func stop() {
        halt()
        do {
            try flush()
        } catch {
            failed(error)
        }
    }

    /// Ends the thread alone.
    func halt() {
        condition.lock()
        isStopping = true
        condition.broadcast()
        condition.unlock()
        worker?.wait()
    }

    private func run(_ period: TimeInterval) {
        // As the applier: LevelDB's own thread may be begun by this one, and inherits it.
        _ = ostraka_set_thread_nice(Applier.niceness)
        condition.lock()
        defer { condition.unlock() }
        while !isStopping {
            _ = condition.wait(until: Condition.Limit(after: period))
            if isStopping { return }
            condition.unlock()
            defer { condition.lock() }
            do {
                try flushIfDue()
                if !isDiskLow() { writer.prepareSpare() }
            } catch {
                return failed(error)
            }
        }
    }

    /// Once for every few segments: that bounds what a restart has to do again, and lets LevelDB write tables of some size.
    private func flushIfDue() throws(DiskError) {
        // Asked before the flush: what was applied by then is in table files after it.
        let applied = applier.generation
        if applied >= flushed + Self.segmentsPerFlush {
            try flush()
            flushed = applied
        }
        let newest = writer.generation
        guard newest > oldest + retained, flushed > oldest else { return }
        let keep = min(flushed, newest - retained)
        try writer.release(below: keep)
        oldest = keep
    }

    private func flush() throws(DiskError) {
        for (id, database) in applier.stores.all {
            do {
                try ShardStores.makeDurable(database)
            } catch {
                // A store that was dropped meanwhile has lost its directory.
                if applier.stores.database(openNow: id) === database { throw DiskError("store \(id)", error) }
            }
        }
    }
}
