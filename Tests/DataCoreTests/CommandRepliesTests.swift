import Testing

@testable import DataCore

/// Byte for byte what the real redis-server 7.0.15 answers (`RecordedCommands`), with durability at once.
@Suite("Commands on values as Redis's own") struct CommandRepliesTests {
    private func compare(_ recorded: [(command: String, reply: String)]) {
        let node = AdminNode()
        let connection = node.open()
        for (command, reply) in recorded {
            #expect(node.call(connection, AdminNode.words(command)) == reply, "\(command)")
        }
    }

    @Test func strings() { compare(RecordedCommands.strings) }
    @Test func numbers() { compare(RecordedCommands.numbers) }
    @Test func commonSubsequences() { compare(RecordedCommands.lcs) }
    @Test func bits() { compare(RecordedCommands.bits) }
    @Test func keys() { compare(RecordedCommands.keys) }
    @Test func transactions() { compare(RecordedCommands.transactions) }

    /// Deadlines pass by the node's clock, for reads, for WATCH and for the count of what is there.
    @Test func deadlinesPass() {
        let node = AdminNode()
        let connection = node.open()
        #expect(node.call(connection, ["set", "{b}k", "v", "px", "100"]) == "+OK\r\n")
        #expect(node.call(connection, ["watch", "{b}k"]) == "+OK\r\n")
        node.advance(millis: 99)
        #expect(node.call(connection, ["pttl", "{b}k"]) == ":1\r\n")
        node.advance(millis: 1)
        #expect(node.call(connection, ["get", "{b}k"]) == "$-1\r\n")
        #expect(node.call(connection, ["pttl", "{b}k"]) == ":-2\r\n")
        #expect(node.call(connection, ["multi"], ["ping"], ["exec"]) == "+OK\r\n+QUEUED\r\n*-1\r\n")
        #expect(node.call(connection, ["exists", "{b}k"]) == ":0\r\n")
    }

    /// A write by another client between WATCH and EXEC stops EXEC.
    @Test func anotherClientsWrite() {
        let node = AdminNode()
        let (one, two) = (node.open(), node.open())
        #expect(node.call(one, ["watch", "{b}k", "{b}l"]) == "+OK\r\n")
        #expect(node.call(two, ["set", "{b}l", "2"]) == "+OK\r\n")
        #expect(node.call(one, ["multi"], ["set", "{b}l", "3"], ["exec"]) == "+OK\r\n+QUEUED\r\n*-1\r\n")
        #expect(node.call(one, ["get", "{b}l"]) == "$1\r\n2\r\n")
        #expect(node.call(one, ["multi"], ["set", "{b}l", "3"], ["exec"]) == "+OK\r\n+QUEUED\r\n*1\r\n+OK\r\n")
    }

    /// Nobody is told of a write before it is durable, not even one who only reads it; replies keep their order.
    @Test func repliesWaitForTheLog() {
        let node = AdminNode()
        let (one, two) = (node.open(), node.open())
        node.isLogQuick = false
        #expect(node.call(one, ["set", "{b}k", "v"], ["get", "{b}k"], ["ping"]) == "")
        #expect(node.call(two, ["get", "{b}k"]) == "")
        node.sync()
        #expect(node.takeReply(one) == "+OK\r\n$1\r\nv\r\n+PONG\r\n")
        #expect(node.takeReply(two) == "$1\r\nv\r\n")
    }
}
