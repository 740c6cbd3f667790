internal import ClusterModel
internal import CoreMetrics
internal import Foundation
internal import Logging
internal import MetaCore
internal import SharedLog
internal import Synchronization

/// The shared log as the metadata core's effects use it: blocking calls on a thread of their own, answers as inputs.
final class MetaLog: @unchecked Sendable {
    enum Job {
        case append(LogPosition, LogEntry)
        case read(from: LogPosition, limit: Int)
        case fetch(RequestID, from: LogPosition, through: LogPosition)
        case save(MetaSnapshot)
    }

    private let log: any SharedLogStore
    private let queue = WorkQueue<Job>()
    private let answer: @Sendable (MetaInput) -> Void
    private let damaged: @Sendable (String) -> Void
    private let logger: Logger
    private var worker: Worker?
    private let isStopping = Atomic<Bool>(false)
    private let appendTime = CoreMetrics.Timer(label: "ostraka_meta_log_append")

    /// - Parameters:
    ///   - answer: told from the log's thread.
    ///   - damaged: the log holds what no metasrv writes, or cannot be trusted; nothing more is read or written.
    init(
        _ log: any SharedLogStore, logger: Logger, answer: @escaping @Sendable (MetaInput) -> Void,
        damaged: @escaping @Sendable (String) -> Void
    ) {
        self.log = log
        self.logger = logger
        self.answer = answer
        self.damaged = damaged
        worker = Worker("shared-log") { [self] in run() }
    }

    func add(_ job: Job) { queue.add(job) }

    /// Ends the thread behind what waits; an append whose outcome cannot be known now is left as it is.
    func stop() {
        isStopping.store(true, ordering: .relaxed)
        queue.close()
        worker?.wait()
    }

    /// The newest snapshot in a log, decoded; nil in a new one.
    static func snapshot(in log: any SharedLogStore) throws(SharedLogError) -> MetaSnapshot? {
        guard let found = try log.newestSnapshot() else { return nil }
        guard let snapshot = try? JSONDecoder().decode(MetaSnapshot.self, from: Data(found.bytes)) else {
            throw .damaged("the snapshot at \(found.position) is not one this version reads: restore the log directory")
        }
        return snapshot
    }

    private func run() {
        while let job = queue.takeOne() {
            do {
                try take(job)
            } catch {
                switch error {
                case .damaged(let text), .unusable(let text): return damaged(text)
                case .notWritten, .unknown, .unreadable: logger.warning("shared log: \(error)")
                }
            }
        }
    }

    private func take(_ job: Job) throws(SharedLogError) {
        switch job {
        case .append(let position, let entry): try append(entry, at: position)
        case .read(let position, let limit):
            do throws(SharedLogError) {
                switch try log.read(from: position, limit: limit) {
                case .entries(let records): answer(.tailed(records))
                case .trimmed:
                    guard let snapshot = try Self.snapshot(in: log) else {
                        throw SharedLogError.damaged("position \(position) was trimmed and no snapshot holds it")
                    }
                    answer(.restored(snapshot))
                }
            } catch {
                if case .damaged = error { throw error }
                answer(.readFailed(reason: "\(error)"))
            }
        case .fetch(let id, let from, let through):
            let count = Int(clamping: through.rawValue &- from.rawValue &+ 1)
            do throws(SharedLogError) {
                let floor = try log.floor()
                let reading = try log.read(from: max(from, floor), limit: max(count, 1))
                guard case .entries(let records) = reading else { return answer(.fetched(id, [])) }
                answer(.fetched(id, records.filter { $0.position <= through }))
            } catch {
                // The asker is not kept waiting; damage is told by the next read of the log itself.
                answer(.fetched(id, []))
                throw error
            }
        case .save(let snapshot):
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            guard let bytes = try? encoder.encode(snapshot) else { return }
            try log.save(snapshot: Array(bytes), at: snapshot.position)
        }
    }

    /// An outcome that is unknown is no answer: the same entry is tried until it is known (RULES B2).
    private func append(_ entry: LogEntry, at position: LogPosition) throws(SharedLogError) {
        var pause = 0.01
        let begun = Clocks.monotonic()
        while !isStopping.load(ordering: .relaxed) {
            do {
                let outcome = try log.append(entry, at: position)
                appendTime.recordNanoseconds(Int64(clamping: Clocks.monotonic() &- begun))
                return answer(.appended(position, outcome))
            } catch {
                switch error {
                case .notWritten(let reason): return answer(.appendFailed(position, reason: reason))
                case .damaged, .unusable: throw error
                case .unknown(let reason), .unreadable(let reason):
                    logger.warning("shared log: the outcome at \(position) is not known yet: \(reason)")
                    Thread.sleep(forTimeInterval: pause)
                    pause = min(pause * 2, 1)
                }
            }
        }
    }
}
