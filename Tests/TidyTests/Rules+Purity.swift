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

    static let conditionalCompilation = Rule(
        name: "one source for the daemons and the simulator: no #if in a pure target",
        advice:
            "take what differs as an argument; to break a law for the simulator, add a case to Mutant and ask `isOn`",
        bad: .init(path: "Sources/DataCore/Bad.swift", text: "#if SIMULATED\nlet wait = 0\n#endif\n"),
        good: .init(
            path: "Sources/DataCore/Good.swift", text: "if Mutant.a7BeginsAtOnce.isOn { return true }  // #if no\n"),
        check: { file in
            guard file.isPure, !file.isTest, !Architecture.conditional.contains(file.path) else { return [] }
            return file.violations { $0.code.contains(/^\s*#(if|elseif)\b/) ? "conditional compilation" : nil }
        })

    static let finalClasses = Rule(
        name: "one source for the daemons and the simulator: classes of a pure target are final",
        advice: "make the class final; what a simulation needs otherwise is an argument of the core",
        bad: .init(path: "Sources/DataCore/Bad.swift", text: "public class Log {}\n"),
        good: .init(
            path: "Sources/DataCore/Good.swift", text: "public final class Log {}\nprotocol End: AnyObject {}\n"),
        check: { file in
            guard file.isPure, !file.isTest else { return [] }
            return file.violations { line in
                guard line.code.contains(/^\s*(?:@?\w+(?:\(\w+\))?\s+)*class\s+[A-Z]/) else { return nil }
                return line.code.contains(/\bfinal\s+class\b/) ? nil : "a class that can be inherited from"
            }
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
                + "for node in nodes.values { total += node.bytes }  // order-free: a sum\n"
                + "for replica in nodes[id] ?? [] { emit(replica) }\n"),
        check: { file in
            guard file.isPure, !file.isTest else { return [] }
            let names = file.unorderedNames
            return file.violations { line in
                guard line.code.contains("for ") || line.code.contains(".keys") || line.code.contains(".values") else {
                    return nil
                }
                if line.comment.contains("order-free:") || file.sorts(near: line) { return nil }
                let walk = /(\w+)\.(?:keys|values)\.(?:map|compactMap|flatMap|forEach|filter|reduce|first|last)\b/
                if let walk = line.code.firstMatch(of: walk), names.contains(String(walk.1)) {
                    return "walks the keys or values of \(walk.1), a Dictionary"
                }
                guard let loop = line.code.firstMatch(of: /\bfor\s+(?:case\s+)?.+?\s+in\s+([\w.]+)(?![\w.\[(])/) else {
                    return nil
                }
                let parts = loop.1.split(separator: ".").filter { $0 != "self" }
                let isView = parts.count > 1 && ["keys", "values"].contains(parts[parts.count - 1])
                guard isView || parts.count == 1, let name = parts.dropLast(isView ? 1 : 0).last else { return nil }
                return names.contains(String(name)) ? "loops over \(loop.1), a Dictionary or Set" : nil
            }
        })
}

/// The stored names of a text, by what they are declared as.
struct DeclaredNames: Sendable {
    /// A Dictionary or a Set.
    var unordered: Set<String> = []
    /// Anything else.
    var others: Set<String> = []

    init(_ files: [SourceFile]) {
        for line in files.lazy.flatMap(\.lines) where line.code.contains("func ") || line.code.contains("init(") {
            // A parameter that is an array.
            for match in line.code.matches(of: /(\w+):\s*(?:inout\s+)?\[[^:\]]+\]/) { others.insert(String(match.1)) }
        }
        for line in files.lazy.flatMap(\.lines) where line.code.contains("var ") || line.code.contains("let ") {
            for match in line.code.matches(of: /\b(?:var|let)\s+(\w+)\s*(?::\s*([\w\[<]+[^=]*)|=\s*([\w\[<.]+.*))/) {
                let declared = String(match.2 ?? match.3 ?? "")
                if declared.contains(/^(\[[^\[\](]+:|Set[<(]|Dictionary[<(])/) {
                    unordered.insert(String(match.1))
                } else {
                    others.insert(String(match.1))
                }
            }
        }
    }
}

extension SourceFile {
    /// Names that mean a Dictionary or a Set in this file: by its own declarations; for names that it does not declare,
    /// by those of its target, where they agree.
    fileprivate var unorderedNames: Set<String> {
        let own = DeclaredNames([self])
        let target = target.flatMap { SourceTree.names[$0] } ?? DeclaredNames([])
        let outside = target.unordered.subtracting(target.others).subtracting(own.others)
        return own.unordered.subtracting(own.others).union(outside)
    }

    /// Whether the expression that begins on the line is sorted: there, or on the three lines that it may go on for.
    fileprivate func sorts(near line: SourceLine) -> Bool {
        if line.code.contains(".sorted") { return true }
        guard line.code.hasSuffix("{") else { return false }
        return lines[line.number..<min(line.number + 3, lines.count)].contains { $0.code.contains(".sorted") }
    }
}
