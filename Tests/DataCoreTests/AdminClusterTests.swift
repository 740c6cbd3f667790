import ClusterModel
import Testing

@testable import DataCore

@Suite("CLUSTER") struct AdminClusterTests {
    private static let own = "0123456789abcdef000000000000000100000000"
    private static let other = "0000000000000002000000000000000200000000"

    @Test func infoOfACompleteMap() {
        let node = AdminNode()
        let text = node.call(node.open(.cluster), ["cluster", "info"])
        #expect(text.contains("cluster_state:ok\r\ncluster_slots_assigned:16384\r\ncluster_slots_ok:16384\r\n"))
        #expect(text.contains("cluster_known_nodes:2\r\ncluster_size:2\r\ncluster_current_epoch:3\r\n"))
        #expect(text.contains("cluster_my_epoch:3\r\n"))
    }

    @Test(arguments: [PortKind.cluster, .gateway])
    func withoutAKeyspaceTheClusterFails(port: PortKind) {
        let node = AdminNode(hasKeyspace: false)
        let client = node.open(port)
        let text = node.call(client, ["cluster", "info"])
        #expect(text.contains("cluster_state:fail\r\ncluster_slots_assigned:0\r\n"))
        #expect(node.call(client, ["cluster", "slots"]) == "*0\r\n")
        #expect(!node.call(client, ["cluster", "nodes"]).contains("0-"))
    }

    /// Slots of one node that lie side by side are one interval, though two shards hold them.
    @Test func nodes() {
        let node = AdminNode()
        let client = node.open(.cluster)
        let lines =
            "\(Self.own) 127.0.0.1:7511@17511 myself,master - 0 0 3 connected 0-8191\n"
            + "\(Self.other) 127.0.0.1:7521@17521 master - 0 1700000000000 2 connected 8192-16383\n"
        #expect(node.call(client, ["cluster", "nodes"]) == "$\(lines.utf8.count)\r\n\(lines)\r\n")
        #expect(node.call(client, ["CLUSTER", "MYID"]) == "$40\r\n\(Self.own)\r\n")
    }

    @Test func slots() {
        let node = AdminNode()
        let client = node.open(.cluster)
        func entry(_ first: Int, _ last: Int, _ port: Int, _ id: String, _ empty: String) -> String {
            "*3\r\n:\(first)\r\n:\(last)\r\n*4\r\n$9\r\n127.0.0.1\r\n:\(port)\r\n$40\r\n\(id)\r\n\(empty)\r\n"
        }
        let two = entry(0, 8191, 7511, Self.own, "*0") + entry(8192, 16383, 7521, Self.other, "*0")
        #expect(node.call(client, ["cluster", "slots"]) == "*2\r\n" + two)
        node.call(client, ["hello", "3"])
        let three = entry(0, 8191, 7511, Self.own, "%0") + entry(8192, 16383, 7521, Self.other, "%0")
        #expect(node.call(client, ["cluster", "slots"]) == "*2\r\n" + three)
    }

    @Test func shards() {
        let node = AdminNode()
        let client = node.open(.cluster)
        let text = node.call(client, ["cluster", "shards"])
        let first =
            "*2\r\n*4\r\n$5\r\nslots\r\n*2\r\n:0\r\n:8191\r\n$5\r\nnodes\r\n*1\r\n*14\r\n$2\r\nid\r\n$40\r\n"
            + "\(Self.own)\r\n$4\r\nport\r\n:7511\r\n$2\r\nip\r\n$9\r\n127.0.0.1\r\n$8\r\nendpoint\r\n$9\r\n127.0.0.1"
            + "\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$18\r\nreplication-offset\r\n"
        #expect(text.hasPrefix(first), "\(text)")
        #expect(text.hasSuffix("$6\r\nhealth\r\n$6\r\nonline\r\n"))
    }

    @Test(arguments: [
        (["keyslot", "foo"], ":12182\r\n"), (["keyslot", "foo{bar}{zap}"], ":5061\r\n"),
        (["keyslot"], "-ERR wrong number of arguments for 'cluster|keyslot' command\r\n"),
        (["countkeysinslot", "x"], "-ERR value is not an integer or out of range\r\n"),
        (["countkeysinslot", "16384"], "-ERR Invalid slot\r\n"), (["countkeysinslot", "-1"], "-ERR Invalid slot\r\n"),
        (["countkeysinslot", "16383"], ":0\r\n"),
        (["meet"], "-ERR unknown subcommand 'meet'. Try CLUSTER HELP.\r\n"),
        ([], "-ERR wrong number of arguments for 'cluster' command\r\n"),
    ])
    func words(_ arguments: [String], _ reply: String) {
        let node = AdminNode()
        #expect(node.call(node.open(.cluster), ["cluster"] + arguments) == reply)
    }

    /// Counts what is committed, of this slot alone; what a client sends behind it waits for it.
    @Test func countKeysInSlot() {
        let node = AdminNode()
        let client = node.open(.cluster)
        #expect(node.call(client, ["set", "{k}1", "x"], ["set", "{k}2", "x"], ["set", "b", "x"]).utf8.count == 15)
        #expect(node.call(client, ["cluster", "countkeysinslot", "7629"], ["ping"]) == ":2\r\n+PONG\r\n")
        #expect(node.call(client, ["cluster", "countkeysinslot", "7628"]) == ":0\r\n")
    }

    @Test func flagsOfClusterClients() {
        let node = AdminNode()
        let client = node.open(.cluster)
        #expect(node.call(client, ["readonly"], ["asking"]) == "+OK\r\n+OK\r\n")
        #expect(node.call(client, ["client", "info"]).contains(" flags=r "))
        #expect(node.call(client, ["readwrite"]) == "+OK\r\n")
        #expect(node.call(client, ["client", "info"]).contains(" flags=N "))
        #expect(node.call(client, ["hello"]).contains("$4\r\nmode\r\n$7\r\ncluster\r\n"))
        #expect(node.call(node.open(.gateway), ["hello"]).contains("$4\r\nmode\r\n$10\r\nstandalone\r\n"))
    }
}
