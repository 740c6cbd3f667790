import ClusterModel
import Testing

@testable import DataCore

/// Commands that wait for rows while there is no room for any.
@Suite struct RowLoadTests {
    /// A node without a cache whose store is slow: `{b}a` is in memory, since the store lacks it, `{b}b` is not.
    private static func short() -> (AdminNode, ConnectionID) {
        let node = AdminNode(cacheBytes: 0)
        let client = node.open()
        #expect(node.call(client, ["SET", "{b}b", "2"]) == "+OK\r\n")
        node.isApplierQuick = false
        #expect(node.call(client, ["SET", "{b}a", "1"]) == "+OK\r\n")
        node.isReaderQuick = false
        return (node, client)
    }

    /// How often the store is asked until there is an answer; at most ten times.
    private static func rounds(_ node: AdminNode, _ client: ConnectionID, _ first: String) -> (Int, String) {
        var reply = first
        var rounds = 0
        while reply.isEmpty, rounds < 10, node.answerReads() {
            rounds += 1
            reply = node.takeReply(client)
        }
        return (rounds, reply)
    }

    /// Each of the two rows would go while the other one comes, for ever.
    @Test func aCommandKeepsTheRowsItHas() {
        let (node, client) = Self.short()
        let first = node.call(client, ["MGET", "{b}a", "{b}b"])
        node.applyAll()
        let (rounds, reply) = Self.rounds(node, client, first)
        #expect(reply == "*2\r\n$1\r\n1\r\n$1\r\n2\r\n")
        #expect(rounds == 1)
    }

    @Test func aTransactionKeepsTheRowsItHas() {
        let (node, client) = Self.short()
        #expect(node.call(client, ["MULTI"], ["GET", "{b}a"], ["GET", "{b}b"]) == "+OK\r\n+QUEUED\r\n+QUEUED\r\n")
        let first = node.call(client, ["EXEC"])
        node.applyAll()
        let (rounds, reply) = Self.rounds(node, client, first)
        #expect(reply == "*2\r\n$1\r\n1\r\n$1\r\n2\r\n")
        #expect(rounds == 1)
    }

    /// What is watched is looked at before the transaction's own rows, and must still be there when those have come.
    @Test func aTransactionKeepsTheRowsItWatches() {
        let (node, client) = Self.short()
        #expect(node.call(client, ["WATCH", "{b}a"], ["MULTI"], ["GET", "{b}b"]) == "+OK\r\n+OK\r\n+QUEUED\r\n")
        let first = node.call(client, ["EXEC"])
        node.applyAll()
        let (rounds, reply) = Self.rounds(node, client, first)
        #expect(reply == "*1\r\n$1\r\n2\r\n")
        #expect(rounds <= 2)
    }

    /// A row that is kept and written meanwhile has its new value.
    @Test func whatIsWrittenMeanwhileIsAnswered() {
        let (node, client) = Self.short()
        let first = node.call(client, ["MGET", "{b}a", "{b}b"])
        let other = node.open()
        #expect(node.call(other, ["SET", "{b}a", "9"]) == "+OK\r\n")
        node.applyAll()
        #expect(Self.rounds(node, client, first).1 == "*2\r\n$1\r\n9\r\n$1\r\n2\r\n")
    }
}
