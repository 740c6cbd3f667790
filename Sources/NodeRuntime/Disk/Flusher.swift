internal import ClusterModel
internal import DataCore
internal import Foundation
internal import LevelStore

/// Lets old segments of the log go. A segment is needed until every shard in it is in LevelDB's table files, which a flush
/// of the memory buffers brings about (RULES E5), and beyond that for `retained` segments, kept for catch-up.
final class Flusher: @unchecked Sendable {
    private let writer: LogWriter
    private let applier: Applier
    private let condition = NSCondition()
    private var isStopping = false
    private var worker: Worker?
    private var oldest: UInt64

    /// Segments kept behind the one that is written.
    private static let retained: UInt64 = 4
    private static let period: TimeInterval = 1

    init(writer: LogWriter, applier: Applier, oldest: UInt64) {
        self.writer = writer
        self.applier = applier
        self.oldest = oldest
        worker = Worker("flusher") { [self] in run() }
    }

    func stop() {
        condition.lock()
        isStopping = true
        condition.broadcast()
        condition.unlock()
        worker?.wait()
    }

    private func run() {
        condition.lock()
        while !isStopping {
            _ = condition.wait(until: Date(timeIntervalSinceNow: Self.period))
            if isStopping { break }
            condition.unlock()
            flushIfDue()
            condition.lock()
        }
        condition.unlock()
    }

    private func flushIfDue() {
        guard writer.generation > oldest + Self.retained else { return }
        // What is applied before the flush is in table files after it.
        let applied = applier.generation
        guard applied > oldest else { return }
        for (_, database) in applier.stores.all { database.compact(from: RowKey.applied, to: RowKey.applied) }
        let keep = min(applied, writer.generation - Self.retained)
        writer.release(below: keep)
        oldest = keep
    }
}
