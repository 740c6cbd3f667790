import ClusterModel
import DataCore

/// A node's log writer: it writes all batches that wait, syncs once, says how far it came, and meanwhile the next gather.
final class LogThread {
    private unowned let process: DataProcess
    private var waiting: [LogBatch] = []
    private var isBusy = false

    init(process: DataProcess) { self.process = process }

    /// Begins with the segment that was begun at the start, synced before anything else is written.
    func start() {
        if let interval = process.world.settings.syncInterval { syncLater(interval) }
        isBusy = true
        process.afterSync { [self] in ended([]) }
    }

    func submit(_ batch: LogBatch) {
        waiting.append(batch)
        if Mutant.e1DurableBeforeSync.isOn { process.arrive(.input(.durable(through: batch.ticket))) }
        if !isBusy { begin() }
    }

    private func begin() {
        guard !waiting.isEmpty else { return }
        isBusy = true
        let batches = waiting.prefix(process.world.settings.batchesPerSync)
        waiting.removeFirst(batches.count)
        write(batches)
    }

    /// Writes what fits the segment. A full one is synced before the next begins, and that one before it is used.
    private func write(_ batches: ArraySlice<LogBatch>) {
        var rest = batches
        while let batch = rest.first, process.disk.log.hasRoom(for: batch) {
            process.disk.log.write(batch)
            rest.removeFirst()
        }
        guard rest.isEmpty else {
            return process.afterSync { [self] in
                guard process.syncLog() else { return }
                for batch in batches[..<rest.startIndex] { process.noteSynced(batch) }
                guard process.disk.roll() else {
                    return process.machine.failStop("there is no room for the log", isSuspect: false)
                }
                process.afterSync { [self] in if process.syncLog() { write(rest) } }
            }
        }
        guard process.world.settings.syncInterval == nil else { return tell(Array(batches)) }
        process.afterSync { [self] in ended(Array(batches)) }
    }

    private func ended(_ batches: [LogBatch]) {
        guard process.syncLog() else { return }
        tell(batches)
    }

    /// Batches count as durable.
    private func tell(_ batches: [LogBatch]) {
        isBusy = false
        for batch in batches { process.noteSynced(batch) }
        if let ticket = batches.last?.ticket { process.arrive(.input(.durable(through: ticket))) }
        begin()
    }

    private func syncLater(_ interval: UInt64) {
        process.after(interval) { [self] in
            guard process.syncLog() else { return }
            syncLater(interval)
        }
    }
}
