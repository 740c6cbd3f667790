import ArgumentParser
import ClusterModel
import Foundation
import Simulator

/// Searches seeds of the simulated cluster for laws that break, and replays one.
struct Shardsim: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shardsim",
        abstract: "Runs whole clusters in virtual time from a seed, under every kind of trouble, and judges them.",
        discussion: """
            One seed alone is told with one line for each event. The last line on standard output is the summary.

            EXAMPLES
              shardsim 1 --seeds 1500
              shardsim 4711
              shardsim 4711 --minimise
              shardsim --check-history FILE

            EXIT CODES
              0 clean   1 a law was broken   2 too little happened for the run to mean anything   3 usage
            """,
        version: OstrakaVersion.text)

    @Argument(help: "The seed, or the first of several.") var seed: UInt64?
    @Option(help: "Run so many seeds, on all cores.") var seeds: UInt64?
    @Option(help: "Processes that run seeds at the same time (one for each core).") var jobs: Int?
    @Option(help: "Operations that clients begin in a run.") var operations = 2000
    @Option(help: "Kinds of trouble to leave out, with commas between.") var without: String?
    @Flag(help: "Turn off kinds of trouble and halve the work for as long as the seed fails.") var minimise = false
    @Flag(help: "Tell no events of a single seed.") var quiet = false
    @Option(help: "Judge the history in a file instead: is it linearizable, key by key?") var checkHistory: String?
    @Option(help: .private) var worker: UInt64?

    /// What the options ask of a run.
    func wish(_ seed: UInt64) throws -> Simulation.Wish {
        var wish = Simulation.Wish(seed: seed)
        wish.operations = operations
        for name in (without ?? "").split(separator: ",") {
            guard let fault = FaultClass(rawValue: String(name)) else {
                let known = FaultClass.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("'\(name)' is no kind of trouble: \(known)")
            }
            wish.disabled.insert(fault)
        }
        return wish
    }

    func validate() throws {
        guard operations > 0 else { throw ValidationError("--operations must be above 0") }
        if checkHistory != nil {
            guard seed == nil, seeds == nil else { throw ValidationError("--check-history takes no seed") }
            return
        }
        guard let seed else { throw ValidationError("give a seed") }
        if let seeds, seeds == 0 || seed.addingReportingOverflow(seeds).overflow {
            throw ValidationError("--seeds must be above 0")
        }
        if let jobs, jobs < 1 { throw ValidationError("--jobs must be above 0") }
        _ = try wish(seed)
    }

    /// Runs, and gives the exit code.
    func perform() throws -> Int32 {
        if let checkHistory { return CheckHistory.run(checkHistory) }
        guard let seed else { return 3 }
        if let worker { return Worker.run(try (0..<worker).map { try wish(seed + $0) }) }
        if let seeds {
            return Search(seed: seed, seeds: seeds, jobs: jobs, disabled: try wish(seed).disabled, arguments: passedOn)
                .run()
        }
        if minimise { return Replay.minimise(try wish(seed)) }
        return Replay.run(try wish(seed), tellsEvents: !quiet)
    }

    /// The options that each worker needs too.
    private var passedOn: [String] {
        ["--operations", "\(operations)"] + (without.map { ["--without", $0] } ?? [])
    }
}

@main
enum Program {
    static func main() {
        do {
            exit(try Shardsim.parse().perform())
        } catch {
            let message = Shardsim.fullMessage(for: error)
            guard Shardsim.exitCode(for: error) == .success else {
                FileHandle.standardError.write(Data("\(message)\n".utf8))
                exit(3)
            }
            Output.line(message)
        }
    }
}
