import ClusterModel
import Foundation
import LevelStore
import Testing

@testable import DataCore
@testable import NodeRuntime

/// Bytes of a node's log go bad on disk: the shards that may lack something end here, the others start (RULES E2, E3).
@Suite("Replicas that have lost something", .timeLimit(.minutes(2))) struct LostReplicaTests {
    private func configuration(_ shard: UInt64, _ nodes: [String]) -> ShardConfiguration {
        ShardConfiguration(
            id: ShardID(rawValue: shard), keyspace: KeyspaceID(rawValue: 1), epoch: Epoch(rawValue: 1),
            range: .slots(from: 0, to: 16384), policy: ReplicationPolicy(replicas: nodes.count),
            members: nodes.map { Member(node: NodeID(rawValue: $0), incarnation: .first) },
            proposal: Proposal(proposer: "metasrv", request: 1), primaryBoot: BootNonce(rawValue: 1))
    }

    private func start(_ shard: UInt64, _ nodes: [String], ticket: UInt64) -> LogBatch {
        let batch = LogBatch()
        batch.ticket = ticket
        batch.beginRecord(
            shard: ShardID(rawValue: shard), incarnation: .first, epoch: Epoch(rawValue: 1), seq: Seq(rawValue: 1),
            kind: .epochStart)
        var bytes = ByteBuffer(capacity: 256)
        configuration(shard, nodes).encode(into: &bytes)
        batch.append(bytes.view)
        batch.endRecord()
        return batch
    }

    /// A log of shards 1 and 2, each batch synced by itself, with a bad bit in shard 1's record 2.
    private func damagedBench(_ nodes: [String]) throws -> LogBench {
        let bench = try LogBench()
        do {
            let writer = try bench.writer(try bench.directory())
            let batches = [
                start(1, nodes, ticket: 1), start(2, nodes, ticket: 2),
                LogBench.batch(ticket: 3, shard: 1, seqs: 2...2),
                LogBench.batch(ticket: 4, shard: 2, seqs: 2...2), LogBench.batch(ticket: 5, shard: 1, seqs: 3...3),
                LogBench.batch(ticket: 6, shard: 2, seqs: 3...3),
            ]
            for batch in batches {
                bench.submit(writer, batch)
                #expect(bench.waitDurable(batch.ticket))
            }
            writer.stop()
        }
        let file = try #require(try bench.segments.last)
        try Scratch.flip(file, at: try LogBench.batchPlaces(file)[3] + 100)
        return bench
    }

    private func recover(_ bench: LogBench) throws -> (RecoveredNode, LogReader, ShardStores) {
        let directory = try bench.directory()
        let log = try LogReader(directory)
        let stores = ShardStores(directory: directory.storesPath, cacheBytes: 1 << 20, openFiles: 64)
        return (try StoreRecovery(log, stores, directory: directory, sync: .always).node, log, stores)
    }

    @Test func onlyTheShardThatLacksARecordIsGivenUp() throws {
        let bench = try damagedBench(["d2", "d1", "d3"])
        let (node, log, stores) = try recover(bench)
        stores.close()
        #expect(node.isDamaged && log.damages.count == 1)
        #expect(node.lost.map(\.store.shard) == [ShardID(rawValue: 1)])
        #expect(node.replicas.map(\.shard) == [ShardID(rawValue: 2)])
        #expect(node.replicas.first?.last == Seq(rawValue: 3))
        let held = node.batches.flatMap { batch -> [Seq] in
            var seqs: [Seq] = []
            batch.forEachRecord { header, _ in if header.shard.rawValue == 2 { seqs.append(header.seq) } }
            return seqs
        }
        #expect(held == [1, 2, 3].map { Seq(rawValue: $0) })
    }

    private static let end = ReplicaEnd(.first, promised: Epoch(rawValue: 4))

    /// What the core logs of it outlives the damaged segment.
    @Test func theEndOfALifeIsKept() throws {
        let bench = try damagedBench(["d2", "d1", "d3"])
        do {
            let writer = try bench.writer(try bench.directory())
            let ending = LogBatch()
            ending.ticket = 1
            ending.drop(ShardID(rawValue: 1), Self.end)
            bench.submit(writer, ending)
            #expect(bench.waitDurable(1))
            writer.stop()
        }
        for _ in 1...2 {
            let writer = try bench.writer(try bench.directory())
            writer.stop()
        }
        let (node, _, stores) = try recover(bench)
        stores.close()
        #expect(node.lost.isEmpty)
        #expect(node.dropped == [ShardID(rawValue: 1): Self.end])
    }

    @Test func theLastCopyIsNeverGivenUp() throws {
        let bench = try damagedBench(["d1"])
        let error = #expect(throws: DiskError.self) { _ = try recover(bench) }
        #expect(error?.description.contains("no other copy of this shard is known") == true)
        #expect(error?.description.contains("damaged at") == true)
    }

    /// The log ends before what the store holds. A start that ended before the log said that this life is over must not leave
    /// one behind that makes the store again from what the log has.
    @Test func whatOneStartGaveUpTheNextDoesNotTake() throws {
        let bench = try LogBench()
        do {
            let writer = try bench.writer(try bench.directory())
            for batch in [start(1, ["d2", "d1"], ticket: 1), LogBench.batch(ticket: 2, shard: 1, seqs: 2...2)] {
                bench.submit(writer, batch)
                #expect(bench.waitDurable(batch.ticket))
            }
            writer.stop()
        }
        let id = StoreID(shard: ShardID(rawValue: 1), incarnation: .first)
        do {
            let stores = ShardStores(
                directory: try bench.directory().storesPath, cacheBytes: 1 << 20, openFiles: 64)
            defer { stores.close() }
            try stores.open(id, usesSlots: true, isNew: true)
            let database = try #require(stores.database(openNow: id))
            try ShardStores.cut(
                database, applied: (Epoch(rawValue: 1), Seq(rawValue: 3)), durable: Seq(rawValue: 1))
        }
        for _ in 1...3 {
            let (node, _, stores) = try recover(bench)
            stores.close()
            #expect(node.replicas.isEmpty)
            #expect(node.lost.map(\.store) == [id])
        }
    }

    /// What told of it is lost: its rows stay for whoever looks into the matter.
    @Test func aStoreThatTheLogDoesNotKnowIsKept() throws {
        let scratch = try Scratch()
        let id = StoreID(shard: ShardID(rawValue: 1), incarnation: .first)
        try Files.makeDirectory(scratch.path("stores"))
        for expected in [nil, nil, nil] as [[UInt8]?] {
            let stores = ShardStores(directory: scratch.path("stores"), cacheBytes: 1 << 20, openFiles: 64)
            try stores.open(id, usesSlots: true, isNew: true)
            let database = try #require(stores.database(openNow: id))
            #expect(try database.value([7]) == expected, "a new store is empty")
            let changes = LevelBatch()
            [UInt8](repeating: 7, count: 1).withByteView { changes.put($0, $0) }
            try database.write(changes, syncs: true)
            stores.close()
        }
        #expect(try Files.names(in: scratch.path("stores")).sorted() == ["\(id)", "\(id).unknown", "\(id).unknown-2"])
    }
}
