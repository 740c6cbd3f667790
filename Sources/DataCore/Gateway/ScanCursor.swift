import ClusterModel

/// A SCAN cursor: a position in the keyspace, never memory of a node (RULES F9). 64 bits, 0 = start and end.
///
/// | scheme | bits 63-48 | bits 47-0 |
/// |---|---|---|
/// | hash, ring | slot | 48-bit hash of the key |
/// | range | first 8 bytes of the key, big-endian, zeros behind a shorter key | |
/// | list | index of the shard in the keyspace | first 6 bytes of the key |
///
/// All keys of one position are returned together, so a walk that goes on behind a position misses none.
enum ScanCursor {
    /// Bytes of a row key that make one position: the kind byte and what the table above says.
    static func groupPrefix(_ kind: SchemeKind) -> Int {
        switch kind {
        case .hash, .ring, .range: 9
        case .list: 7
        }
    }

    /// The cursor of a row key; `entry` is the shard's index in its keyspace.
    static func cursor(of row: [UInt8], _ kind: SchemeKind, entry: Int) -> UInt64 {
        switch kind {
        case .hash, .ring, .range: word(row, 1, 8)
        case .list: UInt64(entry & 0xFFFF) << 48 | word(row, 1, 6)
        }
    }

    /// The shard a walk goes on in.
    static func entry(of cursor: UInt64, in keyspace: borrowing KeyspaceIndex, _ kind: SchemeKind) -> Int {
        switch kind {
        case .hash, .ring:
            let slot = Int(cursor >> 48)
            return slot < keyspace.slots.count ? Int(keyspace.slots[slot]) : -1
        case .range:
            let key = trimmed(bytes(cursor, 8))
            return key.isEmpty
                ? keyspace.locate(.empty) : unsafe key.withUnsafeBufferPointer { unsafe keyspace.locate(ByteView($0)) }
        case .list:
            let entry = Int(cursor >> 48)
            return entry < keyspace.entries.count ? entry : -1
        }
    }

    /// Where the walk goes on in the shard's store: the bytes behind the kind byte.
    static func position(_ cursor: UInt64, _ kind: SchemeKind) -> [UInt8] {
        switch kind {
        case .hash, .ring: bytes(cursor, 8)
        case .range: trimmed(bytes(cursor, 8))
        case .list: trimmed(Array(bytes(cursor, 8).dropFirst(2)))
        }
    }

    /// The cursor at the start of a shard; nil for shards that begin where the keyspace does.
    static func start(of shard: ShardConfiguration, entry: Int) -> UInt64 {
        switch shard.range {
        case .slots(let from, _): UInt64(from) << 48
        case .keys(let from, _): word([0] + (from?.bytes ?? []), 1, 8)
        case .values: UInt64(entry & 0xFFFF) << 48
        }
    }

    private static func word(_ row: [UInt8], _ start: Int, _ count: Int) -> UInt64 {
        var word: UInt64 = 0
        for index in start..<start + count { word = word << 8 | (index < row.count ? UInt64(row[index]) : 0) }
        return word
    }

    private static func bytes(_ word: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * (count - 1 - $0))) }
    }

    private static func trimmed(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        while bytes.last == 0 { bytes.removeLast() }
        return bytes
    }
}
