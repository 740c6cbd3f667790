import ClusterModel
import Testing
import Wire

@Suite struct RequestParserTests {
    /// Streams of well-formed requests of every kind.
    static let streams = [
        "*1\r\n$4\r\nPING\r\n",
        "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$12\r\nwith\r\n\u{0}\u{1}end!\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n",
        "PING\r\n*0\r\n\r\n\n*-1\r\nSET a \"b c\"\n*1\r\n$0\r\n\r\n",
        "set 'it\\'s' \"\\x41\\x0a\\n\\t\\\"\\q\\xZZ\"\r\nget a\"b\"\r\n  echo   'x'  \r\n",
        "*2\r\n$4\r\nECHO\r\n$100\r\n" + String(repeating: "x", count: 100) + "\r\nQUIT\r\n",
        "*20\r\n" + (0..<20).map { "$\("\($0)".utf8.count)\r\n\($0)\r\n" }.joined() + "PING\r\n",
        "*40\r\n" + (0..<40).map { "$\("\($0)".utf8.count)\r\n\($0)\r\n" }.joined() + "*1\r\n$4\r\nPING\r\n",
    ]

    /// Malformed ones, with what Redis 7.0 answers.
    static let hostile: [(String, ProtocolError)] = [
        ("*x\r\n", .invalidMultibulkLength),
        ("*+5\r\n", .invalidMultibulkLength),
        ("*05\r\n", .invalidMultibulkLength),
        ("* 5\r\n", .invalidMultibulkLength),
        ("*-0\r\n", .invalidMultibulkLength),
        ("*\r\n", .invalidMultibulkLength),
        ("*1048577\r\n", .invalidMultibulkLength),
        ("*9223372036854775807\r\n", .invalidMultibulkLength),
        ("*9223372036854775808\r\n", .invalidMultibulkLength),
        ("*18446744073709551616\r\n", .invalidMultibulkLength),
        ("*1\r\nPING\r\n", .expectedDollar(got: 0x50)),
        ("*1\r\n:1\r\n", .expectedDollar(got: 0x3A)),
        ("*1\r\n\r\n\r\n", .expectedDollar(got: 13)),
        ("*1\r\n$x\r\n", .invalidBulkLength),
        ("*1\r\n$-1\r\n", .invalidBulkLength),
        ("*1\r\n$+4\r\nPING\r\n", .invalidBulkLength),
        ("*1\r\n$04\r\nPING\r\n", .invalidBulkLength),
        ("*1\r\n$ 4\r\nPING\r\n", .invalidBulkLength),
        ("*1\r\n$536870913\r\n", .invalidBulkLength),
        ("*1\r\n$9223372036854775808\r\n", .invalidBulkLength),
        ("*1\r\n$\r\n", .invalidBulkLength),
        ("set a \"b\r\n", .unbalancedQuotes),
        ("set a 'b\r\n", .unbalancedQuotes),
        ("set \"a\"b\r\n", .unbalancedQuotes),
        ("POST / HTTP/1.1\r\nHost: a\r\n", .httpRequest),
        ("GET\r\nhost: 127.0.0.1\r\n", .httpRequest),
        ("*" + String(repeating: "1", count: 70_000), .tooBigMultibulkCount),
        ("*1\r\n$" + String(repeating: "1", count: 70_000) + "\r\n", .tooBigBulkCount),
        (String(repeating: "a", count: 70_000) + "\r\n", .tooBigInline),
        ("*20\r\n" + String(repeating: "$1\r\na\r\n", count: 19) + "$x\r\n", .invalidBulkLength),
    ]

    @Test func `multibulk and inline commands are read`() {
        let outcome = receive(Self.streams[2])
        #expect(outcome.commands == [[bytes("PING")], [bytes("SET"), bytes("a"), bytes("b c")], [[]]])
        #expect(outcome.error == nil && outcome.left == 0)
    }

