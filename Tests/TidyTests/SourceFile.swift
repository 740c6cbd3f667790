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
            guard line.code.contains("import "),
                let match = line.code.firstMatch(of: /^\s*(?:@\w+(?:\(\w+\))?\s+)*(?:\w+\s+)?import\s+(.+)$/)
            else {
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

/// Splits Swift lines into code and comment; remembers what stays open at a line's end. It works on UTF-8, of which
/// every byte that matters here is ASCII.
private struct LineScanner {
    private var commentDepth = 0
    private var openString: (quotes: Int, pounds: Int)?

    private static let slash = UInt8(ascii: "/")
    private static let star = UInt8(ascii: "*")
    private static let quote = UInt8(ascii: "\"")
    private static let pound = UInt8(ascii: "#")
    private static let backslash = UInt8(ascii: "\\")

    mutating func scan(_ line: String, number: Int) -> SourceLine {
        let text = Array(line.utf8)
        var code: [UInt8] = []
        var comment: [UInt8] = []
        var index = 0
        while index < text.count {
            if commentDepth > 0 {
                index = skipComment(text, index, &comment)
            } else if openString != nil {
                index = skipString(text, index, &code)
            } else if isPair(text, index, Self.slash, Self.slash) {
                comment += text[(index + 2)...]
                break
            } else if isPair(text, index, Self.slash, Self.star) {
                commentDepth = 1
                index += 2
            } else if let opening = stringOpening(text, index) {
                openString = (opening.quotes, opening.pounds)
                code.append(Self.quote)
                index = opening.end
            } else {
                code.append(text[index])
                index += 1
            }
        }
        if openString?.quotes == 1 { openString = nil }
        return SourceLine(
            number: number, text: line, code: String(decoding: code, as: UTF8.self),
            comment: String(decoding: comment, as: UTF8.self))
    }

    private mutating func skipComment(_ text: [UInt8], _ index: Int, _ comment: inout [UInt8]) -> Int {
        if isPair(text, index, Self.star, Self.slash) {
            commentDepth -= 1
            return index + 2
        }
        if isPair(text, index, Self.slash, Self.star) {
            commentDepth += 1
            return index + 2
        }
        comment.append(text[index])
        return index + 1
    }

    private mutating func skipString(_ text: [UInt8], _ index: Int, _ code: inout [UInt8]) -> Int {
        guard let open = openString else { return index }
        if text[index] == Self.backslash, run(text, index + 1, Self.pound) >= open.pounds {
            return index + 2 + open.pounds
        }
        let quotes = run(text, index, Self.quote)
        if quotes >= open.quotes, run(text, index + open.quotes, Self.pound) >= open.pounds {
            openString = nil
            code.append(Self.quote)
            return index + open.quotes + open.pounds
        }
        return index + 1
    }

    private func stringOpening(_ text: [UInt8], _ index: Int) -> (quotes: Int, pounds: Int, end: Int)? {
        guard text[index] == Self.quote || text[index] == Self.pound else { return nil }
        let pounds = run(text, index, Self.pound)
        let found = run(text, index + pounds, Self.quote)
        guard found > 0 else { return nil }
        let quotes = found >= 3 ? 3 : 1
        return (quotes, pounds, index + pounds + quotes)
    }

    /// How many times the byte stands from the index on.
    private func run(_ text: [UInt8], _ index: Int, _ byte: UInt8) -> Int {
        var end = index
        while end < text.count, text[end] == byte { end += 1 }
        return max(end - index, 0)
    }

    private func isPair(_ text: [UInt8], _ index: Int, _ first: UInt8, _ second: UInt8) -> Bool {
        text[index] == first && index + 1 < text.count && text[index + 1] == second
    }
}
