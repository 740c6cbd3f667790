extension Rules {
    static let forcedTry = Rule(
        name: "no try!",
        advice: "let the error travel (typed throws), or `do`/`catch` it and answer; in a test, `throws`",
        bad: .init(path: "Sources/Wire/Bad.swift", text: "let frame = try! parse(bytes)\n"),
        good: .init(path: "Sources/Wire/Good.swift", text: "let frame = try parse(bytes)  // never try!\n"),
        check: { file in
            guard file.isSwift else { return [] }
            return file.violations { $0.code.contains("try!") ? "try!" : nil }
        })

    static let forcedUnwrap = Rule(
        name: "no force unwrap",
        advice: "`guard let` with a clear refusal; in a test `try #require(...)`",
        bad: .init(path: "Sources/Wire/Bad.swift", text: "let first = bytes.first!\n"),
        good: .init(path: "Sources/Wire/Good.swift", text: "if a != b, !c { guard let d = e.first else { return } }\n"),
        check: { file in
            guard file.isSwift else { return [] }
            return file.violations { line in
                guard line.code.utf8.contains(UInt8(ascii: "\u{21}")) else { return nil }
                if line.code.contains(/\bas\x21/) { return "as!" }
                guard line.code.contains(/[A-Za-z0-9_\)\]\}"]\x21(?:[^=]|$)/), !line.code.contains("try\u{21}") else {
                    return nil
                }
                return "forced unwrap"
            }
        })

    static let fatalErrors = Rule(
        name: "no fatalError in Sources",
        advice: "throw, or answer the caller with a refusal; bytes from outside must never end the process",
        bad: .init(path: "Sources/DataCore/Bad.swift", text: "default: fatalError(\"bad frame\")\n"),
        good: .init(path: "Sources/DataCore/Good.swift", text: "default: throw .badFrame\n"),
        check: { file in
            guard file.isSwift, file.path.hasPrefix("Sources/") else { return [] }
            return file.violations { $0.code.contains("fatalError(") ? "ends the process" : nil }
        })
}
