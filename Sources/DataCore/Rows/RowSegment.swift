import CSystemCalls

/// One piece of the row table: 2,048 places, linear probing, deletion by moving back, so that there are no tombstones.
@safe struct RowSegment {
    @safe struct Entry {
        var hash: UInt64
        /// nil = free.
        var row: UnsafeMutablePointer<Row.Header>?
    }

    struct State {
        var count: Int
        /// How many leading bits of the hash all rows here share.
        var depth: Int
    }

    static let places = 2048
    /// A segment with more rows is split.
    static let fullest = places * 3 / 4

    let entries: UnsafeMutablePointer<Entry>
    let state: UnsafeMutablePointer<State>

    init(depth: Int) {
        unsafe entries = UnsafeMutablePointer<Entry>.allocate(capacity: Self.places)
        unsafe entries.initialize(repeating: Entry(hash: 0, row: nil), count: Self.places)
        unsafe state = UnsafeMutablePointer<State>.allocate(capacity: 1)
        unsafe state.initialize(to: State(count: 0, depth: depth))
    }

    func deallocate() {
        unsafe entries.deallocate()
        unsafe state.deallocate()
    }

    @inline(__always) var count: Int { unsafe state.pointee.count }
    @inline(__always) var depth: Int { unsafe state.pointee.depth }

    @inline(__always) private static func home(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & (places - 1) }

    @inline(__always) func prefetch(_ hash: UInt64) { unsafe ostraka_prefetch(entries + Self.home(hash)) }

    /// Asks for the first row whose tag is `hash`: the one that a look-up will most likely compare.
    @inline(__always) func prefetchRow(_ hash: UInt64) {
        var place = Self.home(hash)
        while let row = unsafe entries[place].row {
            if unsafe entries[place].hash == hash {
                unsafe ostraka_prefetch(row)
                unsafe ostraka_prefetch(UnsafeRawPointer(row) + 64)
                unsafe ostraka_prefetch(UnsafeRawPointer(row) + 128)
                return
            }
            place = (place + 1) & (Self.places - 1)
        }
    }

    /// The place of a row that has this hash and satisfies `matches`.
    @inline(__always) func find(_ hash: UInt64, _ matches: (Row) -> Bool) -> Int? {
        var place = Self.home(hash)
        while let header = unsafe entries[place].row {
            if unsafe entries[place].hash == hash, unsafe matches(Row(header)) { return place }
            place = (place + 1) & (Self.places - 1)
        }
        return nil
    }

    @inline(__always) func row(at place: Int) -> Row? {
        guard let header = unsafe entries[place].row else { return nil }
        return unsafe Row(header)
    }

    /// How many places are free from one on, one behind the other.
    func freePlaces(from place: Int, atMost limit: Int) -> Int {
        let end = min(place + limit, Self.places)
        var next = place
        while next < end, unsafe entries[next].row == nil { next += 1 }
        return next - place
    }

    @inline(__always) func replace(at place: Int, with row: Row) { unsafe entries[place].row = row.header }

    func insert(_ hash: UInt64, _ row: Row) {
        var place = Self.home(hash)
        while unsafe entries[place].row != nil { place = (place + 1) & (Self.places - 1) }
        unsafe entries[place] = unsafe Entry(hash: hash, row: row.header)
        unsafe state.pointee.count += 1
    }

    /// Frees a place and moves back what probing had pushed behind it.
    func remove(at place: Int) {
        var hole = place
        var next = (place + 1) & (Self.places - 1)
        while unsafe entries[next].row != nil {
            let distance = unsafe (next - Self.home(entries[next].hash)) & (Self.places - 1)
            if distance >= (next - hole) & (Self.places - 1) {
                unsafe entries[hole] = entries[next]
                hole = next
            }
            next = (next + 1) & (Self.places - 1)
        }
        unsafe entries[hole] = unsafe Entry(hash: 0, row: nil)
        unsafe state.pointee.count -= 1
    }

    /// Divides the rows by the bit after the shared ones: this segment keeps those with 0, the new one gets the others.
    func split() -> RowSegment {
        let deeper = depth + 1
        let other = RowSegment(depth: deeper)
        let kept = RowSegment(depth: deeper)
        for place in 0..<Self.places {
            guard let row = row(at: place) else { continue }
            let hash = unsafe entries[place].hash
            if hash >> UInt64(64 - deeper) & 1 == 1 { other.insert(hash, row) } else { kept.insert(hash, row) }
        }
        unsafe entries.update(from: kept.entries, count: Self.places)
        unsafe state.pointee = kept.state.pointee
        kept.deallocate()
        return other
    }
}
