import Simulator
import Testing

/// Whole runs. Debug builds run few and short ones; the program `shardsim` searches in release builds.
@Suite("Simulated clusters", .timeLimit(.minutes(10))) struct SimulationTests {
    private static func wish(_ seed: UInt64, operations: Int = 600) -> Simulation.Wish {
        var wish = Simulation.Wish(seed: seed)
        wish.operations = operations
        return wish
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func keepsTheLaws(seed: UInt64) {
        let report = Simulation.run(Self.wish(seed))
        #expect(report.violations == [])
        #expect(report.done > 0)
    }

    @Test func sameSeedTwiceIsTheSameRun() {
        let one = Simulation.run(Self.wish(77, operations: 300))
        let two = Simulation.run(Self.wish(77, operations: 300))
        let other = Simulation.run(Self.wish(78, operations: 300))
        #expect(one.hash == two.hash)
        #expect(one.events == two.events && one.done == two.done)
        #expect(one.hash != other.hash)
        #expect(one.events > 1000)
    }

    /// The lines that somebody reads change nothing of what happens.
    @Test func beingWatchedChangesNothing() {
        var lines = 0
        let watched = Simulation.run(Self.wish(79, operations: 300)) { _ in lines += 1 }
        #expect(watched.hash == Simulation.run(Self.wish(79, operations: 300)).hash)
        #expect(UInt64(lines) == watched.events)
    }

    /// Each kind of trouble that seeds draw is off in about a third of them.
    @Test func kindsOfTroubleAreOffInAThird() {
        for fault in FaultClass.allCases {
            let off = (1...600 as ClosedRange<UInt64>).count { !FaultPlan(seed: $0).has(fault) }
            #expect((150...250).contains(off), "\(fault) is off in \(off) of 600 seeds")
        }
    }

    /// Turning one kind off leaves what the others draw as it was.
    @Test func aKindThatIsOffLeavesTheOthersAlone() {
        let whole = FaultPlan(seed: 5)
        for fault in whole.classes {
            let less = FaultPlan(seed: 5, disabled: [fault])
            #expect(less.classes == whole.classes.filter { $0 != fault })
        }
    }

    @Test func aRunInWhichNothingHappensIsVacuous() {
        var wish = Self.wish(3)
        wish.trouble = 1_000_000
        wish.calm = 1_000_000
        let report = Simulation.run(wish)
        #expect(report.verdict == .vacuous)
    }
}
