import ClusterModel
import DataCore

/// A node's log on a virtual disk: real segments, batches sealed and judged by the cores' own code, and what of them was
/// synced. It writes as NodeRuntime's log writer does: preallocated segments, each opened by a synced checkpoint.
final class VirtualLog {
    struct Segment {
        var generation: UInt64
        var bytes: [UInt8]
        /// Parts written since the last sync, in order.
        var unsynced: [Range<Int>] = []
        /// Parts that a sync which failed has not written, and that the system takes for written: whoever reads them finds
        /// them, until the power is cut.
        var cachedOnly: [Range<Int>] = []
        /// Whether its name is sure to be in the directory.
        var isNamed = false
    }

    private let log: UniqueID
    /// Bytes after which a segment is full.
    var segmentBytes: Int
    private(set) var segments: [Segment] = []

    // Of the process that has it open.
    private var control = ControlState()
    private var place = LogOffset.zero
    private var syncedThrough = LogOffset.zero
    private var checksum: UInt32 = 0

    init(log: UniqueID, segmentBytes: Int) {
        self.log = log
        self.segmentBytes = segmentBytes
    }

    // MARK: Opening

    /// What a start finds.
    struct Opened {
        var control: ControlState
        var damages: [LogRecovery.Damage]
        var first: [ShardID: Seq]
        var batches: [LogBatch]
    }

    /// Reads and judges all segments, cuts a torn tail and makes what is left durable.
    func open() throws(LogRecovery.Damage) -> Opened {
        let recovery = read()
        if let fault = recovery.fault { throw fault }
        let end = recovery.end
        segments.removeAll { $0.generation > end.generation }
        if let last = segments.indices.last {
            segments[last].bytes.removeLast(max(segments[last].bytes.count - Int(end.offset), 0))
            for index in segments.indices {
                segments[index].unsynced = []
                segments[index].isNamed = true
            }
            // What no later batch vouches for is written once more.
            if !Mutant.e2TrustsWhatItReads.isOn {
                let vouched = recovery.vouchedThrough
                let start = vouched.generation == end.generation ? Int(vouched.offset) : 0
                segments[last].cachedOnly.removeAll { $0.upperBound > start }
            }
        }
        control = recovery.control
        checksum = recovery.lastChecksum
        place = end
        syncedThrough = end
        return Opened(
            control: recovery.control, damages: recovery.damages, first: recovery.firstSeen,
            batches: batches(recovery.batches))
    }

    private func batches(_ found: [LogRecovery.Found]) -> [LogBatch] {
        found.compactMap { found in
            guard let segment = segments.first(where: { $0.generation == found.start.generation }) else { return nil }
            return segment.bytes.withByteView { view in
                let start = Int(found.start.offset)
                let batch = LogBatch(onDisk: view[start..<start + found.size], ticket: 0)
                batch.generation = found.start.generation
                return batch
            }
        }
    }

    /// What a copy of its files is.
    func copy() -> VirtualLog {
        let other = VirtualLog(log: log, segmentBytes: segmentBytes)
        other.segments = segments
        return other
    }

    /// Others take the place of all segments, while no process has the log open.
    func replaceSegments(_ others: [Segment]) { segments = others }

    // MARK: Searching

    func answer(_ read: LogRead) {
        let start =
            read.place?.generation ?? segments.last { segment in
                segment.bytes.withByteView { read.begins(in: $0, generation: segment.generation, log: log) } == true
            }?.generation ?? oldestGeneration
        for segment in segments where segment.generation >= start && !read.isComplete {
            if read.place?.generation != segment.generation { read.advance(to: segment.generation) }
            guard let place = read.place, place.offset <= UInt64(segment.bytes.count) else { continue }
            segment.bytes.withByteView { _ = read.take($0[Int(place.offset)..<$0.count], at: place, log: log) }
        }
    }

    // MARK: Writing

    /// The segment that is written now.
    var generation: UInt64 { place.generation }
    var oldestGeneration: UInt64 { segments.first?.generation ?? place.generation }

    /// Whether a batch fits the segment that is written.
    func hasRoom(for batch: LogBatch) -> Bool {
        !segments.isEmpty && segments[segments.count - 1].generation == place.generation
            && (Int(place.offset) + batch.sizeOnDisk <= segmentBytes || place.offset == opened)
    }

    /// Where the first batch behind the opening checkpoint lies.
    private var opened: UInt64 = 0

    /// Begins the next segment by its header and a checkpoint of all shards (RULES E8); to be synced before anything else
    /// is written.
    func roll() {
        let generation = place.generation + 1
        let header = SegmentHeader(log: log, generation: generation, size: UInt64(segmentBytes)).block
        segments.append(Segment(generation: generation, bytes: header, unsynced: [0..<header.count]))
        place = LogOffset(generation: generation, offset: SegmentHeader.firstBatch)
        let opening = LogBatch(capacity: 1024)
        control.write(to: opening)
        put(opening, isCheckpoint: true)
        opened = place.offset
    }

    func write(_ batch: LogBatch) {
        batch.generation = place.generation
        control.note(batch)
        put(batch, isCheckpoint: false)
    }

