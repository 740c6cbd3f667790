import ClusterModel
import Testing
import Wire

@Suite struct ReplyParserTests {
    static let replies: [(String, RESPValue)] = [
        ("+OK\r\n", .simpleString(bytes("OK"))),
        ("+\r\n", .simpleString([])),
        ("-ERR no\r\n", .error(bytes("ERR no"))),
        (":-42\r\n", .integer(-42)),
        (":9223372036854775807\r\n", .integer(.max)),
        ("$0\r\n\r\n", .bulkString([])),
        ("$4\r\na\r\nb\r\n", .bulkString(bytes("a\r\nb"))),
        ("$-1\r\n", .null),
        ("*-1\r\n", .null),
        ("_\r\n", .null),
        ("*0\r\n", .array([])),
        ("*2\r\n*1\r\n:1\r\n*0\r\n", .array([.array([.integer(1)]), .array([])])),
        ("%1\r\n+a\r\n*1\r\n:1\r\n", .map([.init(key: .simpleString(bytes("a")), value: .array([.integer(1)]))])),
        ("%0\r\n", .map([])),
        ("~2\r\n:1\r\n:2\r\n", .set([.integer(1), .integer(2)])),
        (">2\r\n+invalidate\r\n_\r\n", .push([.simpleString(bytes("invalidate")), .null])),
        (",1.5\r\n", .double(1.5)),
        (",-inf\r\n", .double(-.infinity)),
        ("#t\r\n", .boolean(true)),
        ("#f\r\n", .boolean(false)),
        ("(-123456789012345678901234567890\r\n", .bigNumber(bytes("-123456789012345678901234567890"))),
        ("=8\r\ntxt:text\r\n", .verbatim(format: bytes("txt"), bytes("text"))),
        ("!5\r\nERR x\r\n", .error(bytes("ERR x"))),
        ("|1\r\n+ttl\r\n:3\r\n:7\r\n", .integer(7)),
        ("*1\r\n|1\r\n+ttl\r\n:3\r\n:7\r\n", .array([.integer(7)])),
    ]

    static let malformed: [(String, ReplyError)] = [
        ("hello\r\n", .unknownType(0x68)),
        ("\r\n", .unknownType(13)),
        (":x\r\n", .invalidNumber),
        (":\r\n", .invalidNumber),
        (":9223372036854775808\r\n", .invalidNumber),
        ("$-2\r\n", .invalidNumber),
        ("$536870913\r\n", .invalidNumber),
        ("*-2\r\n", .invalidNumber),
        ("%-1\r\n", .invalidNumber),
        ("$1\r\nabc", .missingLineEnd),
        ("#x\r\n", .invalidNumber),
        ("_x\r\n", .invalidNumber),
        (",one\r\n", .invalidNumber),
        ("(1a\r\n", .invalidNumber),
        ("=3\r\nabc\r\n", .invalidNumber),
        (String(repeating: "*1\r\n", count: 65), .tooDeep),
        ("+" + String(repeating: "a", count: 70_000), .tooLongLine),
    ]

    static func values(_ bytes: [UInt8], pieces: some Sequence<Int>) throws(ReplyError) -> [RESPValue] {
        var parser = ReplyParser()
        var values: [RESPValue] = []
        var sent = 0
        for piece in pieces {
            let end = min(sent + piece, bytes.count)
            parser.append(bytes[sent..<end])
            sent = end
            while let value = try parser.next() { values.append(value) }
        }
        return values
    }

    @Test(arguments: replies) func `every type is read, cut at any byte`(_ text: String, _ value: RESPValue) throws {
        let all = bytes(text)
        #expect(try Self.values(all, pieces: [all.count]) == [value])
        for cut in 0...all.count { #expect(try Self.values(all, pieces: [cut, all.count]) == [value]) }
        #expect(try Self.values(all + all, pieces: repeatElement(1, count: all.count * 2)) == [value, value])
    }

    @Test(arguments: malformed) func `malformed replies are errors`(_ text: String, _ error: ReplyError) {
        let all = bytes(text)
        #expect(throws: error) { try Self.values(all, pieces: [all.count]) }
        #expect(throws: error) { try Self.values(all, pieces: repeatElement(1, count: all.count)) }
    }

    @Test func `what is written by the reply arena is read back`() throws {
        var arena = ReplyBuffer(resp3: true)
        arena.map(1)
        arena.bulk("key")
        arena.boolean(true)
        arena.double(text: "0.25")
        arena.verbatim("note")
        arena.null()
        arena.error("ERR a\r\nb")
        let all = arena.bytes.view.array
        #expect(
            try Self.values(all, pieces: [all.count]) == [
                .map([.init(key: .bulkString(bytes("key")), value: .boolean(true))]), .double(0.25),
                .verbatim(format: bytes("txt"), bytes("note")), .null, .error(bytes("ERR a  b")),
            ])
    }

    @Test(arguments: 1...200) func `noise never traps`(_ seed: UInt64) {
        var dice = Dice(seed: seed)
        let alphabet = bytes("*$:+-0123%~>_,#(=!|\r\n\r\n\r\ntxf:")
        let noise = (0..<200).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &dice)] }
        func outcome(_ piece: Int) -> String {
            do throws(ReplyError) {
                return "\(try Self.values(noise, pieces: repeatElement(piece, count: noise.count)))"
            } catch { return "\(error)" }
        }
        #expect(outcome(1) == outcome(200))
    }

    @Test(.timeLimit(.minutes(1))) func `a long reply in pieces costs its length`() throws {
        let one = "$-1\r\n:1\r\n$3\r\nabc\r\n"
        let all = bytes("*600000\r\n" + String(repeating: one, count: 200_000))
        let values = try Self.values(all, pieces: repeatElement(700, count: all.count / 700 + 1))
        guard case .array(let items) = values.first else { return #expect(Bool(false), "no array") }
        #expect(items.count == 600_000)
    }
}
