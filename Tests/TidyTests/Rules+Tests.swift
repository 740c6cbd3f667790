extension Rules {
    static let sleepingTests = Rule(
        name: "tests do not sleep",
        advice: "await the condition itself; a bounded poll says what it waits for on that line: `// poll: condition`",
        bad: .init(path: "Tests/WireTests/Bad.swift", text: "try await Task.sleep(for: .seconds(1))\n"),
        good: .init(
            path: "Tests/WireTests/Good.swift",
            text: "try await Task.sleep(for: .milliseconds(5))  // poll: the port answers, at most 10 s\n"),
        check: { file in
            guard file.isTest, file.isSwift else { return [] }
            return file.violations { line in
                guard line.code.contains("leep("),
                    line.code.contains(/\b(Task\.sleep|Thread\.sleep|usleep|nanosleep|sleep)\(/)
                else { return nil }
                return line.comment.contains("poll:") ? nil : "sleeps"
            }
        })

    static let testsWithoutExpectation = Rule(
        name: "a test file expects something",
        advice: "state what must hold with #expect or #require; a test that cannot fail is a defect",
        bad: .init(path: "Tests/WireTests/Bad.swift", text: "@Test func runs() { parse() }\n"),
        good: .init(path: "Tests/WireTests/Good.swift", text: "@Test func runs() { #expect(parse() == 1) }\n"),
        check: { file in
            guard file.isTest, file.isSwift, file.lines.contains(where: { $0.code.contains("@Test") }) else {
                return []
            }
            let expects = file.lines.contains { $0.code.contains(/#expect|#require|Issue\.record|confirmation\(/) }
            return expects ? [] : [Violation(path: file.path, line: 0, found: "has @Test but expects nothing")]
        })

    static let oldTestFrameworks = Rule(
        name: "tests use Swift Testing",
        advice: "`import Testing`, `@Test`, `#expect`",
        bad: .init(path: "Tests/WireTests/Bad.swift", text: "import XCTest\n"),
        good: .init(path: "Tests/WireTests/Good.swift", text: "import Testing\n"),
        check: { file in
            file.imports.filter { $0.module == "XCTest" }
                .map { Violation(path: file.path, line: $0.line.number, found: "imports XCTest") }
        })
}