    private func put(_ batch: LogBatch, isCheckpoint: Bool) {
        let sealed = batch.seal(
            BatchStamp(
                log: log, place: place, syncedThrough: Mutant.e3ClaimsSynced.isOn ? place : syncedThrough,
                previousChecksum: checksum,
                isCheckpoint: isCheckpoint))
        let last = segments.count - 1
        let start = segments[last].bytes.count
        segments[last].bytes.append(contentsOf: sealed.bytes.array)
        segments[last].unsynced.append(start..<segments[last].bytes.count)
        checksum = sealed.checksum
        place.offset += UInt64(sealed.bytes.count)
    }

    /// Everything written is on the disk.
    func noteSynced() {
        for index in segments.indices where !segments[index].unsynced.isEmpty {
            segments[index].unsynced = []
            segments[index].isNamed = !Mutant.e7DirectoryNotSynced.isOn
        }
        syncedThrough = place
    }

    /// Segments before this one hold nothing that is still needed. Gives how many went.
    func release(below generation: UInt64) -> Int {
        let count = segments.count
        segments.removeAll { $0.generation < generation }
        return count - segments.count
    }

    // MARK: Losing power

    /// Parts that were written since the last sync.
    var unsyncedCount: Int { segments.reduce(0) { $0 + $1.unsynced.count } }

    /// What becomes of a part that was written and not synced.
    enum Fate { case kept, dropped, torn, garbage, cachedOnly }

    /// The power is cut: each part written since the last sync meets its fate.
    func cutPower(_ chance: inout Chance, tears: Bool, keeps: Bool) {
        meetFates(&chance) { chance in
            let roll = chance.below(tears ? 6 : 4)
            return !keeps ? .dropped : roll < 2 ? .kept : roll < 4 ? .dropped : roll == 4 ? .torn : .garbage
        }
        for index in segments.indices {
            for part in segments[index].cachedOnly { damage(index, part, .dropped, &chance) }
            segments[index].cachedOnly = []
        }
        // A file whose directory was not synced may be gone; names are lost from the newest on.
        while let last = segments.last, !last.isNamed, chance.oneIn(2) { segments.removeLast() }
        for index in segments.indices { segments[index].isNamed = true }
    }

    /// A sync has failed: what it did not write is not there for whoever reads it from the disk, or from the memory of the
    /// system alone, and is not tried again.
    func loseUnsynced(_ chance: inout Chance) {
        meetFates(&chance) { chance in chance.pick([.kept, .dropped, .torn, .cachedOnly]) }
    }

    private func meetFates(_ chance: inout Chance, _ draw: (inout Chance) -> Fate) {
        for index in segments.indices {
            for part in segments[index].unsynced { damage(index, part, draw(&chance), &chance) }
            segments[index].unsynced = []
        }
    }

    private func damage(_ index: Int, _ part: Range<Int>, _ fate: Fate, _ chance: inout Chance) {
        switch fate {
        case .kept: return
        case .cachedOnly: segments[index].cachedOnly.append(part)
        case .dropped: for place in part.clamped(to: segments[index].bytes.indices) { segments[index].bytes[place] = 0 }
        case .torn, .garbage:
            // Sectors of 512 bytes persist or not, each on its own.
            var start = part.lowerBound
            while start < part.upperBound {
                let end = min((start / 512 + 1) * 512, part.upperBound)
                if chance.oneIn(2) {
                    for place in start..<end {
                        segments[index].bytes[place] = fate == .torn ? 0 : UInt8(truncatingIfNeeded: chance.next())
                    }
                }
                start = end
            }
        }
    }
}

// MARK: Rot

extension VirtualLog {
    /// Batches on disk of which a later one says so: a start can tell that one of them went bad.
    private var vouched: [LogRecovery.Found] {
        let recovery = read()
        return recovery.batches.filter { $0.start < recovery.vouchedThrough }
    }

    /// A bit of one batch goes bad, while no process has the log open. Returns where; nil = there was none to choose.
    /// - Parameter isSpared: whether a replica may be lost, by what the log still says of it.
    func rot(_ chance: inout Chance, isSpared: (ShardControl) -> Bool) -> LogOffset? {
        let all = vouched
        guard !all.isEmpty else { return nil }
        let found = chance.pick(all)
        let offset = chance.below(UInt64(BatchHeader.size))
        flip(found, at: offset)
        if read().control.all.allSatisfy({ !$0.isLost || isSpared($0) }) { return found.start }
        flip(found, at: offset)
        return nil
    }

    /// What a start would make of the log.
    private func read() -> LogRecovery {
        var recovery = LogRecovery(log: log)
        for segment in segments { segment.bytes.withByteView { recovery.take(generation: segment.generation, $0) } }
        return recovery
    }

    /// Every batch goes bad that tells of a shard, or the first alone of those with rows. Returns how many did.
    func rot(of shard: ShardID, firstAlone: Bool) -> Int {
        let told = vouched.filter { found in
            var isTold = false
            for batch in batches([found]) {
                batch.forEachRecord { header, _ in
                    isTold = isTold || header.shard == shard && (header.kind == .data || !firstAlone)
                }
            }
            return isTold
        }
        let bad = told.prefix(firstAlone ? 1 : told.count)
        for found in bad { flip(found, at: 60) }
        return bad.count
    }

    private func flip(_ found: LogRecovery.Found, at offset: UInt64) {
        guard let index = segments.firstIndex(where: { $0.generation == found.start.generation }) else { return }
        segments[index].bytes[Int(found.start.offset + offset)] ^= 0x10
    }
}
