import ClusterModel

/// All rows in memory: the overlay of writes that LevelDB does not hold yet, and the row cache, in one flat table.
///
/// Extendible hashing: a directory by the hash's leading bits points to segments of 2,048 places. A full segment is split
/// alone, so growth costs some ten microseconds at a time and never a pause over the whole table.
@safe struct RowTable: ~Copyable {
    private var directory: UnsafeMutablePointer<RowSegment>
    private(set) var depth: Int
    private(set) var count = 0
    /// Memory of all rows in bytes.
    private(set) var bytes = 0
    /// Where eviction goes on: an index in the directory and a place in that segment.
    private var hand = (segment: 0, place: 0)

    init() {
        depth = 0
        unsafe directory = UnsafeMutablePointer<RowSegment>.allocate(capacity: 1)
        unsafe directory.initialize(to: RowSegment(depth: 0))
    }

    deinit {
        var index = 0
        while index < 1 << depth {
            let segment = unsafe directory[index]
            index += 1 << (depth - segment.depth)
            for place in 0..<RowSegment.places { segment.row(at: place)?.deallocate() }
            segment.deallocate()
        }
        unsafe directory.deallocate()
    }

    @inline(__always) private func segment(_ hash: UInt64) -> RowSegment {
        // A shift by 64 is 0 with the smart shift, which is what depth 0 needs.
        unsafe directory[Int(truncatingIfNeeded: hash >> UInt64(64 - depth))]
    }

    @inline(__always) func prefetch(_ hash: UInt64) { segment(hash).prefetch(hash) }
    @inline(__always) func prefetchRow(_ hash: UInt64) { segment(hash).prefetchRow(hash) }

    @inline(__always) func find(_ hash: UInt64, keyspace: UInt32, key: ByteView) -> Row? {
        let segment = segment(hash)
        guard let place = segment.find(hash, { $0.matches(keyspace: keyspace, key: key) }) else { return nil }
        return segment.row(at: place)
    }

    /// Writes a version: a new row, or over the one that is there. A load under way stays marked.
    /// - Returns: the row; references to its former block are void.
    @discardableResult
    @inline(__always)
    mutating func put(
        _ hash: UInt64, keyspace: UInt32, replica: Int32, key: ByteView, value: ByteView, deadline: Int64, seq: UInt64,
        seconds: UInt32, flags: UInt8 = 0
    ) -> Row {
        let segment = segment(hash)
        let row: Row
        if let place = segment.find(hash, { $0.matches(keyspace: keyspace, key: key) }),
            let old = segment.row(at: place)
        {
            row = rewritten(old, value: value, in: segment, at: place)
            unsafe row.header.pointee.replica = replica
            unsafe row.header.pointee.flags =
                old.header.pointee.flags & Row.Flag.loading | flags | Row.Flag.referenced
            if unsafe row.header != old.header {
                bytes -= old.footprint
                old.deallocate()
            }
        } else {
            row = Row.allocate(keyspace: keyspace, replica: replica, key: key, value: value, roomy: false)
            unsafe row.header.pointee.flags = flags | Row.Flag.referenced
            bytes += row.footprint
            insert(hash, row)
        }
        unsafe row.header.pointee.deadline = deadline
        unsafe row.header.pointee.seq = seq
        unsafe row.header.pointee.touched = seconds
        return row
    }

    @inline(__always)
    private mutating func rewritten(_ old: Row, value: ByteView, in segment: RowSegment, at place: Int) -> Row {
        let needed = old.key.count + value.count
        let capacity = unsafe Int(old.header.pointee.capacity)
        if needed <= capacity, capacity <= max(needed * 2, 256) {
            old.overwrite(value: value)
            return old
        }
        let row = unsafe Row.allocate(
            keyspace: old.keyspace, replica: old.replica, key: old.key, value: value,
            roomy: value.count > Int(old.header.pointee.valueCount))
        bytes += row.footprint
        segment.replace(at: place, with: row)
        return row
    }

    private mutating func insert(_ hash: UInt64, _ row: Row) {
        while segment(hash).count >= RowSegment.fullest { split(hash) }
        segment(hash).insert(hash, row)
        count += 1
    }

    private mutating func split(_ hash: UInt64) {
        let full = segment(hash)
        if full.depth == depth {
            let wider = UnsafeMutablePointer<RowSegment>.allocate(capacity: 2 << depth)
            for index in 0..<1 << depth {
                unsafe (wider + 2 * index).initialize(to: directory[index])
                unsafe (wider + 2 * index + 1).initialize(to: directory[index])
            }
            unsafe directory.deallocate()
            unsafe directory = wider
            depth += 1
            hand.segment *= 2
        }
        let other = full.split()
        // The directory places of the full segment are contiguous; the upper half now leads to the new one.
        let width = 1 << (depth - other.depth)
        let prefix = Int(truncatingIfNeeded: hash >> UInt64(64 - (other.depth - 1))) << (depth - other.depth + 1)
        let first = other.depth == 1 ? 0 : prefix
        for index in first + width..<first + 2 * width { unsafe directory[index] = other }
    }

    /// Takes the row out and frees it.
    mutating func remove(_ hash: UInt64, keyspace: UInt32, key: ByteView) {
        let segment = segment(hash)
        guard let place = segment.find(hash, { $0.matches(keyspace: keyspace, key: key) }) else { return }
        remove(in: segment, at: place)
    }

    private mutating func remove(in segment: RowSegment, at place: Int) {
        guard let row = segment.row(at: place) else { return }
        segment.remove(at: place)
        bytes -= row.footprint
        count -= 1
        row.deallocate()
    }

    /// Frees rows until at most `limit` bytes are held, or `steps` places were looked at. A row used since the hand last
    /// passed gets one more round (CLOCK).
    /// - Parameter isClean: whether LevelDB holds all that this row says.
    /// - Returns: false when a whole round found no row that may go: none will before a row changes.
    mutating func evict(to limit: Int, steps: Int, _ isClean: (Row) -> Bool) -> Bool {
        var left = steps
        // Whether anything changed since the round began; one whose beginning was not seen counts as changed.
        var isChanged = true
        while bytes > limit, left > 0, count > 0 {
            if hand.segment >= 1 << depth {
                guard isChanged else { return false }
                hand = (0, 0)
                isChanged = false
            }
            let segment = unsafe directory[hand.segment]
            if hand.place >= RowSegment.places {
                let width = 1 << (depth - segment.depth)
                hand = ((hand.segment / width + 1) * width, 0)
                continue
            }
            guard let row = segment.row(at: hand.place) else {
                let free = segment.freePlaces(from: hand.place, atMost: left)
                left -= free
                hand.place += free
                continue
            }
            left -= 1
            if row.isRaised(Row.Flag.referenced) {
                row.clear(Row.Flag.referenced)
                isChanged = true
                hand.place += 1
            } else if !row.isLoading, isClean(row) {
                // What was behind may move into this place: the hand stays.
                remove(in: segment, at: hand.place)
                isChanged = true
            } else {
                hand.place += 1
            }
        }
        return true
    }

    /// Frees every row that satisfies `isGone`: a replica that left this node.
    mutating func removeAll(where isGone: (Row) -> Bool) {
        var index = 0
        while index < 1 << depth {
            let segment = unsafe directory[index]
            index += 1 << (depth - segment.depth)
            var place = 0
            while place < RowSegment.places {
                if let row = segment.row(at: place), isGone(row) {
                    remove(in: segment, at: place)
                } else {
                    place += 1
                }
            }
        }
    }
}
