import ClusterModel
import Foundation
import Simulator

/// Scenario files: each order of each file in a world of its own; with mutants, whether the files fail under theirs.
enum ScenarioCommand {
    /// Runs files, or all `.scenario` files of a folder. The exit code.
    static func run(_ path: String, mutant: Mutant?, tellsEvents: Bool) -> Int32 {
        var failed = 0
        var count = 0
        for file in files(path) {
            let scenario: Scenario
            do {
                scenario = try Scenario(String(contentsOfFile: file, encoding: .utf8))
            } catch {
                complain("\(file): \(error)")
                return 3
            }
            for (order, name) in scenario.orderNames.enumerated() {
                count += 1
                let violations = scenario.run(order, sink: tellsEvents ? { Output.line($0) } : nil)
                if !violations.isEmpty { failed += 1 }
                let title = "\(scenario.law) \(label(file))\(name.isEmpty ? "" : " (\(name))")"
                Output.line("\(title): \(violations.first.map { "\($0)" } ?? "holds")")
            }
        }
        guard count > 0 else {
            complain("\(path): no scenario file")
            return 3
        }
        let broken = mutant.map { " under \($0.rawValue)" } ?? ""
        Output.line("\(count) orders, \(failed) fail\(broken)")
        return failed > 0 ? 1 : 0
    }

    /// Runs files under the mutants that they name: each must make at least one order fail. The exit code.
    static func underMutants(_ path: String) -> Int32 {
        var survived = 0
        var count = 0
        for file in files(path) {
            guard let text = try? String(contentsOfFile: file, encoding: .utf8), let scenario = try? Scenario(text)
            else {
                complain("\(file): no scenario")
                return 3
            }
            for mutant in scenario.mutants {
                count += 1
                Mutant.activate(mutant)
                let found = scenario.orderNames.indices.lazy.compactMap { scenario.run($0).first }.first
                Mutant.activate(nil)
                if found == nil { survived += 1 }
                let verdict = found.map { "fails: \($0)" } ?? "HOLDS"
                Output.line("\(scenario.law) \(label(file)) under \(mutant.rawValue) \(verdict)")
            }
        }
        Output.line("\(count) mutants in scenarios, \(survived) not noticed")
        return survived > 0 ? 1 : 0
    }

    /// The file, or those of the folder, in the order of their names.
    private static func files(_ path: String) -> [String] {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else { return [path] }
        return names.filter { $0.hasSuffix(".scenario") }.sorted().map { "\(path)/\($0)" }
    }

    private static func label(_ file: String) -> String {
        String((file.split(separator: "/").last ?? "").dropLast(".scenario".count))
    }

    private static func complain(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }
}
