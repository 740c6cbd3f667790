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
              shardsim --mutants
              shardsim --mutants a2CountsFromReceipt a3NoMarginForDrift --seeds 100
              shardsim 12 --mutant a2CountsFromReceipt

            MUTANTS
              A mutant breaks one law of the protocols on purpose. They are no part of an ordinary build:
              swift build -c release --product shardsim --scratch-path .build/mutants \\
                -Xswiftc -cross-module-optimization -Xswiftc -DOSTRAKA_MUTANTS

            SCENARIOS
              A scenario scripts a cluster: which message waits or is lost, who stops when, what clients ask and get.
              Settings first, one a line: law, mutants, seed, nodes, metas, replicas, shards, flow, ack, read, min-in-sync,
              lease (ms), snapshot-every, down-after (ms), segment, backlog, way (bytes).
              Then statements, in the order they happen:
                c@P SET k v -> OK         a client's command at a node's gateway, and its reply (nil, a number, TEXT*, *)
                c@P SET k v               a command alone;  c -> OK: its reply;  c silent 500ms: no reply
                hold S1>P grant           the next such message, and all behind it, waits until: deliver S1>P
                lose S1>P grant           the connection breaks at the next such message
                cut S1>P   cut S1=P       ways between machines;  open S1>P   open
                pause P 3s   stall P 3s   clock P 1.05   kill P   power P   start P   leave P   sync P 20ms
                store P 3s   fill P 2048   fail-sync P   mend P   save P   restore P   rot P   rot P first
                hand-over S1   set min-in-sync 3
                run 500ms   await CONDITION within 5s   expect CONDITION
                order NAME                a variant: the lines before the first order, then these, in a world of its own
              Machines: P (primary), S1 S2 (secondaries), X1 (no copy), M and N (metasrv, primary and not), d1, m1, *.
              Messages: beat grant records acks reconcile reconciled poll vote snapshot snapshotTaken relearn release
              forward forwardReply heartbeat reconfigure admin watch answer command reply any.
              Conditions: [not] primary P, serving P, unserved, members P S1, epoch 3, held S1>P, up P, leads M.

            EXIT CODES
              0 clean, all mutants caught   1 a law was broken, a mutant was not caught
              2 too little happened for the run to mean anything   3 usage, no mutants in this build
            """,
        version: OstrakaVersion.text)

    @Argument(help: "The seed, or the first of several; with --mutants the names of mutants, none = all.")
    var words: [String] = []
    @Option(help: "Run so many seeds, on all cores; with --mutants at most so many for each (2000).")
    var seeds: UInt64?
    @Flag(help: "Break laws on purpose, and tell how soon that is seen.") var mutants = false
    @Option(help: "With --mutants: only N of them, others on each day.") var rotate: Int?
    @Option(help: "With --mutants: hunt each so often, from other seeds each time.") var times = 1
    @Option(help: "Break a law on purpose in this run.") var mutant: String?
    @Option(help: "Run a script of what happens, or all of a folder; with --mutants each under the breaks it names.")
    var scenario: String?
    @Option(help: "Processes that run seeds at the same time (one for each core).") var jobs: Int?
    @Option(help: "Operations that clients begin in a run.") var operations = 2000
    @Option(help: "Kinds of trouble to leave out, with commas between.") var without: String?
    @Flag(help: "Turn off kinds of trouble and halve the work for as long as the seed fails.") var minimise = false
    @Flag(help: "Tell no events of a single seed.") var quiet = false
    @Option(help: "Judge the history in a file instead: is it linearizable, key by key?") var checkHistory: String?
    @Flag(help: .private) var whole = false
    @Option(help: .private) var worker: UInt64?
    @Option(help: .private) var hunt: UInt64?

    /// The seed, or the first of several.
    private var seed: UInt64? { words.count == 1 ? UInt64(words[0]) : nil }

    /// What the options ask of a run.
    func wish(_ seed: UInt64) throws -> Simulation.Wish {
        var wish = Simulation.Wish(seed: seed)
        wish.operations = operations
        if let mutant { wish.favour = try Mutants.row(mutant).favour }
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
        if scenario != nil {
            if let mutant { _ = try Mutants.row(mutant) }
            return
        }
        if mutants {
            _ = try Mutants.rows(words)
            if let rotate, rotate < 1 { throw ValidationError("--rotate must be above 0") }
            guard times > 0, times <= 1000 else { throw ValidationError("--times must be 1 to 1000") }
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
        if mutants || mutant != nil, !Mutant.areCompiledIn { return Mutants.missing() }
        if let scenario {
            if mutants { return ScenarioCommand.underMutants(scenario) }
            let broken = try mutant.map { try Mutants.row($0).mutant }
            Mutant.activate(broken)
            return ScenarioCommand.run(scenario, mutant: broken, tellsEvents: !quiet && !scenario.hasSuffix("/"))
        }
        if mutants {
            let rows = try Mutants.rows(words)
            return MutantHunt(
                rows: rotate.map { Mutants.ofToday($0, rows) } ?? rows, seeds: seeds ?? 2000, times: times, jobs: jobs
            ).run()
        }
        guard let seed else { return 3 }
        // What favours a mutant can be run without it.
        if let mutant, !whole { Mutant.activate(try Mutants.row(mutant).mutant) }
        if let hunt {
            return MutantHunt.work(
                try (0..<hunt).lazy.map {
                    var wish = try wish(seed + $0)
                    wish.endsAtViolation = true
                    return wish
                })
        }
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
            + (mutant.map { ["--mutant", $0] } ?? []) + (whole ? ["--whole"] : [])
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
