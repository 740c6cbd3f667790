internal import ClusterModel
internal import DataCore
internal import Foundation
internal import Synchronization

/// When the log is synced.
public enum SyncMode: Hashable, Sendable {
    /// Before a batch counts as durable: one sync for all that wait (group commit).
    case always
    /// Every so many ms; a batch counts as durable once it is written.
    case interval(milliseconds: Int)
    /// When the system likes.
    case never
}

/// The thread that makes batches durable: it writes all that wait, syncs once, says how far it came; while it syncs the
/// next batches gather. The first failure is the last thing it does (RULES E2).
final class LogWriter: @unchecked Sendable {
    /// What it did since start.
    struct Counters: Sendable {
        var batches: UInt64 = 0
        var bytes: UInt64 = 0
        var syncs: UInt64 = 0
        /// Sum of all syncs, and the longest since it was last asked, ns.
        var syncNanos: UInt64 = 0
        var longestSyncNanos: UInt64 = 0
        /// Counts of syncs that took up to 2^n microseconds.
        var syncBuckets = [UInt64](repeating: 0, count: 24)
    }

    private let directory: String
    private let log: UniqueID
    private let mode: SyncMode
    private let segmentBytes: Int
    private let queue = WorkQueue<LogBatch>()
    private let isDurable: (UInt64) -> Void
    private let failed: (String) -> Void
    private let lock = Mutex(Shared())
    private var worker: Worker?

    // Of the thread alone.
    private var control: ControlState
    private var segment: SegmentFile
    private var place: LogOffset
    private var syncedThrough: LogOffset
    private var checksum: UInt32

    private struct Shared {
        var counters = Counters()
        /// Segments that may be used again.
        var recycled: [String] = []
        var generation: UInt64 = 0
    }

    static let segmentBytes = 64 << 20
    /// Segments kept for use again, and what their names end with.
    private static let keptSegments = 2
    static let freeEnding = ".free"

    /// Begins a new segment behind what recovery found, and starts the thread.
    /// - Parameters:
    ///   - durable: told from the thread: batches up to this ticket are durable.
    ///   - failed: told from the thread, once: nothing more will be durable.
    init(
        directory: NodeDirectory, recovered: LogReader, mode: SyncMode, segmentBytes: Int = LogWriter.segmentBytes,
        durable: @escaping (UInt64) -> Void, failed: @escaping (String) -> Void
    ) throws(DiskError) {
        self.directory = directory.logPath
        log = directory.identity.log
        self.mode = mode
        self.segmentBytes = segmentBytes
        isDurable = durable
        self.failed = failed
        control = recovered.control
        checksum = recovered.lastChecksum
        let generation = recovered.nextGeneration
        segment = try SegmentFile(
            directory: directory.logPath, log: log, generation: generation, size: segmentBytes, recycled: nil)
        place = LogOffset(generation: generation, offset: SegmentHeader.firstBatch)
        syncedThrough = place
        try openSegment()
        worker = Worker("log-writer") { [self] in run() }
    }

    func submit(_ batch: LogBatch) { queue.add(batch) }

    /// Writes and syncs what waits, then ends the thread.
    func stop() {
        queue.close()
        worker?.wait()
    }

    var counters: Counters {
        lock.withLock { shared in
            let counters = shared.counters
            shared.counters.longestSyncNanos = 0
            return counters
        }
    }

    /// The segment that is written now.
    var generation: UInt64 { lock.withLock { $0.generation } }

