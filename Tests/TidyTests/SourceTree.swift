import Foundation

/// The repository's files, read once.
enum SourceTree {
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Every Swift file and every script under version control's folders, in path order.
    static let files: [SourceFile] = {
        var found: [SourceFile] = []
        for folder in ["Sources", "Tests", "deploy", "bench", ".ci"] {
            let base = root.appendingPathComponent(folder)
            guard let walk = FileManager.default.enumerator(atPath: base.path) else { continue }
            for case let name as String in walk {
                let path = folder + "/" + name
                if path.contains("/.") || path.contains("__pycache__") { continue }
                // What a link leads to is looked at where it is.
                if walk.fileAttributes?[.type] as? FileAttributeType == .typeSymbolicLink { continue }
                if let file = read(path) { found.append(file) }
            }
        }
        if let manifest = read("Package.swift") { found.append(manifest) }
        return found.sorted { $0.path < $1.path }
    }()

    /// What each target's files declare.
    static let names: [String: DeclaredNames] = Dictionary(grouping: files.filter(\.isPure)) { $0.target ?? "" }
        .mapValues { DeclaredNames($0) }

    static let manifest = PackageManifest(text: text("Package.swift") ?? "")

    static func text(_ path: String) -> String? {
        try? String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    /// A file that a rule may judge: Swift, C, Python or a shell script; nil for all else (corpora, data, folders).
    private static func read(_ path: String) -> SourceFile? {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        let suffix = name.contains(".") ? name.split(separator: ".").last.map(String.init) ?? "" : ""
        guard ["swift", "c", "h", "py", "sh", ""].contains(suffix), let text = text(path) else { return nil }
        if suffix.isEmpty, !text.hasPrefix("#!") { return nil }
        return SourceFile(path: path, text: text)
    }
}

/// The arrows between modules.
enum Architecture {
    /// The pure targets, each with all it may import. A core sees bytes, ticks and entropy that its host hands in.
    static let pure: [String: Set<String>] = [
        "ClusterModel": ["CSystemCalls"],
        "Wire": ["ClusterModel"],
        "DataCore": ["ClusterModel", "CSystemCalls", "DequeModule"],
        "MetaCore": ["ClusterModel"],
        "Simulator": ["ClusterModel", "Wire", "DataCore", "MetaCore"],
    ]

    /// The files of pure targets that may be compiled in two ways: the switch of the mutants, and a number's format that
    /// the processor decides.
    static let conditional: Set<String> = [
        "Sources/ClusterModel/Mutant.swift", "Sources/DataCore/Commands/Strings/LongDouble.swift",
    ]

    /// Modules of the toolchain, which no manifest declares.
    static let toolchain: Set<String> = [
        "Swift", "Foundation", "FoundationEssentials", "FoundationNetworking", "Glibc", "Dispatch", "Synchronization",
        "Testing",
        "RegexBuilder",
    ]
}

/// What each target of Package.swift says it depends on, read from its text.
struct PackageManifest {
    /// Target name -> the modules and products it declares.
    let targets: [String: Set<String>]

    init(text: String) {
        var shared: [Substring: Set<String>] = [:]
        for match in text.matches(of: /\nlet (\w+): [^=\n]+=\s/) {
            shared[match.1] = Self.literals(Self.balanced(text[match.range.upperBound...]))
        }
        var targets: [String: Set<String>] = [:]
        let entries = text.matches(
            of: /(module|program|tests|\.target|\.systemLibrary|\.executableTarget|\.testTarget)\(/)
        for entry in entries {
            let body = Self.balanced(text[text.index(before: entry.range.upperBound)...])
            guard let name = body.firstMatch(of: /^\(\s*(?:name:\s*)?"(\w+)"/) else { continue }
            var declared = Self.literals(body)
            for (variable, modules) in shared where Self.mentions(body, variable) { declared.formUnion(modules) }
            if entry.1 == "program" { declared.insert("ArgumentParser") }
            declared.remove(String(name.1))
            targets[String(name.1)] = declared
        }
        self.targets = targets
    }

    private static func mentions(_ body: Substring, _ word: Substring) -> Bool {
        body.split { !$0.isLetter && !$0.isNumber && $0 != "\"" && $0 != "_" }.contains { $0 == word }
    }

    private static func literals(_ text: Substring) -> Set<String> {
        Set(text.matches(of: /"([^"]+)"/).map { String($0.1) })
    }

    /// The text from an opening bracket to its closing one; up to the line's end when none opens there.
    private static func balanced(_ text: Substring) -> Substring {
        var depth = 0
        for index in text.indices {
            switch text[index] {
            case "(", "[": depth += 1
            case ")", "]": depth -= 1
            case "\n" where depth == 0: return text[..<index]
            default: break
            }
            if depth == 0, text[index] == ")" || text[index] == "]" { return text[...index] }
        }
        return text
    }
}
