import Simulator

/// A process that runs seeds for a search: it says when it begins one and what became of it, so that the search knows which
/// seed ended the process.
enum Worker {
    static func run(_ wishes: [Simulation.Wish]) -> Int32 {
        for wish in wishes {
            Output.line("begin \(wish.seed)")
            let report = Simulation.run(wish)
            let fired = report.firedText.isEmpty ? "-" : report.firedText
            Output.line(
                "end \(report.verdict.rawValue) \(report.done) \(report.undecided.count) \(fired) \(report.line)")
        }
        return 0
    }
}