    /// Segments before `generation` hold nothing that is still needed: some are kept to be written again, the others go.
    /// Oldest first, so that a crash in between leaves no hole. For one thread at a time.
    func release(below generation: UInt64) throws(DiskError) {
        var free: [String] = []
        let room = Self.keptSegments - lock.withLock { $0.recycled.count }
        for name in try Files.names(in: directory) {
            guard let found = SegmentFile.generation(of: name), found < generation else { continue }
            let path = "\(directory)/\(name)"
            if free.count < room {
                guard unsafe rename(path, path + Self.freeEnding) == 0 else { throw DiskError("cannot rename", path) }
                free.append(path + Self.freeEnding)
            } else {
                guard unsafe unlink(path) == 0 else { throw DiskError("cannot remove", path) }
            }
        }
        // A file is written again only when no crash can bring its old name back (RULES E7).
        try Files.syncDirectory(directory)
        lock.withLock { $0.recycled += free }
    }

    // MARK: The thread

    private func run() {
        let period: Double? =
            switch mode {
            case .interval(let milliseconds): Double(max(milliseconds, 1)) / 1000
            case .always, .never: nil
            }
        var isUnsynced = false
        var lastSync = Clocks.monotonic()
        do {
            while let batches = queue.takeAll(within: period) {
                for batch in batches { try write(batch) }
                isUnsynced = isUnsynced || !batches.isEmpty
                if case .always = mode {
                    try sync()
                } else if let period, isUnsynced, Double(Clocks.monotonic() - lastSync) >= period * 1e9 {
                    try sync()
                    isUnsynced = false
                    lastSync = Clocks.monotonic()
                }
                if let last = batches.last { isDurable(last.ticket) }
            }
            try sync()
        } catch {
            failed("\(error)")
        }
    }

    private func write(_ batch: LogBatch) throws(DiskError) {
        if Int(place.offset) + batch.sizeOnDisk > segment.size { try roll(for: batch.sizeOnDisk) }
        batch.generation = place.generation
        control.note(batch)
        try put(batch, isCheckpoint: false)
    }

    private func put(_ batch: LogBatch, isCheckpoint: Bool) throws(DiskError) {
        let stamp = BatchStamp(
            log: log, place: place, syncedThrough: syncedThrough, previousChecksum: checksum,
            isCheckpoint: isCheckpoint)
        let sealed = batch.seal(stamp)
        try segment.write(sealed.bytes, at: place.offset)
        checksum = sealed.checksum
        place.offset += UInt64(sealed.bytes.count)
        let size = UInt64(sealed.bytes.count)
        lock.withLock { shared in
            shared.counters.batches += 1
            shared.counters.bytes += size
        }
    }

    private func sync() throws(DiskError) {
        let start = Clocks.monotonic()
        try segment.sync()
        syncedThrough = place
        let spent = Clocks.monotonic() - start
        lock.withLock { shared in
            shared.counters.syncs += 1
            shared.counters.syncNanos += spent
            shared.counters.longestSyncNanos = max(shared.counters.longestSyncNanos, spent)
            let bucket = min(64 - (spent / 1000).leadingZeroBitCount, shared.counters.syncBuckets.count - 1)
            shared.counters.syncBuckets[bucket] += 1
        }
    }

    /// Goes on in a new segment: the full one is synced first, so that no later segment has what an earlier one lacks.
    private func roll(for size: Int) throws(DiskError) {
        try sync()
        let recycled = lock.withLock { $0.recycled.popLast() }
        let generation = place.generation + 1
        let needed = Int(SegmentHeader.firstBatch) + checkpoint().sizeOnDisk + size
        segment = try SegmentFile(
            directory: directory, log: log, generation: generation, size: max(segmentBytes, needed), recycled: recycled)
        place = LogOffset(generation: generation, offset: SegmentHeader.firstBatch)
        try openSegment()
    }

    private func checkpoint() -> LogBatch {
        let opening = LogBatch(capacity: 4096)
        control.write(to: opening)
        return opening
    }

    /// Writes the checkpoint that opens a segment and syncs it before anything depends on it (RULES E8).
    private func openSegment() throws(DiskError) {
        try put(checkpoint(), isCheckpoint: true)
        try sync()
        let generation = place.generation
        lock.withLock { $0.generation = generation }
    }
}
