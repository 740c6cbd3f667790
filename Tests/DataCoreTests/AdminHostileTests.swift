import ClusterModel
import Testing

@testable import DataCore

/// Every command with words that make no sense, inside MULTI and outside: each is answered by exactly one reply that can be
/// read, and the node lives on.
@Suite("Hostile words") struct AdminHostileTests {
    /// Words that commands look for, numbers at the ends of ranges, and keys of both nodes.
    private static let words = [
        "", "a", "b", "c", "k", "{k}1", "0", "1", "-1", "-0", "+1", "01", "1.5", "inf", "nan", "1e400", "64",
        "4294967296",
        "9223372036854775807", "-9223372036854775808", "9223372036854775808", "18446744073709551615", "*", "[a-", "\\",
        "ex", "px", "exat", "pxat", "keepttl", "persist", "nx", "xx", "gt", "lt", "get", "set", "incrby", "overflow",
        "wrap", "sat", "fail", "u8", "i64", "u64", "i65", "#1", "bit", "byte", "and", "or", "xor", "not", "match",
        "count",
        "type", "string", "limit", "rev", "len", "idx", "withmatchlen", "minmatchlen", "replace", "db", "samples", "id",
        "addr", "laddr", "user", "default", "skipme", "yes", "no", "on", "off", "normal", "lib-name", "lib-ver",
        "filterby", "aclcat", "pattern", "module", "maxclients", "slowlog-max-len", "auth", "setname", "2", "3",
        "async",
        "sync", "all", "server", "é", "\r\n", "a b", String(repeating: "x", count: 300),
    ]

    /// Those that wait, close, pause, or are not answered by design.
    private static let left: Set<String> = [
        "quit", "wait", "select", "client|reply", "client|pause", "client|kill", "config|set",
    ]

    @Test(.timeLimit(.minutes(1)), arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func everyCommandIsAnsweredOnce(seed: UInt64) throws {
        var chance = Entropy(seed: seed)
        let node = AdminNode()
        let client = node.open(.cluster)
        let specs = CommandTable.all.filter { $0.isShown && !Self.left.contains($0.name) }
        for round in 0..<1500 {
            let spec = specs[Int(chance.next() % UInt64(specs.count))]
            var command = spec.name.split(separator: "|").map(String.init)
            // Mostly as many words as it wants, sometimes any number of them.
            let wanted = max(abs(spec.arity) - command.count, 0)
            let count = chance.next() % 4 == 0 ? Int(chance.next() % 9) : wanted + Int(chance.next() % 3)
            for _ in 0..<count { command.append(Self.words[Int(chance.next() % UInt64(Self.words.count))]) }
            if chance.next() % 16 == 0 { command = [chance.next() % 2 == 0 ? "multi" : "exec"] }
            let reply = node.bytes(client, command)
            let end = try #require(
                RESPLength.of(reply, at: 0),
                "round \(round): \(command) gave \(reply.count) bytes: \(node.line(of: client))")
            #expect(end == reply.count, "round \(round): \(command) is answered more than once")
        }
        #expect(node.call(node.open(), ["ping"]) == "+PONG\r\n")
    }
}

@Suite("The empty key") struct EmptyKeyTests {
    /// A view of no bytes may have an address or none: both are the same key.
    @Test func hasOneHash() {
        let hash = KeyHash(seed: 3)
        let byte: [UInt8] = [7]
        unsafe byte.withUnsafeBufferPointer { bytes in
            let view = unsafe ByteView(base: bytes.baseAddress, count: 0)
            #expect(hash(view, keyspace: 1) == hash(.empty, keyspace: 1))
        }
    }

    /// It is read from the store like any other.
    @Test func isLoaded() {
        let node = AdminNode()
        #expect(node.call(node.open(), ["memory", "usage", ""], ["get", ""]) == "$-1\r\n$-1\r\n")
    }
}

/// Where a reply ends, RESP2 or RESP3; nil if it is no whole reply.
enum RESPLength {
    static func of(_ bytes: [UInt8], at start: Int) -> Int? {
        guard start < bytes.count, let line = bytes[start...].firstIndex(of: 13), line + 1 < bytes.count,
            bytes[line + 1] == 10
        else { return nil }
        let number = Int(String(decoding: bytes[(start + 1)..<line], as: UTF8.self))
        let next = line + 2
        switch bytes[start] {
        case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ","), UInt8(ascii: "#"),
            UInt8(ascii: "("):
            return next
        case UInt8(ascii: ":"): return number == nil ? nil : next
        case UInt8(ascii: "$"), UInt8(ascii: "="):
            guard let number else { return nil }
            if number < 0 { return next }
            let end = next + number + 2
            return end <= bytes.count && bytes[end - 2] == 13 && bytes[end - 1] == 10 ? end : nil
        case UInt8(ascii: "*"), UInt8(ascii: "~"): return number.flatMap { elements($0, bytes, next) }
        case UInt8(ascii: "%"): return number.flatMap { elements($0 * 2, bytes, next) }
        default: return nil
        }
    }

    private static func elements(_ count: Int, _ bytes: [UInt8], _ start: Int) -> Int? {
        var end = start
        for _ in 0..<max(count, 0) {
            guard let next = of(bytes, at: end) else { return nil }
            end = next
        }
        return end
    }
}
