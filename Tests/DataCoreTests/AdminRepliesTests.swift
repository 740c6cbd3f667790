import ClusterModel
import Testing

@testable import DataCore

/// Byte for byte what the real redis-server 7.0.15 answers (`RecordedReplies`).
@Suite("Replies as Redis's own") struct AdminRepliesTests {
    private func compare(_ recorded: [(command: String, reply: String)], _ node: AdminNode = AdminNode()) {
        let connection = node.open()
        for (command, reply) in recorded {
            #expect(node.call(connection, AdminNode.words(command)) == reply, "\(command)")
        }
    }

    @Test func connectionCommands() { compare(RecordedReplies.connection) }
    @Test func clientCommands() { compare(RecordedReplies.client) }
    @Test func configuration() { compare(RecordedReplies.config) }
    @Test func slowLog() { compare(RecordedReplies.slowlog) }
    @Test func commandTable() { compare(RecordedReplies.command) }
    @Test func documentation() {
        compare(RecordedReplies.documentation)
        let node = AdminNode()
        let client = node.open()
        node.call(client, ["hello", "3"])
        for (command, reply) in RecordedReplies.documentation3 {
            #expect(node.call(client, AdminNode.words(command)) == reply, "\(command)")
        }
    }

    /// What a command inside MULTI changes about its connection holds from its place in EXEC on.
    @Test func transactions() {
        for (number, conversation) in RecordedReplies.transactions.enumerated() {
            let node = AdminNode()
            let client = node.open()
            for (command, reply) in conversation {
                #expect(node.call(client, AdminNode.words(command)) == reply, "\(number): \(command)")
            }
        }
    }

    @Test func inspection() { compare(RecordedReplies.inspection) }

    @Test(arguments: [
        ("ab*", "abc", true), ("*", "", true), ("", "", true), ("", "a", false), ("a?c", "abc", true),
        ("a?c", "ac", false), ("[a-c]x", "bx", true), ("[^a-c]x", "bx", false), ("[^a-c]x", "dx", true),
        ("[c-a]x", "bx", true), ("\\*", "*", true), ("\\*", "a", false), ("[\\]]", "]", true), ("a[", "ab", false),
        ("a[b", "ab", true), ("*a*b*c", "xxaxxbxxc", true), ("*a*b*c", "xxaxxcxxb", false), ("a\\", "a\\", true),
        ("**", "abc", true), ("*c", "abcbc", true), ("h[ae]llo", "hillo", false),
    ])
    func globs(pattern: String, text: String, isMatch: Bool) {
        Array(pattern.utf8).withByteView { pattern in
            Array(text.utf8).withByteView { #expect(Glob.matches(pattern, $0) == isMatch) }
        }
    }

    /// A pattern made to go back and forth costs time, not stack.
    @Test(.timeLimit(.minutes(1))) func hostileGlob() {
        let pattern = [UInt8](String(repeating: "*a", count: 20_000).utf8)
        let text = [UInt8](String(repeating: "a", count: 10_000).utf8)
        pattern.withByteView { pattern in text.withByteView { #expect(!Glob.matches(pattern, $0)) } }
    }
}
