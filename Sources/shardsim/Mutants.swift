import ArgumentParser
import ClusterModel
import Foundation
import Simulator

/// Which mutants somebody means.
enum Mutants {
    /// The rows of the table by the names of mutants, or of their laws; no name = all.
    static func rows(_ names: [String]) throws -> [MutantRow] {
        guard !names.isEmpty else { return MutantTable.rows }
        return try names.flatMap { name in
            let found = MutantTable.rows.filter { $0.mutant.rawValue == name || $0.law == name.uppercased() }
            guard !found.isEmpty else {
                let known = Mutant.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("'\(name)' is no mutant: \(known)")
            }
            return found
        }
    }

    static func row(_ name: String) throws -> MutantRow {
        guard let mutant = Mutant(rawValue: name), let row = MutantTable.row(mutant) else {
            throw ValidationError("'\(name)' is no mutant: \(Mutant.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return row
    }

    /// So many of those that few seeds showed when all were measured, on each day those behind the ones of the day before.
    static func ofToday(_ count: Int, _ rows: [MutantRow]) -> [MutantRow] {
        let day = Int(Date().timeIntervalSince1970 / 86_400)
        let rows = rows.filter { (1...24).contains($0.seeds ?? 0) }
        return (0..<min(count, rows.count)).map { rows[(day * count + $0) % rows.count] }
    }

    /// This build keeps all laws: says so, and how to build one that can break them. The exit code.
    static func missing() -> Int32 {
        let text = """
            this shardsim was built without mutants; build one that has them:
              swift build -c release --product shardsim --scratch-path .build/mutants \\
                -Xswiftc -cross-module-optimization -Xswiftc -DOSTRAKA_MUTANTS
            and run .build/mutants/release/shardsim --mutants

            """
        FileHandle.standardError.write(Data(text.utf8))
        return 3
    }
}
