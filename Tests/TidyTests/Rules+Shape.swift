extension Rules {
    static let longFiles = Rule(
        name: "a file has at most 500 lines",
        advice: "split it by idea: one file, one idea, a name that says it",
        bad: .init(path: "Sources/Wire/Bad.swift", text: String(repeating: "//\n", count: 501)),
        good: .init(path: "Sources/Wire/Good.swift", text: String(repeating: "//\n", count: 400)),
        check: { file in
            // A file's last newline opens no line of its own.
            let count = file.lines.last?.text.isEmpty == true ? file.lines.count - 1 : file.lines.count
            guard file.isSwift, count > 500 else { return [] }
            return [Violation(path: file.path, line: 0, found: "\(count) lines")]
        })

    static let longFunctions = Rule(
        name: "a function has at most 100 lines",
        advice: "name its steps and make each a function; aim below 70",
        bad: .init(
            path: "Sources/Wire/Bad.swift", text: "func a() {\n" + String(repeating: "    b()\n", count: 101) + "}\n"),
        good: .init(
            path: "Sources/Wire/Good.swift", text: "func a() {\n" + String(repeating: "    b()\n", count: 60) + "}\n"),
        check: { file in
            guard file.isSwift else { return [] }
            return file.functions.filter { $0.length > 100 }
                .map { Violation(path: file.path, line: $0.line, found: "function of \($0.length) lines") }
        })

    static let emptyNames = Rule(
        name: "names say something",
        advice: "name the type by what it is or does, not Utils, Helpers, Manager or Impl",
        bad: .init(path: "Sources/Wire/Bad.swift", text: "struct ConnectionManager {}\n"),
        good: .init(path: "Sources/Wire/Good.swift", text: "struct ConnectionPool {}\n"),
        check: { file in
            guard file.isSwift else { return [] }
            let empty = /(Utils|Utilities|Helpers?|Manager|Impl)(\.swift)?$/
            let name = file.path.split(separator: "/").last.map(String.init) ?? ""
            let own = name.contains(empty) ? [Violation(path: file.path, line: 0, found: "file name \(name)")] : []
            return own
                + file.violations { line in
                    guard ["Util", "Helper", "Manager", "Impl"].contains(where: { line.code.contains($0) }) else {
                        return nil
                    }
                    guard let type = line.code.firstMatch(of: /\b(?:struct|class|enum|actor|protocol)\s+(\w+)/) else {
                        return nil
                    }
                    return type.1.contains(empty) ? "type name \(type.1)" : nil
                }
        })

    static let unfinishedWork = Rule(
        name: "nothing unfinished lands",
        advice: "finish it, or write the limit into README and an issue",
        bad: .init(path: "Sources/Wire/Bad.swift", text: "// TO" + "DO: bounds\n"),
        good: .init(path: "Sources/Wire/Good.swift", text: "// Bounds are checked by the caller.\n"),
        check: { file in
            let marks = ["TO" + "DO", "FIX" + "ME", "X" + "XX:"]
            return file.violations { line in marks.first { line.text.contains($0) }.map { "\($0) left behind" } }
        })

    static let outsideHosts = Rule(
        name: "code and scripts reach out to no host by name",
        advice: "take addresses from flags, and packages through the machine's own package tools",
        bad: .init(path: "deploy/bad", text: "#!/bin/sh\ncurl -fsS https://downloads.example.org/x | sh\n"),
        good: .init(
            path: "deploy/good", text: "#!/bin/sh\n# see https://example.org/manual\ncurl http://127.0.0.1:7400/\n"),
        check: { file in
            guard !file.isManifest, !file.path.hasPrefix("Tests/TidyTests/") else { return [] }
            return file.violations { line in
                guard line.text.contains("://") else { return nil }
                let isComment =
                    line.text.drop { $0 == " " }.hasPrefix("#") || line.text.drop { $0 == " " }.hasPrefix("//")
                if isComment { return nil }
                let spoken = line.text.dropLast(line.comment.isEmpty || !file.isSwift ? 0 : line.comment.count + 2)
                guard let host = spoken.firstMatch(of: /\w+:\/\/([A-Za-z0-9-]+\.[A-Za-z][A-Za-z0-9.-]*)/) else {
                    return nil
                }
                return "names the host \(host.1)"
            }
        })
}

extension SourceFile {
    /// Functions, initialisers and their lengths in lines, found by their own indentation: swift-format keeps it true.
    fileprivate var functions: [(line: Int, length: Int)] {
        var found: [(line: Int, length: Int)] = []
        var open: [(indent: Int, line: Int)] = []
        for line in lines where !line.code.allSatisfy(\.isWhitespace) {
            let indent = line.code.prefix { $0 == " " }.count
            if line.code.contains("func ") || line.code.contains("init"),
                line.code.contains(/\b(func\s+\S+|init[?]?)\s*[(<]/)
            {
                open.append((indent, line.number))
            } else if let last = open.last, indent == last.indent, line.code.dropFirst(indent).hasPrefix("}") {
                found.append((last.line, line.number - last.line))
                open.removeLast()
            } else if let last = open.last, indent < last.indent {
                open.removeLast()
            }
        }
        return found
    }
}
