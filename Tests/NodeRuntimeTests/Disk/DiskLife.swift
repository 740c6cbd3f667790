import ClusterModel
import Foundation
import LevelStore
import Synchronization
import Testing

@testable import DataCore
@testable import NodeRuntime

/// A data node's disk from start to stop, without a core: the test says what is logged and what is committed.
///
/// One shard, written by seqs from 1 up; the first record is the start of its epoch.
final class DiskLife {
    static let shard = ShardID(rawValue: 1)
    static let store = StoreID(shard: shard, incarnation: .first)

    /// What the threads told.
    final class Told: Sendable {
        struct State {
            var durable: UInt64 = 0
            var applied: UInt64 = 0
            var answers = 0
            var failures: [String] = []
        }
        let state = Mutex(State())

        /// Waits until a condition holds; bounded.
        func wait(_ seconds: Double = 20, until holds: (State) -> Bool) -> Bool {
            let limit = Date(timeIntervalSinceNow: seconds)
            while Date() < limit {
                if state.withLock({ holds($0) }) { return true }
                usleep(500)  // poll: the threads told what is waited for
            }
            return false
        }

        var durable: UInt64 { state.withLock { $0.durable } }
        var failures: [String] { state.withLock { $0.failures } }
        func fail(_ text: String) { state.withLock { $0.failures.append(text) } }
    }

    let told = Told()
    let directory: NodeDirectory
    let stores: ShardStores
    let applier: Applier
    let writer: LogWriter
    let readers: Readers
    let flusher: Flusher
    /// Batches that were recovered.
    let recovered: Int
    private(set) var ticket: UInt64
    private(set) var seq: UInt64

    init(
        _ path: String, segmentBytes: Int = 1 << 20, retained: UInt64 = 1, mode: SyncMode = .always
    ) throws {
        let told = told
        directory = try NodeDirectory(path: path, node: NodeID(rawValue: "d1"))
        let log = try LogReader(directory)
        stores = ShardStores(directory: directory.storesPath, cacheBytes: 1 << 20, openFiles: 128)
        let recovery = try StoreRecovery(log, stores, directory: directory, sync: mode)
        applier = Applier(
            stores: stores, applied: recovery.applied,
            isApplied: { marks, _ in
                told.state.withLock { state in
                    for mark in marks { state.applied = max(state.applied, mark.seq.rawValue) }
                }
            }, failed: { told.fail("applier: \($0)") })
        for batch in recovery.node.batches { applier.add(.batch(batch)) }
        recovered = recovery.node.batches.count
        ticket = UInt64(recovered)
        seq = log.control[Self.shard]?.last.rawValue ?? 0
        let (ticket, held) = (ticket, recovery.applied[Self.store]?.rawValue ?? 0)
        told.state.withLock { state in
            state.durable = ticket
            state.applied = held
        }
        applier.add(.apply([CommitMark(store: Self.store, seq: Seq(rawValue: seq))], durable: ticket))
        writer = try LogWriter(
            directory: directory, recovered: log, mode: mode, segmentBytes: segmentBytes,
            durable: { ticket in told.state.withLock { $0.durable = max($0.durable, ticket) } },
            failed: { told.fail("log: \($0)") })
        readers = Readers(
            stores: stores, log: LogSearch(directory: directory.logPath, log: directory.identity.log),
            answer: { _ in told.state.withLock { $0.answers += 1 } },
            failed: { told.fail("reader: \($0)") })
        flusher = Flusher(
            writer: writer, applier: applier, oldest: log.oldestGeneration, retained: retained, period: 0.01,
            failed: { told.fail("flusher: \($0)") })
        if seq == 0 { start() }
    }

    private func start() {
        applier.add(.open(Self.store, usesSlots: true, isNew: true))
        let configuration = ShardConfiguration(
            id: Self.shard, keyspace: KeyspaceID(rawValue: 1), epoch: Epoch(rawValue: 1),
            range: .slots(from: 0, to: 16384), policy: ReplicationPolicy(replicas: 1),
            members: [Member(node: NodeID(rawValue: "d1"), incarnation: .first)],
            proposal: Proposal(proposer: "metasrv", request: 1), primaryBoot: BootNonce(rawValue: 1))
        var bytes = ByteBuffer(capacity: 256)
        configuration.encode(into: &bytes)
        log(kind: .epochStart) { $0.append(bytes.view) }
    }

    /// Logs one record as a batch of its own.
    @discardableResult func log(kind: RecordKind = .data, _ fill: (LogBatch) -> Void) -> UInt64 {
        seq += 1
        ticket += 1
        let batch = LogBatch()
        batch.ticket = ticket
        batch.beginRecord(
            shard: Self.shard, incarnation: .first, epoch: Epoch(rawValue: 1), seq: Seq(rawValue: seq), kind: kind)
        fill(batch)
        batch.endRecord()
        applier.add(.batch(batch))
        writer.submit(batch)
        if let ticket = writer.settle(byThread: ticket.isMultiple(of: 2)) {
            told.state.withLock { $0.durable = max($0.durable, ticket) }
        }
        return ticket
    }

    func put(_ key: String, _ value: [UInt8], deadline: Int64 = 0) {
        log { batch in
            Array(key.utf8).withByteView { key in
                value.withByteView { batch.put(key: key, value: $0, deadline: deadline) }
            }
        }
    }

    func delete(_ key: String) { log { batch in Array(key.utf8).withByteView { batch.delete(key: $0) } } }

    /// Waits until all that was logged is durable, commits it, and waits until it is in the store.
    func commit() -> Bool {
        let (ticket, seq) = (ticket, seq)
        guard told.wait(until: { $0.durable >= ticket || !$0.failures.isEmpty }) else { return false }
        guard told.failures.isEmpty else { return false }
        applier.add(.apply([CommitMark(store: Self.store, seq: Seq(rawValue: seq))], durable: ticket))
        applier.hurry()
        return told.wait(until: { $0.applied >= seq || !$0.failures.isEmpty }) && told.failures.isEmpty
    }

    func value(_ key: String) throws -> [UInt8]? {
        var row = ByteBuffer(capacity: 64)
        Array(key.utf8).withByteView { RowKey.write($0, usesSlots: true, to: &row) }
        let database = try #require(stores.database(Self.store))
        return try database.withValue(row.view) { bytes in bytes.flatMap { StoredValue($0)?.value.array } }
    }

    var database: LevelDatabase? { stores.database(openNow: Self.store) }

    /// A clean stop, or that of a process that just ends: then nothing more is made durable in the stores.
    func stop(isClean: Bool = true) {
        writer.stop()
        applier.stop()
        readers.stop()
        isClean ? flusher.stop() : flusher.halt()
        stores.close()
    }
}
