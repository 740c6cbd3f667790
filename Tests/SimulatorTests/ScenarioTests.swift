import ClusterModel
import Foundation
import Simulator
import Testing

/// The scripts beside this file: one for a law, with the messages in either order.
@Suite("Scenarios", .timeLimit(.minutes(5))) struct ScenarioTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Scenarios")
    static let files = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
        .filter { $0.hasSuffix(".scenario") }.sorted()

    private static func scenario(_ file: String) throws -> Scenario {
        try Scenario(String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8))
    }

    @Test(arguments: files) func holds(file: String) throws {
        let scenario = try Self.scenario(file)
        for (order, name) in scenario.orderNames.enumerated() {
            #expect(scenario.run(order) == [], "\(file), order '\(name)'")
        }
    }

    /// A file is named after its law, tells two orders, and says what must break it.
    @Test func areComplete() throws {
        #expect(Self.files.count >= 25)
        for file in Self.files {
            let scenario = try Self.scenario(file)
            #expect(file.hasPrefix(scenario.law.lowercased() + "-"), "\(file) is about \(scenario.law)")
            #expect(scenario.orderNames.count >= 2, "\(file) has one order")
            #expect(!scenario.mutants.isEmpty, "\(file) names no mutant")
            #expect(scenario.mutants.allSatisfy { $0.law == scenario.law }, "\(file) names mutants of another law")
        }
    }

    @Test(arguments: [
        ("law A1\nhodl P>S1 beat\n", 2, "'hodl' is no statement"),
        ("law A1\nrun 5\n", 2, "'5' is no time: 500ms, 5s"),
        ("law A1\nmutants x9\n", 2, "'x9' is no mutant"),
        ("law A1\ncut P\n", 2, "'P' is no way: P>S1, or P=S1 for both"),
        ("law A1\nexpect rain\n", 2, "'rain' is no condition"),
        ("run 1s\n", 1, "a scenario names its law: law A1"),
        ("law A1\n", 1, "nothing happens in it"),
    ]) func aBadLineIsNamed(text: String, line: Int, message: String) throws {
        let error = try #require(throws: ScenarioError.self) { try Scenario(text) }
        #expect(error.line == line && error.text.hasPrefix(message), "\(error)")
    }

    /// An expectation that does not hold is said with its line.
    @Test(arguments: [
        ("a@P SET k v -> OK\na@P GET k -> w\n", "line 3, 'a -> w': the reply was v"),
        ("expect serving S1\n", "line 2, 'expect serving S1': it is not so"),
        ("await epoch 9 within 1s\n", "line 2, 'await epoch 9 within 1s': it did not come to that in time"),
        ("kill S9\n", "line 2, 'kill S9': there is no machine S9"),
    ]) func whatIsNotSoIsSaid(script: String, message: String) throws {
        let violations = try Scenario("law A1\n" + script).run(0)
        #expect(violations.map(\.kind) == [.expectation])
        #expect(violations.first?.text == message)
    }
}
