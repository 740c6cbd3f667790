import Foundation

/// One line of a source file, taken apart: what the compiler sees, what a reader is told, and the text as it stands.
struct SourceLine {
    /// From 1.
    let number: Int
    let text: String
    /// The code alone: the contents of string literals blanked, comments removed.
    let code: String
    /// The comment's text, empty without one.
    let comment: String
}

/// A text file of the repository.
struct SourceFile {
    /// From the repository's root, with `/`.
    let path: String
    let lines: [SourceLine]

    init(path: String, text: String) {
        self.path = path
        var scanner = LineScanner()
        let pieces = text.split(separator: "\n", omittingEmptySubsequences: false)
        lines = pieces.enumerated().map { scanner.scan(String($0.element), number: $0.offset + 1) }
    }

    var isSwift: Bool { path.hasSuffix(".swift") }
    var isManifest: Bool { path.hasSuffix("Package.swift") }
    var isTest: Bool { path.hasPrefix("Tests/") }

    /// The target the file belongs to: the folder under Sources or Tests.
    var target: String? {
        let parts = path.split(separator: "/")
        guard isSwift, parts.count > 2, parts[0] == "Sources" || parts[0] == "Tests" else { return nil }
        return parts.contains("Package.swift") || nestedPackage(parts) ? nil : String(parts[1])
    }

    var isPure: Bool { target.map { Architecture.pure[$0] != nil } ?? false }

    /// The modules imported, with their lines.
    var imports: [(module: String, line: SourceLine)] {
        lines.compactMap { line in
            guard let match = line.code.firstMatch(of: /^\s*(?:@\w+(?:\(\w+\))?\s+)*(?:\w+\s+)?import\s+(.+)$/) else {
                return nil
            }
            let words = match.1.split(separator: " ")
            let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
            guard let word = words.first(where: { !kinds.contains($0) }) else { return nil }
            return (String(word.prefix { $0 != "." }), line)
        }
    }

    /// A nested package (a fuzz target, for one) has its own manifest and its own rules of dependency.
    private func nestedPackage(_ parts: [Substring]) -> Bool { parts.contains("Sources") && parts[0] == "Tests" }
}

/// Splits Swift lines into code and comment; remembers what stays open at a line's end.
private struct LineScanner {
    private var commentDepth = 0
    private var openString: (quotes: Int, pounds: Int)?

    mutating func scan(_ text: String, number: Int) -> SourceLine {
        var code = ""
        var comment = ""
        let characters = Array(text)
        var index = 0
        while index < characters.count {
            if commentDepth > 0 {
                index = skipComment(characters, index, &comment)
            } else if openString != nil {
                index = skipString(characters, index, &code)
            } else if starts(characters, index, "//") {
                comment += String(characters[(index + 2)...])
                break
            } else if starts(characters, index, "/*") {
                commentDepth = 1
                index += 2
            } else if let opening = stringOpening(characters, index) {
                openString = (opening.quotes, opening.pounds)
                code += "\""
                index = opening.end
            } else {
                code.append(characters[index])
                index += 1
            }
        }
        if openString?.quotes == 1 { openString = nil }
        return SourceLine(number: number, text: text, code: code, comment: comment)
    }

    private mutating func skipComment(_ text: [Character], _ index: Int, _ comment: inout String) -> Int {
        if starts(text, index, "*/") {
            commentDepth -= 1
            return index + 2
        }
        if starts(text, index, "/*") {
            commentDepth += 1
            return index + 2
        }
        comment.append(text[index])
        return index + 1
    }

    private mutating func skipString(_ text: [Character], _ index: Int, _ code: inout String) -> Int {
        guard let open = openString else { return index }
        let pounds = String(repeating: "#", count: open.pounds)
        if starts(text, index, "\\" + pounds) { return index + 2 + open.pounds }
        let close = String(repeating: "\"", count: open.quotes) + pounds
        if starts(text, index, close) {
            openString = nil
            code += "\""
            return index + close.count
        }
        return index + 1
    }

    private func stringOpening(_ text: [Character], _ index: Int) -> (quotes: Int, pounds: Int, end: Int)? {
        var place = index
        while place < text.count, text[place] == "#" { place += 1 }
        guard place < text.count, text[place] == "\"" else { return nil }
        let quotes = starts(text, place, "\"\"\"") ? 3 : 1
        return (quotes, place - index, place + quotes)
    }

    private func starts(_ text: [Character], _ index: Int, _ prefix: String) -> Bool {
        let wanted = Array(prefix)
        guard index + wanted.count <= text.count else { return false }
        return Array(text[index..<index + wanted.count]) == wanted
    }
}
