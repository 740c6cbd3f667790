internal import ClusterModel
internal import DataCore
internal import Glibc

/// What a node's log holds when it is opened.
final class LogReader {
    let control: ControlState
    let lastChecksum: UInt32
    /// The generation of the segment to begin.
    let nextGeneration: UInt64
    /// The first record of each shard that the log still has.
    let first: [ShardID: Seq]
    let oldestGeneration: UInt64
    /// Where bytes of the log are lost (RULES E3).
    let damages: [LogRecovery.Damage]
    /// How many segments there are.
    let segments: Int
    private let batches: [LogRecovery.Found]
    private let contents: [UInt64: SegmentContent]
    private let buffer: SegmentBuffer
    private let directory: String

    /// Reads and judges all segments. Where bytes are lost is told, and the segment gets a second name, so that it stays for
    /// whoever looks into the matter; a torn tail is cut, and what was left of it is gone from the disk before this returns
    /// (RULES E3).
    init(_ node: NodeDirectory) throws(DiskError) {
        directory = node.logPath
        buffer = SegmentBuffer(directory)
        var recovery = LogRecovery(log: node.identity.log)
        var generations: [UInt64] = []
        for name in try Files.names(in: directory) {
            if name.hasSuffix(LogWriter.freeEnding) {
                unsafe unlink("\(directory)/\(name)")
                continue
            }
            guard let generation = SegmentFile.generation(of: name) else { continue }
            generations.append(generation)
            try buffer.read(generation)
            buffer.withByteView { recovery.take(generation: generation, $0) }
        }
        if let fault = recovery.fault {
            throw DiskError(
                "\(directory): \(fault), and nothing behind it can be read: restore the directory from a backup, or "
                    + "retire the node")
        }
        for damage in recovery.damages { try Self.keep(damage.place.generation, in: directory) }
        if recovery.end == .zero, !node.isNew, node.identity.cluster != nil {
            throw DiskError(
                "\(directory) holds no readable segment, though the node has served: restore it from a backup")
        }
        var hasRemains = false
        if recovery.end.generation > 0 {
            try buffer.read(recovery.end.generation)
            hasRemains = buffer.withByteView { recovery.hasRemains(in: $0) }
        }
        try Self.cut(
            directory, behind: recovery.end, vouched: recovery.vouchedThrough, hasRemains: hasRemains, generations)
        segments = generations.count
        control = recovery.control
        first = recovery.firstSeen
        nextGeneration = recovery.end.generation + 1
        oldestGeneration = recovery.batches.first?.start.generation ?? nextGeneration
        lastChecksum = recovery.lastChecksum
        batches = recovery.batches
        contents = recovery.contents
        damages = recovery.damages
    }

    /// What the second name of a damaged segment ends with.
    static let damagedEnding = ".damaged"

    private static func keep(_ generation: UInt64, in directory: String) throws(DiskError) {
        let path = "\(directory)/\(SegmentFile.name(generation))"
        guard Files.exists(path) else { return }
        guard unsafe link(path, path + damagedEnding) == 0 || errno == EEXIST else {
            throw DiskError("cannot link", path)
        }
    }

    /// Removes segments that were begun and never opened, and zeroes what is left of a batch that was cut: neither may
    /// stand between the log's end and what comes next. What no later batch vouches for is written once more: a process that
    /// was killed may have written what it never synced, and after a sync that failed the system may have it in memory, take
    /// it for written and never write it (RULES E2). It is read now, and counts as durable from here on.
    private static func cut(
        _ directory: String, behind end: LogOffset, vouched: LogOffset, hasRemains: Bool, _ generations: [UInt64]
    ) throws(DiskError) {
        for generation in generations where generation > end.generation {
            let path = "\(directory)/\(SegmentFile.name(generation))"
            guard unsafe unlink(path) == 0 else { throw DiskError("cannot remove", path) }
        }
        try Files.syncDirectory(directory)
        guard end.generation > 0 else { return }
        let last = "\(directory)/\(SegmentFile.name(end.generation))"
        let start = vouched.generation == end.generation ? min(vouched.offset, end.offset) : 0
        try SegmentFile.rewrite(last, from: Int(start), to: Int(end.offset))
        if hasRemains { try SegmentFile.zero(last, from: Int(end.offset)) }
    }

    /// The batches that hold a record which a store needs, with tickets from 1 up.
    func batches(_ needs: StoreNeeds) throws(DiskError) -> [LogBatch] {
        var found: [LogBatch] = []
        let needed = Set(contents.filter { needs.includes($0.value) }.keys)
        for place in batches where needed.contains(place.start.generation) {
            try buffer.read(place.start.generation)
            buffer.withByteView { segment in
                guard needs.includes(place.records(in: segment)) else { return }
                let batch = LogBatch(onDisk: place.batch(in: segment), ticket: UInt64(found.count + 1))
                batch.generation = place.start.generation
                found.append(batch)
            }
        }
        return found
    }
}
