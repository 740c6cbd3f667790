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

/// Makes batches durable: writes all that wait, syncs once, says how far it came. The first failure is the last thing it
/// does (RULES E2).
///
/// Two ways lead there. A thread of its own takes what is submitted; while it syncs the next batches gather. Where a sync is
/// quicker than two wake-ups are, the submitter does both itself at the end of its turn (`settle`).
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
    private let makeRoom: () -> Bool
    private let isDurable: (UInt64) -> Void
    private let failed: (DiskError) -> Void
    private let lock = Mutex(Shared())
    private var worker: Worker?

    /// Held by whoever writes or syncs; guards all below.
    private let writing = NSLock()
    private var control: ControlState
    private var segment: SegmentFile
    private var place: LogOffset
    private var syncedThrough: LogOffset
    private var checksum: UInt32
    /// Whether a batch was written since the last sync.
    private var isUnsynced = false

    // Of the submitter alone.
    /// Batches kept for `settle`.
    private var kept: [LogBatch] = []
    private var keptBytes = 0
    /// Jobs given to the thread.
    private var handed = 0
    /// Jobs the thread is done with.
    private let finished = Atomic<Int>(0)
    /// Average of the last syncs, ns.
    private let usualSync = Atomic<UInt64>(0)

    private struct Shared {
        var counters = Counters()
        /// Segments that may be used again.
        var recycled: [String] = []
        /// Spares made so far.
        var spares: UInt64 = 0
        var generation: UInt64 = 0
    }

    static let segmentBytes = 64 << 20
    /// Above it, in ns, a sync is left to the thread: sockets would wait for it too long.
    private static let quickSync: UInt64 = 400_000
    /// Most bytes that the submitter writes itself.
    private static let settledBytes = 1 << 20
    /// Segments kept for use again, and what their names end with.
    private static let keptSegments = 2
    static let freeEnding = ".free"

    /// Begins a new segment behind what recovery found, and starts the thread.
    /// - Parameters:
    ///   - makeRoom: gives back room on a full disk; false if there is none to give.
    ///   - durable: told from the thread: batches up to this ticket are durable.
    ///   - failed: told from the thread, once: nothing more will be durable.
    init(
        directory: NodeDirectory, recovered: LogReader, mode: SyncMode, segmentBytes: Int = LogWriter.segmentBytes,
        makeRoom: @escaping () -> Bool = { false }, durable: @escaping (UInt64) -> Void,
        failed: @escaping (DiskError) -> Void
    ) throws(DiskError) {
        self.directory = directory.logPath
        log = directory.identity.log
        self.mode = mode
        self.segmentBytes = segmentBytes
        self.makeRoom = makeRoom
        isDurable = durable
        self.failed = failed
        control = recovered.control
        checksum = recovered.lastChecksum
        let generation = recovered.nextGeneration
        segment = try Self.makeSegment(
            directory: directory.logPath, log: log, generation: generation, size: segmentBytes, recycled: nil,
            makeRoom: makeRoom)
        place = LogOffset(generation: generation, offset: SegmentHeader.firstBatch)
        syncedThrough = place
        try openSegment()
        worker = Worker("log-writer") { [self] in run() }
    }

    /// Takes a batch, behind all earlier ones. Its submitter has to call `settle` before it goes to sleep.
    func submit(_ batch: LogBatch) {
        kept.append(batch)
        keptBytes += batch.sizeOnDisk
    }

    /// Makes durable on the caller's thread what was submitted since the last call, if that is quick; else the thread has
    /// it to do. For the submitter's thread alone.
    /// - Parameter byThread: leave it to the thread in any case.
    /// - Returns: the ticket up to which batches are durable now, nil if that will be told.
    func settle(byThread: Bool = false) -> UInt64? {
        guard let last = kept.last else { return nil }
        defer {
            kept.removeAll(keepingCapacity: true)
            keptBytes = 0
        }
        guard !byThread, isQuick, finished.load(ordering: .acquiring) == handed, writing.try() else {
            handOver()
            return nil
        }
        defer { writing.unlock() }
        guard Int(place.offset) + keptBytes <= segment.size else {
            handOver()
            return nil
        }
        do {
            for batch in kept { try write(batch) }
            if case .always = mode { try sync() }
        } catch {
            failed(error)
            return nil
        }
        return last.ticket
    }

    /// Gives what was submitted to the thread.
    private func handOver() {
        for batch in kept { queue.add(batch) }
        handed += kept.count
        kept.removeAll(keepingCapacity: true)
        keptBytes = 0
    }

    private var isQuick: Bool {
        guard keptBytes <= Self.settledBytes else { return false }
        if case .always = mode { return usualSync.load(ordering: .relaxed) <= Self.quickSync }
        return true
    }

    /// Writes and syncs what waits, then ends the thread. For the submitter's thread.
    func stop() {
        handOver()
        queue.close()
        worker?.wait()
    }

    /// Where batches count as durable before they are: makes all that was written so. LevelDB makes rows durable when it
    /// likes, and a row whose record the log has lost would be nobody's (RULES C16).
    func syncWritten() throws(DiskError) {
        if case .always = mode { return }
        writing.lock()
        defer { writing.unlock() }
        if isUnsynced { try sync() }
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

    /// Has a spare segment at hand, written once over: the first sync of a place in a merely allocated file costs half as
    /// much again, and now and then milliseconds. Nothing depends on it: without room for one there is none. For one
    /// thread at a time, beside the one that writes.
    func prepareSpare() {
        // No name is used twice: the spare before may have been taken this very moment, and still go by its old name.
        let number: UInt64? = lock.withLock { shared in
            guard shared.recycled.isEmpty else { return nil }
            shared.spares += 1
            return shared.spares
        }
        guard let number else { return }
        let path = "\(directory)/spare-\(number)\(Self.freeEnding)"
        do {
            try SegmentFile.makeSpare(path, size: segmentBytes)
            lock.withLock { $0.recycled.append(path) }
        } catch {
            unsafe unlink(path)
        }
    }

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
        var lastSync = Clocks.monotonic()
        do {
            while let batches = queue.takeAll(within: period) {
                writing.lock()
                defer { writing.unlock() }
                for batch in batches { try write(batch) }
                if case .always = mode {
                    try sync()
                } else if let period, isUnsynced, Double(Clocks.monotonic() - lastSync) >= period * 1e9 {
                    try sync()
                    lastSync = Clocks.monotonic()
                }
                if let last = batches.last { isDurable(last.ticket) }
                finished.add(batches.count, ordering: .releasing)
            }
            writing.lock()
            defer { writing.unlock() }
            if isUnsynced { try sync() }
        } catch {
            failed(error)
        }
    }

    private func write(_ batch: LogBatch) throws(DiskError) {
        if Int(place.offset) + batch.sizeOnDisk > segment.size { try roll(for: batch.sizeOnDisk) }
        batch.generation = place.generation
        control.note(batch)
        try put(batch, isCheckpoint: false)
        isUnsynced = true
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
        isUnsynced = false
        let spent = Clocks.monotonic() - start
        let usual = usualSync.load(ordering: .relaxed)
        usualSync.store(usual == 0 ? spent : (usual &* 15 &+ spent) / 16, ordering: .relaxed)
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
        segment = try Self.makeSegment(
            directory: directory, log: log, generation: generation, size: max(segmentBytes, needed), recycled: recycled,
            makeRoom: makeRoom)
        place = LogOffset(generation: generation, offset: SegmentHeader.firstBatch)
        try openSegment()
    }

    /// A segment is the only thing whose making needs room; nothing is written yet when there is none.
    private static func makeSegment(
        directory: String, log: UniqueID, generation: UInt64, size: Int, recycled: String?, makeRoom: () -> Bool
    ) throws(DiskError) -> SegmentFile {
        do {
            return try SegmentFile(
                directory: directory, log: log, generation: generation, size: size, recycled: recycled)
        } catch {
            guard error.isFull, makeRoom() else { throw error }
            // A recycled file has its new name by now.
            return try SegmentFile(directory: directory, log: log, generation: generation, size: size, recycled: nil)
        }
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
