extension Rules {
    static let pureImports = Rule(
        name: "pure targets import only what DESIGN allows",
        advice: "take time, chance and bytes as arguments and return effects; I/O belongs to NodeRuntime",
        bad: .init(path: "Sources/Wire/Bad.swift", text: "import Foundation\n"),
        good: .init(path: "Sources/Wire/Good.swift", text: "public import ClusterModel\n"),
        check: { file in
            guard let target = file.target, !file.isTest, let allowed = Architecture.pure[target] else { return [] }
            return file.imports.filter { $0.module != "Swift" && !allowed.contains($0.module) }
                .map { Violation(path: file.path, line: $0.line.number, found: "pure target imports \($0.module)") }
        })

    static let declaredDependencies = Rule(
        name: "a target imports only what its Package.swift entry lists",
        advice: "list the module in the target's dependencies in Package.swift, or do without it",
        bad: .init(path: "Sources/shardctl/Bad.swift", text: "internal import NIOPosix\n"),
        good: .init(
            path: "Sources/shardctl/Good.swift", text: "import ArgumentParser\nimport struct Foundation.Data\n"),
        check: { file in
            guard let target = file.target else { return [] }
            guard let declared = SourceTree.manifest.targets[target] else {
                return [Violation(path: file.path, line: 0, found: "Package.swift has no target \(target)")]
            }
            return file.imports.filter { !declared.contains($0.module) && !Architecture.toolchain.contains($0.module) }
                .map { Violation(path: file.path, line: $0.line.number, found: "undeclared import of \($0.module)") }
        })

    static let unorderedOutput = Rule(
        name: "no iteration of a Dictionary or Set in a pure target",
        advice: "iterate `.sorted { ... }`, or say on that line why order cannot matter: `// order-free: reason`",
        bad: .init(
            path: "Sources/MetaCore/Bad.swift",
            text: "var nodes: [NodeID: Node] = [:]\nfunc all() { for (id, node) in nodes { emit(id, node) } }\n"),
        good: .init(
            path: "Sources/MetaCore/Good.swift",
            text: "var nodes: [NodeID: Node] = [:]\nfor id in nodes.keys.sorted() { emit(id) }\n"
                + "for node in nodes.values { total += node.bytes }  // order-free: a sum\n"),
        check: { file in
            guard file.isPure, !file.isTest else { return [] }
            let names = file.unorderedNames
            return file.violations { line in
                if line.comment.contains("order-free:") || file.sorts(near: line) { return nil }
                if line.code.contains(/\.(keys|values)\.(map|compactMap|flatMap|forEach|filter|reduce|first|last)\b/) {
                    return "walks a dictionary's keys or values"
                }
                guard let loop = line.code.firstMatch(of: /\bfor\s+(?:case\s+)?.+?\s+in\s+([\w.]+)/) else { return nil }
                let parts = loop.1.split(separator: ".").filter { $0 != "self" }
                if parts.count > 1, ["keys", "values"].contains(parts[parts.count - 1]) {
                    return "loops over \(loop.1)"
                }
                guard parts.count == 1, names.contains(String(parts[0])) else { return nil }
                return "loops over \(loop.1), a Dictionary or Set"
            }
        })
}

extension SourceFile {
    /// Names that this file declares as a Dictionary or a Set.
    fileprivate var unorderedNames: Set<String> {
        var names: Set<String> = []
        for line in lines {
            for match in line.code.matches(of: /\b(?:var|let)\s+(\w+)\s*:\s*(?:\[[^\[\]]+:|Set<|Dictionary<)/) {
                names.insert(String(match.1))
            }
            for match in line.code.matches(
                of: /\b(?:var|let)\s+(\w+)\s*=\s*(?:\[[^\[\]]+:[^\]]+\]\(|Set<|Set\(|Dictionary[<(])/)
            {
                names.insert(String(match.1))
            }
        }
        // The same name for an array or a parameter elsewhere in the file: the line alone cannot tell which is meant.
        for line in lines {
            for match in line.code.matches(of: /\b(\w+)\s*:\s*(?:inout\s+)?\[(?:[^:\[\]]|\[[^\[\]]*\])+\]/) {
                names.remove(String(match.1))
            }
        }
        return names
    }

    /// Whether the expression that begins on the line is sorted: there, or on the three lines that it may go on for.
    fileprivate func sorts(near line: SourceLine) -> Bool {
        lines[(line.number - 1)..<min(line.number + 3, lines.count)].contains { $0.code.contains(".sorted") }
            && (line.code.contains(".sorted") || line.code.hasSuffix("({") || line.code.hasSuffix("{"))
    }
}
