import ClusterModel
import DataCore
import Foundation
import Synchronization

@testable import NodeRuntime

/// Records, batches and segments on real files.
final class LogBench: Sendable {
    let scratch: Scratch
    private let durable = Mutex<UInt64>(0)
    private let failure = Mutex<DiskError?>(nil)

    init() throws { scratch = try Scratch() }

    func directory() throws -> NodeDirectory {
        try NodeDirectory(path: scratch.path("d1"), node: NodeID(rawValue: "d1"))
    }

    func writer(_ directory: NodeDirectory, segmentBytes: Int = 1 << 20, mode: SyncMode = .always) throws -> LogWriter {
        let reader = try LogReader(directory)
        durable.withLock { $0 = 0 }
        failure.withLock { $0 = nil }
        return try LogWriter(
            directory: directory, recovered: reader, mode: mode, segmentBytes: segmentBytes,
            durable: { ticket in self.durable.withLock { $0 = max($0, ticket) } },
            failed: { error in self.failure.withLock { $0 = error } })
    }

    static func batch(ticket: UInt64, shard: UInt64 = 1, seqs: ClosedRange<UInt64>, value: Int = 100) -> LogBatch {
        let batch = LogBatch()
        batch.ticket = ticket
        for seq in seqs {
            batch.beginRecord(
                shard: ShardID(rawValue: shard), incarnation: .first, epoch: Epoch(rawValue: 1),
                seq: Seq(rawValue: seq),
                kind: .data)
            Array("key\(seq)".utf8).withByteView { key in
                [UInt8](repeating: UInt8(truncatingIfNeeded: seq), count: value).withByteView {
                    batch.put(key: key, value: $0)
                }
            }
            batch.endRecord()
        }
        return batch
    }

    static func batchPlaces(_ file: String) throws -> [Int] {
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
        return stride(from: 4096, to: bytes.count - 4, by: 64).filter {
            bytes[$0..<$0 + 4] == [0x4F, 0x42, 0x41, 0x54]
        }
    }

    /// Gives a batch to the writer: every other one to its thread, the rest is written here.
    func submit(_ writer: LogWriter, _ batch: LogBatch) {
        writer.submit(batch)
        if let ticket = writer.settle(byThread: batch.ticket.isMultiple(of: 2)) {
            durable.withLock { $0 = max($0, ticket) }
        }
    }

    /// Waits until a ticket is durable or the writer failed; bounded.
    func waitDurable(_ ticket: UInt64) -> Bool {
        let limit = Date(timeIntervalSinceNow: 10)
        while Date() < limit {
            if durable.withLock({ $0 >= ticket }) { return true }
            if failure.withLock({ $0 != nil }) { return false }
            usleep(500)  // poll: durable or failed
        }
        return false
    }

    /// The last ticket that was told durable.
    var durableTicket: UInt64 { durable.withLock { $0 } }
    /// What the writer said of its failure.
    var failed: String? { failure.withLock { $0?.description } }
    /// Whether it merely was refused, so that nothing on disk is in doubt.
    var wasRefused: Bool { failure.withLock { $0?.remedy != nil } }

    var segments: [String] { get throws { try scratch.files("d1/log", ending: ".seg") } }
}
