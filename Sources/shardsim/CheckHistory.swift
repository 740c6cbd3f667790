import Foundation
import Simulator

/// Judges a history that clients of real processes wrote down.
enum CheckHistory {
    /// Points that the search for one key may look at: real histories may have more under way at once than simulated ones.
    private static let limit = 5_000_000
    /// Operations told before the one that nothing explains.
    private static let context = 40

    /// - Returns: 0 all linearizable, 1 a key is not, 2 nothing to judge or a search grew too large, 3 no such history.
    static func run(_ path: String) -> Int32 {
        guard let text = FileManager.default.contents(atPath: path) else {
            FileHandle.standardError.write(Data("shardsim: \(path) cannot be read\n".utf8))
            return 3
        }
        let file: HistoryFile
        do {
            file = try HistoryFile(Array(text))
        } catch {
            FileHandle.standardError.write(Data("shardsim: \(path): \(error)\n".utf8))
            return 3
        }
        var violations = 0
        var undecided = 0
        for key in file.keys {
            let history = file.operations[key] ?? []
            switch Linearizability.judge(history, limit: limit) {
            case .linearizable: break
            case .undecided:
                undecided += 1
                Output.line("key \(key): undecided: \(history.count) operations, too many of them under way at once")
            case .violated(let operation):
                violations += 1
                Output.line("key \(key): no order explains \(operation)")
                for line in before(operation, history) { Output.line("  \(line)") }
            }
        }
        Output.line(
            "\(file.count) operations of \(file.keys.count) keys, \(violations) keys not linearizable, \(undecided) undecided"
        )
        return violations > 0 ? 1 : undecided > 0 || file.count == 0 ? 2 : 0
    }

    /// What happened to the key before and during an operation.
    private static func before(_ operation: Simulator.Operation, _ history: [Simulator.Operation]) -> [String] {
        let all = history.filter { $0.invoked <= operation.returned && $0.outcome != .refused }
        let sorted = all.sorted { ($0.invoked, $0.client) < ($1.invoked, $1.client) }
        return sorted.suffix(context).map { "\($0)" }
    }
}
