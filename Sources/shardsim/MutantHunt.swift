import ClusterModel
import Foundation
import Simulator
import Synchronization

/// Breaks one law after another on purpose, each in worker processes of its own, and tells how many seeds it takes until
/// the simulator sees it.
final class MutantHunt: Sendable {
    private let rows: [MutantRow]
    private let seeds: UInt64
    private let jobs: Int
    private let state = Mutex(State())

    private struct State {
        var next = 0
        var uncaught: [String] = []
        var taken: [Int] = []
    }

    /// Seconds that one seed may take before the mutant is said to hang, and so to be seen.
    private static let patience = 120.0

    init(rows: [MutantRow], seeds: UInt64, jobs: Int?) {
        self.rows = rows.filter { $0.seeds != nil }
        self.seeds = seeds
        self.jobs = jobs ?? max(1, ProcessInfo.processInfo.activeProcessorCount)
    }

    /// Hunts all, a line each, and gives the exit code.
    func run() -> Int32 {
        DispatchQueue.concurrentPerform(iterations: min(jobs, rows.count)) { _ in
            while let row = take() { hunt(row) }
        }
        return state.withLock { state in
            let median = state.taken.isEmpty ? 0 : state.taken.sorted()[state.taken.count / 2]
            Output.line(
                "\(rows.count) mutants, \(state.taken.count) caught (median \(median) seeds), \(state.uncaught.count) "
                    + "uncaught in \(seeds) seeds"
                    + (state.uncaught.isEmpty ? "" : ": \(state.uncaught.sorted().joined(separator: " "))"))
            return state.uncaught.isEmpty ? 0 : 1
        }
    }

    private func take() -> MutantRow? {
        state.withLock { state in
            guard state.next < rows.count else { return nil }
            defer { state.next += 1 }
            return rows[state.next]
        }
    }

    private func hunt(_ row: MutantRow) {
        let worker = WorkerProcess(
            arguments: ["1", "--mutant", row.mutant.rawValue, "--hunt", "\(seeds)"], patience: Self.patience)
        var current: UInt64 = 0
        var caught: String?
        let end = worker.run { line in
            let words = line.split(separator: " ", maxSplits: 1)
            guard words.count == 2 else { return }
            if words[0] == "begin" { current = UInt64(words[1]) ?? current }
            if words[0] == "caught" { caught = String(words[1]) }
        }
        switch end {
        case .exited(0): break
        case .exited(let status): caught = "its process ends (\(status))"
        case .hung: caught = "it does not end"
        case .notStarted(let why): caught = nil; Output.line("a worker cannot be started: \(why)")
        }
        tell(row, seed: current, caught)
    }

    private func tell(_ row: MutantRow, seed: UInt64, _ caught: String?) {
        state.withLock { state in
            if let caught {
                state.taken.append(Int(seed))
                Output.line("\(row.law) \(row.mutant.rawValue): caught at seed \(seed) by \(caught)")
            } else {
                state.uncaught.append(row.mutant.rawValue)
                Output.line("\(row.law) \(row.mutant.rawValue): NOT CAUGHT in \(seeds) seeds")
            }
        }
    }

    /// What a worker does: seeds from 1 on until a law is seen to be broken.
    static func work(_ wishes: some Sequence<Simulation.Wish>) -> Int32 {
        for wish in wishes {
            Output.line("begin \(wish.seed)")
            let report = Simulation.run(wish)
            if let first = report.violations.first {
                Output.line("caught \(first)")
                return 0
            }
        }
        return 0
    }
}
