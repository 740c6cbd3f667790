import ClusterModel
import Testing

@testable import DataCore

/// What a native client's stamped command is answered; SHARD.STAMP keyspace shard epoch command.
@Suite(.timeLimit(.minutes(1)))
struct StampTests {
    /// Keys of slots 0 ..< 4096 (shard 1, epoch 1), 4096 ..< 8192 (shard 2, epoch 3) and above (shard 3, on d2, epoch 2).
    private static let keys = (1...3).map { shard in
        let keys = (0..<1000).lazy.map { "key:\($0)" }
        return keys.first { min(Int(Slot(ofKey: Array($0.utf8)).number) / 4096, 2) == shard - 1 } ?? ""
    }

    private func get(shard: Int, epoch: UInt64, key: Int? = nil) -> [String] {
        ["SHARD.STAMP", "1", "\(shard)", "\(epoch)", "GET", Self.keys[(key ?? shard) - 1]]
    }

    /// The configuration that a STALE answer carries.
    private func configuration(in reply: String) -> ShardConfiguration? {
        let words = reply.split(whereSeparator: \.isWhitespace)
        guard words.count == 4, words[0] == "-STALE", let bytes = Base64.decode(String(words[3])) else { return nil }
        return bytes.withByteView { ShardConfiguration(decoding: $0) }
    }

    @Test func onlyTheVeryEpochIsServed() throws {
        let node = AdminNode()
        let client = node.open(.cluster)
        #expect(node.call(client, get(shard: 2, epoch: 3)) == "$-1\r\n")
        for epoch in [0, 2, 4, UInt64.max] {
            let hint = try #require(configuration(in: node.call(client, get(shard: 2, epoch: epoch))))
            #expect(hint.id.rawValue == 2 && hint.epoch.rawValue == 3)
        }
        // Another node's shard, whatever the stamp.
        #expect(configuration(in: node.call(client, get(shard: 3, epoch: 2)))?.primary?.node == AdminNode.other.id)
        // A key of another shard, as after a split.
        #expect(configuration(in: node.call(client, get(shard: 1, epoch: 1, key: 2)))?.id.rawValue == 1)
        #expect(node.call(client, ["SHARD.STAMP", "1", "99", "1", "GET", "a"]) == "-STALE 99 0\r\n")
        #expect(node.call(client, ["SHARD.STAMP", "1", "x", "1", "GET", "a"]).hasPrefix("-ERR"))
    }

    @Test func aShardThatDoesNotServeYetHoldsUpNobodyElse() throws {
        let node = AdminNode()
        let client = node.open(.cluster)
        var next = try #require(configuration(in: node.call(client, get(shard: 2, epoch: 4))))
        next.epoch = Epoch(rawValue: 4)
        node.isLogQuick = false
        node.advance(millis: 600)
        node.answerBeat(
            delta: RouteDelta(
                cluster: AdminNode.cluster, since: RouteVersion(rawValue: 1), version: RouteVersion(rawValue: 2),
                shards: [next]))
        // Its epoch-start record is not durable. The connection carries commands of other shards, too.
        #expect(
            node.call(client, get(shard: 2, epoch: 4), get(shard: 1, epoch: 1))
                == "-TRYAGAIN shard 2 does not serve here yet\r\n$-1\r\n")
        node.sync()
        #expect(node.call(client, get(shard: 2, epoch: 4)) == "$-1\r\n")
    }
}
