import Simulator

/// One seed, in front of somebody who wants to know what happens in it.
enum Replay {
    static func run(_ wish: Simulation.Wish, tellsEvents: Bool) -> Int32 {
        let report = Simulation.run(wish, sink: tellsEvents ? { Output.line($0) } : nil)
        if tellsEvents { Output.line("troubles: \(report.faults.map(\.rawValue).joined(separator: " "))") }
        for violation in report.violations.dropFirst() { Output.line("\(violation)") }
        Output.line(report.line)
        return report.verdict.rawValue
    }

    static func minimise(_ wish: Simulation.Wish) -> Int32 {
        guard let smallest = Minimiser.run(wish, told: { Output.line($0) }) else {
            Output.line("seed \(wish.seed) does not fail: nothing to make smaller")
            return 0
        }
        let without = smallest.disabled.map(\.rawValue).sorted().joined(separator: ",")
        let options = without.isEmpty ? "" : " --without \(without)"
        Output.line("shardsim \(smallest.seed) --operations \(smallest.operations)\(options)")
        return 1
    }
}
