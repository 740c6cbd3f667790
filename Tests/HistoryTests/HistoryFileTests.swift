import Simulator
import Testing

/// Histories as text: what a line may say, and that the judge finds what is wrong in them.
@Suite("History files", .timeLimit(.minutes(1))) struct HistoryFileTests {
    private static func read(_ lines: String...) throws(HistoryFile.Malformed) -> HistoryFile {
        try HistoryFile(Array(([HistoryFile.header] + lines).joined(separator: "\n").utf8))
    }

    private static func verdicts(_ file: HistoryFile) -> [Linearizability.Verdict] {
        file.keys.map { Linearizability.judge(file.operations[$0] ?? []) }
    }

    @Test func everyWord() throws {
        let file = try Self.read(
            "# what clients saw", "",
            "r1 1 0 10 20 set v1 ok", "r1 2 7 15 25 get value v1", "r1 1 0 30 40 exchange a%20b%0A value v1",
            "r1 1 0 41 42 getdel value a%20b%0a", "r1 1 0 43 44 get nil", "r1 1 0 45 46 setnx % number 1",
            "r1 1 0 47 48 exists number 1", "r1 1 0 49 50 delete number 1", "r1 1 0 51 0 append x, unknown",
            "c1 3 0 1 2 increment -5 number -5", "c1 3 0 3 4 increment 1 refused")
        #expect(file.count == 11)
        #expect(file.keys == ["c1", "r1"])
        let first = try #require(file.operations["r1"])
        #expect(first[1].sequence == 7)
        #expect(first[2].action == .exchange(Array("a b\n".utf8)))
        #expect(first[5].action == .setIfAbsent([]))
        #expect(first[8].outcome == .unknown)
        #expect(file.operations["c1"]?.map(\.outcome) == [.number(-5), .refused])
        #expect(Self.verdicts(file) == [.linearizable, .linearizable])
    }

    @Test func plantedFaultsAreFound() throws {
        let stale = try Self.read("k 1 0 0 10 set a ok", "k 1 0 20 30 set b ok", "k 2 0 40 50 get value a")
        #expect(Self.verdicts(stale) == [.violated(try #require(stale.operations["k"]?.last))])
        let lost = try Self.read("k 1 0 0 10 set a ok", "k 2 0 40 50 get nil")
        #expect(Self.verdicts(lost) == [.violated(try #require(lost.operations["k"]?.last))])
        let unknown = try Self.read("k 1 0 0 10 set a unknown", "k 2 0 40 50 get nil")
        #expect(Self.verdicts(unknown) == [.linearizable])
        let undone = try Self.read("k 1 0 0 10 increment 1 refused", "k 2 0 40 50 get value 1")
        #expect(Self.verdicts(undone) == [.violated(try #require(undone.operations["k"]?.last))])
    }

    @Test(
        arguments: [
            ("k 1 0 0", "the time of the reply is missing"),
            ("k 1 0 0 x get nil", "the time of the reply 'x' is no number in its range"),
            ("k 1 0 -1 1 get nil", "the time of sending '-1' is no number in its range"),
            ("k 1 0 5 4 get nil", "the reply is older than the request"),
            ("k 1 0 1 2 put v ok", "'put' is no action"),
            ("k 1 0 1 2 set v fine", "'fine' is no outcome"),
            ("k 1 0 1 2 set v%2 ok", "a value has a '%' without two hexadecimal digits behind it"),
            ("k 1 0 1 2 set v number 1", "no such action has such an outcome"),
            ("k 1 0 1 2 set v", "the outcome is missing"),
            ("k 1 0 1 2 set v ok ok", "words behind the outcome"),
            (
                "k 1 0 1 2 increment 9223372036854775808 number 1",
                "a number to add '9223372036854775808' is no number in its range"
            ),
            ("k 1 0 1 2 set  v ok", "a value is missing"),
        ])
    func malformed(_ line: String, _ reason: String) throws {
        #expect(throws: HistoryFile.Malformed(line: 3, reason: reason)) { try Self.read("k 1 0 1 2 get nil", line) }
    }

    @Test func otherFiles() {
        for text in ["", "\n", "ostraka-history 2\n", "k 1 0 1 2 get nil\n"] {
            #expect(throws: HistoryFile.Malformed(line: 1, reason: "it is not 'ostraka-history 1'")) {
                try HistoryFile(Array(text.utf8))
            }
        }
    }
}
