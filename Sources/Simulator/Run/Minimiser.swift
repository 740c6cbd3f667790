/// Makes a failing run smaller: kinds of trouble are turned off one by one, then the operations are halved, for as long as
/// it fails in the same way.
public enum Minimiser {
    /// The smallest run that still fails; nil if the given one does not fail.
    /// - Parameter told: gets a line for each run that was tried.
    public static func run(_ wish: Simulation.Wish, told: (String) -> Void = { _ in }) -> Simulation.Wish? {
        guard let kind = Simulation.run(wish).violations.first?.kind else { return nil }
        func fails(_ smaller: Simulation.Wish, _ what: String) -> Bool {
            let found = Simulation.run(smaller).violations.first { $0.kind == kind }
            told("\(what): \(found.map { "\($0)" } ?? "does not fail")")
            return found != nil
        }
        var smallest = wish
        for fault in FaultClass.allCases
        where FaultPlan(
            seed: wish.seed, disabled: smallest.disabled.union(wish.favour.without), forced: Set(wish.favour.faults)
        ).has(fault) {
            var smaller = smallest
            smaller.disabled.insert(fault)
            if fails(smaller, "without \(fault.rawValue)") { smallest = smaller }
        }
        while smallest.operations > 1 {
            var smaller = smallest
            smaller.operations /= 2
            guard fails(smaller, "\(smaller.operations) operations") else { break }
            smallest = smaller
        }
        return smallest
    }
}
