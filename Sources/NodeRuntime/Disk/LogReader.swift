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
    private let batches: [LogRecovery.Found]
    private let directory: String

    /// Reads and judges all segments. Damage is an error that says where; a torn tail is cut.
    init(_ node: NodeDirectory) throws(DiskError) {
        directory = node.logPath
        var recovery = LogRecovery(log: node.identity.log)
        var newest: UInt64 = 0
        var oldest: UInt64?
        for name in try Files.names(in: directory) {
            if name.hasSuffix(".free") {
                unsafe unlink("\(directory)/\(name)")
                continue
            }
            guard let generation = SegmentFile.generation(of: name) else { continue }
            newest = max(newest, generation)
            oldest = oldest ?? generation
            let bytes = try Files.read("\(directory)/\(name)")
            do {
                try bytes.withByteView { (view) throws(LogRecovery.Damage) in
                    try recovery.take(generation: generation, view)
                }
            } catch {
                throw DiskError(
                    "\(directory): \(error); no other copy of this node's shards exists, so it does not start: "
                        + "restore the directory from a backup, or retire the node and accept the loss")
            }
        }
        let gaps = recovery.control.all.filter(\.hasGap)
        guard gaps.isEmpty else {
            throw DiskError("\(directory): records of shard \(gaps[0].shard) are missing before \(gaps[0].last)")
        }
        if newest == 0, !node.isNew, node.identity.cluster != nil {
            throw DiskError("\(directory) holds no segment, though the node has served: restore it from a backup")
        }
        control = recovery.control
        first = recovery.firstSeen
        oldestGeneration = oldest ?? newest + 1
        lastChecksum = recovery.lastChecksum
        nextGeneration = newest + 1
        batches = recovery.batches
    }

    /// The batches that hold a record which `needs` says its store lacks, with tickets from 1 up.
    func batches(where needs: (RecordHeader) -> Bool) throws(DiskError) -> [LogBatch] {
        var found: [LogBatch] = []
        var bytes: [UInt8] = []
        var generation: UInt64 = 0
        for place in batches {
            if place.start.generation != generation {
                generation = place.start.generation
                bytes = try Files.read("\(directory)/\(SegmentFile.name(generation))")
            }
            bytes.withByteView { view in
                let offset = Int(place.start.offset)
                let batch = LogBatch(onDisk: view[offset..<offset + place.size], ticket: UInt64(found.count + 1))
                batch.generation = generation
                var isNeeded = false
                batch.forEachRecord { header, _ in isNeeded = isNeeded || needs(header) }
                if isNeeded { found.append(batch) }
            }
        }
        return found
    }
}
