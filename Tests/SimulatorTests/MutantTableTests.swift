import Foundation
import Simulator
import Testing

/// Every law has a mutant, or says why not and what tests it instead.
@Suite("The table of mutants") struct MutantTableTests {
    /// How many laws each letter of RULES.md has; movement (F) is one entry.
    private static let laws =
        zip("ABCDEGH", [13, 10, 18, 7, 8, 4, 8]).flatMap { letter, last in (1...last).map { "\(letter)\($0)" } }
        + ["C0", "F"]

    @Test func everyLawIsBrokenOrSaysWhyNot() {
        let broken = Set(MutantTable.rows.map(\.law))
        let left = Set(MutantTable.uncovered.map(\.law))
        for law in Self.laws {
            #expect(broken.contains(law) != left.contains(law), "\(law): one of the two")
        }
    }

    @Test func whatTestsALawInsteadExists() {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let files = FileManager.default.enumerator(atPath: tests.path)?.compactMap { $0 as? String } ?? []
        for law in MutantTable.uncovered {
            #expect(!law.reason.isEmpty)
            for suite in law.suites {
                #expect(files.contains { $0.hasSuffix("/\(suite).swift") }, "\(law.law): there is no \(suite)")
            }
        }
    }
}
