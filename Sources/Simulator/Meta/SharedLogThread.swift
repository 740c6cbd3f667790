import ClusterModel
import MetaCore

/// A metasrv's calls on the shared log: one at a time, each slow, some failing, some with an outcome nobody knows.
final class SharedLogThread {
    private unowned let process: MetaProcess
    private var jobs: [MetaEffect] = []
    private var isBusy = false

    init(process: MetaProcess) { self.process = process }

    func add(_ job: MetaEffect) {
        jobs.append(job)
        if !isBusy { next() }
    }

    private func next() {
        guard !jobs.isEmpty else {
            isBusy = false
            return
        }
        isBusy = true
        let job = jobs.removeFirst()
        if case .append = job { process.pauseIfDue() }
        process.afterLogCall { [self] in carryOut(job) }
    }

    private func carryOut(_ job: MetaEffect) {
        let trouble = process.logTrouble()
        switch job {
        case .append(let position, let entry): append(entry, at: position, trouble)
        case .read(let from, let limit):
            if trouble != .none {
                process.step(.readFailed(reason: "input/output error"))
            } else {
                switch process.sharedLog.read(from: from, limit: limit) {
                case .entries(let records): process.step(.tailed(records))
                case .trimmed(let snapshot): process.step(.restored(snapshot))
                }
            }
            next()
        case .fetch(let id, let from, let through):
            var found: [LogRecord] = []
            let reading = process.sharedLog.read(from: max(from, process.sharedLog.floor), limit: 1024)
            if case .entries(let records) = reading { found = records.filter { $0.position <= through } }
            process.step(.fetched(id, found))
            next()
        case .save(let snapshot):
            process.sharedLog.save(snapshot)
            next()
        default: next()
        }
    }

    /// An outcome that is unknown is no answer: the same entry is tried until it is known (RULES B2).
    private func append(_ entry: LogEntry, at position: LogPosition, _ trouble: LogTrouble) {
        switch trouble {
        case .notWritten:
            process.step(.appendFailed(position, reason: "no space left on device"))
            next()
        case .lostReply, .failed:
            if trouble == .lostReply { _ = process.append(entry, at: position) }
            if Mutant.b2UnknownIsDone.isOn {
                process.step(.appended(position, .won))
                return next()
            }
            process.afterLogCall { [self] in append(entry, at: position, process.logTrouble()) }
        case .none:
            process.step(.appended(position, process.append(entry, at: position)))
            next()
        }
    }
}

/// What may go wrong with a call on the shared log.
enum LogTrouble {
    case none
    /// It was not carried out, nobody knows.
    case failed
    /// It was carried out, nobody knows.
    case lostReply
    /// It was not carried out and will not be.
    case notWritten
}