    @Test func `quotes and escapes are those of Redis`() {
        let outcome = receive(Self.streams[3])
        #expect(
            outcome.commands == [
                [bytes("set"), bytes("it's"), bytes("A\n\n\t\"qxZZ")], [bytes("get"), bytes("ab")],
                [bytes("echo"), bytes("x")],
            ])
    }

    @Test func `a NUL ends an inline command as it does in Redis`() {
        let outcome = receive(Array("PING\0 junk\r\nECHO a\r\n".utf8), pieces: [100])
        #expect(outcome.commands == [[bytes("PING")], [bytes("ECHO"), bytes("a")]])
    }

    @Test(arguments: streams) func `a stream cut at any byte gives the same commands`(_ text: String) {
        let all = bytes(text)
        let whole = receive(all, pieces: [all.count])
        #expect(whole.error == nil && whole.left == 0 && !whole.commands.isEmpty)
        for cut in 0...all.count { #expect(receive(all, pieces: [cut, all.count]) == whole) }
        #expect(receive(all, pieces: repeatElement(1, count: all.count)) == whole)
        #expect(receive(all, pieces: [all.count], limit: 1) == whole)
    }

    @Test(arguments: hostile) func `malformed requests are refused in Redis's words`(
        _ text: String, _ error: ProtocolError
    ) {
        let all = bytes(text)
        let whole = receive(all, pieces: [all.count])
        #expect(whole.error == error)
        guard all.count < 1000 else {
            #expect(receive(all, pieces: repeatElement(999, count: all.count)) == whole)
            return
        }
        for cut in 0...all.count { #expect(receive(all, pieces: [cut, all.count]) == whole) }
        #expect(receive(all, pieces: repeatElement(1, count: all.count)) == whole)
    }

    @Test func `commands before a malformed one are given`() {
        let outcome = receive("PING\r\n*1\r\n$4\r\nECHO\r\n*1\r\n!")
        #expect(outcome.commands == [[bytes("PING")], [bytes("ECHO")]])
        #expect(receive("PING\r\n*1\r\n!3\r\n").error == .expectedDollar(got: 0x21))
    }

    @Test func `before AUTH commands are short`() {
        #expect(receive("*11\r\n", isAuthenticated: false).error == .unauthenticatedMultibulkLength)
        #expect(receive("*1\r\n$16385\r\n", isAuthenticated: false).error == .unauthenticatedBulkLength)
        #expect(receive("*2\r\n$4\r\nAUTH\r\n$1\r\nx\r\n", isAuthenticated: false).commands.count == 1)
    }

    @Test func `errors have Redis's texts`() {
        #expect(ProtocolError.expectedDollar(got: 0x78).text == "Protocol error: expected '$', got 'x'")
        #expect(ProtocolError.httpRequest.text == nil)
    }

    @Test func `a declared length takes no memory and waits`() {
        let outcome = receive("*1048576\r\n$536870912\r\nabc")
        #expect(outcome.commands.isEmpty && outcome.error == nil && outcome.left == 25)
    }

    /// Every command in random pieces, against the commands it was written from.
    @Test(arguments: 1...40) func `written commands come back`(_ seed: UInt64) {
        var dice = Dice(seed: seed)
        var expected: [[[UInt8]]] = []
        var buffer = ByteBuffer()
        for _ in 0..<Int.random(in: 1...60, using: &dice) {
            let command = (0..<Int.random(in: 1...40, using: &dice)).map { _ in
                (0..<Int.random(in: 0...(Bool.random(using: &dice) ? 8 : 300), using: &dice)).map { _ in
                    UInt8.random(in: 0...255, using: &dice)
                }
            }
            expected.append(command)
            RESPRequestWriter.command(command, into: &buffer)
        }
        let all = buffer.view.array
        let pieces = (0..<all.count).map { _ in Int.random(in: 1...(seed % 2 == 0 ? 40 : 4000), using: &dice) }
        let outcome = receive(all, pieces: pieces, limit: Int.random(in: 1...5, using: &dice))
        #expect(outcome.commands == expected)
        #expect(outcome.left == 0 && outcome.error == nil)
    }

    /// Bytes of all kinds: no trap, and the same result however they are cut.
    @Test(arguments: 1...200) func `noise is judged alike however it is cut`(_ seed: UInt64) {
        var dice = Dice(seed: seed &* 7919)
        let alphabet = bytes("*$:+-0123459 \r\n\r\n\"'\\xPINGa\0")
        let noise = (0..<300).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &dice)] }
        let whole = receive(noise, pieces: [noise.count])
        #expect(receive(noise, pieces: repeatElement(1, count: noise.count)) == whole)
        #expect(receive(noise, pieces: repeatElement(7, count: noise.count)) == whole)
    }

    /// A command of a million arguments, in pieces: quadratic work would take minutes.
    @Test(.timeLimit(.minutes(1))) func `a long command in pieces costs its length`() {
        var buffer = ByteBuffer(capacity: 8 << 20)
        RESPRequestWriter.begin(1 << 20, into: &buffer)
        for _ in 0..<1 << 20 { RESPRequestWriter.argument("k", into: &buffer) }
        let all = buffer.view.array
        let outcome = receive(all, pieces: repeatElement(1500, count: all.count))
        #expect(outcome.commands.count == 1 && outcome.commands.first?.count == 1 << 20)
    }

    @Test(.timeLimit(.minutes(1))) func `a long value in pieces costs its length`() {
        var buffer = ByteBuffer(capacity: 17 << 20)
        RESPRequestWriter.command([bytes("SET"), bytes("k"), [UInt8](repeating: 7, count: 16 << 20)], into: &buffer)
        let all = buffer.view.array
        let outcome = receive(all, pieces: repeatElement(1500, count: all.count))
        #expect(outcome.commands.first?.last?.count == 16 << 20)
    }
}

extension RESPRequestWriter {
    static func argument(_ text: StaticString, into buffer: inout ByteBuffer) {
        argument(ByteView(text), into: &buffer)
    }
}
