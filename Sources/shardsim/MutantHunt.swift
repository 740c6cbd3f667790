import ClusterModel
import Foundation
import Simulator
import Synchronization

/// Breaks one law after another on purpose, each in worker processes of its own, and tells how many seeds it takes until
/// the simulator sees it.
final class MutantHunt: Sendable {
    private let hunts: [Hunt]
    private let seeds: UInt64
    private let jobs: Int
    private let state = Mutex(State())

    /// A mutant is hunted from a seed on.
    private struct Hunt {
        var row: MutantRow
        var first: UInt64
    }

    private struct State {
        var next = 0
        var uncaught: [String] = []
        var taken: [Int] = []
    }

    /// Seconds that one seed may take before the mutant is said to hang, and so to be seen.
    private static let patience = 120.0
    /// So far apart are the seeds from which a mutant is hunted more than once.
    private static let apart: UInt64 = 1_000_000

    /// Hunts each of the rows so often, from other seeds each time: what one hunt needs is little more than luck.
    init(rows: [MutantRow], seeds: UInt64, times: Int, jobs: Int?) {
        hunts = rows.filter { $0.seeds != nil }.flatMap { row in
            (0..<UInt64(times)).map { Hunt(row: row, first: 1 + $0 * Self.apart) }
        }
        self.seeds = seeds
        self.jobs = jobs ?? max(1, ProcessInfo.processInfo.activeProcessorCount)
    }

    /// Hunts all, a line each, and gives the exit code.
    func run() -> Int32 {
        DispatchQueue.concurrentPerform(iterations: min(jobs, hunts.count)) { _ in
            while let hunt = take() { carryOut(hunt) }
        }
        return state.withLock { state in
            let median = state.taken.isEmpty ? 0 : state.taken.sorted()[state.taken.count / 2]
            Output.line(
                "\(hunts.count) hunts for mutants, \(state.taken.count) caught (median \(median) seeds), \(state.uncaught.count) "
                    + "uncaught in \(seeds) seeds"
                    + (state.uncaught.isEmpty ? "" : ": \(state.uncaught.sorted().joined(separator: " "))"))
            return state.uncaught.isEmpty ? 0 : 1
        }
    }

    private func take() -> Hunt? {
        state.withLock { state in
            guard state.next < hunts.count else { return nil }
            defer { state.next += 1 }
            return hunts[state.next]
        }
    }

    private func carryOut(_ hunt: Hunt) {
        let worker = WorkerProcess(
            arguments: ["\(hunt.first)", "--mutant", hunt.row.mutant.rawValue, "--hunt", "\(seeds)"],
            patience: Self.patience)
        var current = hunt.first
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
        tell(hunt, seed: current, caught)
    }

    private func tell(_ hunt: Hunt, seed: UInt64, _ caught: String?) {
        let name = hunt.row.mutant.rawValue
        state.withLock { state in
            if let caught {
                let taken = Int(seed - hunt.first) + 1
                state.taken.append(taken)
                Output.line("\(hunt.row.law) \(name): \(taken) seeds, caught at seed \(seed) by \(caught)")
            } else {
                state.uncaught.append(name)
                Output.line("\(hunt.row.law) \(name): NOT CAUGHT in \(seeds) seeds from \(hunt.first) on")
            }
        }
    }

    /// What a worker does: one seed after another until a law is seen to be broken.
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
