import Foundation
import Simulator
import Synchronization

/// Many seeds on all cores, each worker a process of its own: a seed that traps or hangs costs nobody but itself.
final class Search: Sendable {
    private let seed: UInt64
    private let seeds: UInt64
    private let jobs: Int
    private let disabled: Set<FaultClass>
    private let arguments: [String]
    private let state = Mutex(State())

    private struct State {
        /// Seeds given to workers.
        var given: UInt64 = 0
        var clean = 0
        var violations = 0
        var vacuous = 0
        var undecided = 0
        var operations = 0
        /// How often there was trouble of each kind.
        var fired: [FaultClass: Int] = [:]
    }

    /// Seeds that a worker gets at a time.
    private static let portion: UInt64 = 16
    /// Seconds that one seed may take before it is said to hang.
    private static let patience = 300.0
    /// So many seeds meet every kind of trouble.
    private static let seedsForAll: UInt64 = 100

    init(seed: UInt64, seeds: UInt64, jobs: Int?, disabled: Set<FaultClass>, arguments: [String]) {
        self.seed = seed
        self.seeds = seeds
        self.jobs = jobs ?? max(1, ProcessInfo.processInfo.activeProcessorCount)
        self.disabled = disabled
        self.arguments = arguments
    }

    /// Runs all, tells those that are not clean, and gives the exit code.
    func run() -> Int32 {
        let begun = ContinuousClock.now
        DispatchQueue.concurrentPerform(iterations: jobs) { _ in
            while let portion = take() { work(portion) }
        }
        let seconds = (ContinuousClock.now - begun) / .seconds(1)
        return state.withLock { state in
            let rate = String(format: "%.1f", Double(seeds) / max(seconds, 0.001))
            let fired = FaultClass.allCases.filter { !disabled.contains($0) }
            Output.line(
                "troubles: " + fired.map { "\($0.rawValue) \(state.fired[$0, default: 0])" }.joined(separator: ", "))
            let missing = fired.filter { state.fired[$0] == nil }
            let isVacuous = seeds >= Self.seedsForAll && !missing.isEmpty
            if isVacuous { Output.line("never met: \(missing.map(\.rawValue).joined(separator: ", "))") }
            Output.line(
                "\(seeds) seeds, \(state.violations) violations, \(state.vacuous) vacuous, \(state.undecided) undecided "
                    + "histories, \(state.operations) operations, \(rate) seeds/s")
            return state.violations > 0 ? 1 : state.vacuous > 0 || isVacuous ? 2 : 0
        }
    }

    private func take() -> Range<UInt64>? {
        state.withLock { state in
            guard state.given < seeds else { return nil }
            let count = min(Self.portion, seeds - state.given)
            defer { state.given += count }
            return seed + state.given..<seed + state.given + count
        }
    }

    /// Has workers run the seeds; one that ends early goes on behind the seed that ended it.
    private func work(_ portion: Range<UInt64>) {
        var next = portion.lowerBound
        while next < portion.upperBound {
            guard let stopped = runWorker(next..<portion.upperBound) else { return }
            next = stopped + 1
        }
    }

    /// Runs one worker. Gives the seed that it did not end, if there is one.
    private func runWorker(_ seeds: Range<UInt64>) -> UInt64? {
        let worker = WorkerProcess(
            arguments: ["\(seeds.lowerBound)", "--worker", "\(seeds.count)"] + arguments, patience: Self.patience)
        var current = seeds.lowerBound
        let end = worker.run { line in if let begun = take(line) { current = begun } }
        switch end {
        case .exited(0): return nil
        case .exited(let status):
            tell("seed \(current) violation: it ends its process (\(status))") { $0.violations += 1 }
        case .hung: tell("seed \(current) violation: it does not end") { $0.violations += 1 }
        case .notStarted(let why):
            tell("a worker cannot be started: \(why)") { $0.violations += 1 }
            return seeds.upperBound - 1
        }
        return current
    }

    /// Takes a line of a worker; gives the seed that begins.
    private func take(_ line: String) -> UInt64? {
        let words = line.split(separator: " ", maxSplits: 5)
        if words.count == 2, words[0] == "begin" { return UInt64(words[1]) }
        guard words.count == 6, words[0] == "end", let done = Int(words[2]), let undecided = Int(words[3]) else {
            return nil
        }
        let isClean = words[1] == "0"
        tell(isClean ? nil : String(words[5])) { state in
            state.operations += done
            state.undecided += undecided
            for item in words[4].split(separator: ",") {
                let pair = item.split(separator: ":")
                guard pair.count == 2, let kind = FaultClass(rawValue: String(pair[0])), let count = Int(pair[1]) else {
                    continue
                }
                state.fired[kind, default: 0] += count
            }
            switch words[1] {
            case "0": state.clean += 1
            case "2": state.vacuous += 1
            default: state.violations += 1
            }
        }
        return nil
    }

    private func tell(_ line: String?, _ change: (inout State) -> Void) {
        state.withLock { state in
            change(&state)
            if let line { Output.line(line) }
        }
    }
}
