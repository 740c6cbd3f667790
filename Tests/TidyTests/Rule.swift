import Testing

/// A place where a rule is broken.
struct Violation: CustomStringConvertible {
    let path: String
    /// 0 where the whole file is meant.
    let line: Int
    let found: String

    var description: String { line == 0 ? "\(path): \(found)" : "\(path):\(line): \(found)" }
}

/// A rule of the house: what it finds, and what to write instead.
struct Rule: Sendable, CustomTestStringConvertible {
    let name: String
    /// Names the replacement.
    let advice: String
    /// A file that breaks the rule, and one that does the same thing rightly: they prove that the rule can fail.
    let bad: Snippet
    let good: Snippet
    let check: @Sendable (SourceFile) -> [Violation]

    struct Snippet: Sendable {
        let path: String
        let text: String
        var file: SourceFile { SourceFile(path: path, text: text) }
    }

    var testDescription: String { name }
}

extension SourceFile {
    /// A violation for each line whose code the closure names something in.
    func violations(_ find: (SourceLine) -> String?) -> [Violation] {
        lines.compactMap { line in find(line).map { Violation(path: path, line: line.number, found: $0) } }
    }
}
