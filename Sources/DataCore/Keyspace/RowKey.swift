public import ClusterModel

/// Keys of rows in a shard's store.
///
/// | row | bytes |
/// |---|---|
/// | data, slot keyspaces | 1, slot u16 big-endian, hash of the key 48 bits big-endian, key |
/// | data, range and list keyspaces | 1, key |
/// | expiry hint | 2, deadline u64 big-endian (ms since 1970), key; the value is empty |
/// | what the store holds | 0, `applied`; the value is epoch u64, seq u64, little-endian |
/// | what of it is in table files | 0, `durable`; likewise, never above what is |
///
/// The hash is part of the format: `RowKey.hash48`, without a seed. It scatters the keys of a slot, so that a cursor of 64
/// bits (slot, hash) is a position that few keys share (RULES F9).
public enum RowKey {
    public static let dataKind: UInt8 = 1
    public static let hintKind: UInt8 = 2
    /// The row that holds `applied`.
    public static let applied: [UInt8] = [0] + Array("applied".utf8)
    /// The row that holds how much of `applied` was in table files when it was written.
    public static let durable: [UInt8] = [0] + Array("durable".utf8)
    /// Before every row of a store, and never one itself.
    public static let beforeAll: [UInt8] = [0]
    /// Bytes before the key in a data row of a slot keyspace.
    public static let slotPrefix = 9
    /// Bytes before the key in an expiry hint.
    public static let hintPrefix = 9

    /// Writes the row key of a client's key.
    @inline(__always)
    public static func write(_ key: ByteView, usesSlots: Bool, to buffer: inout ByteBuffer) {
        write(key, prefix: usesSlots ? prefix(key, usesSlots: true) : nil, to: &buffer)
    }

    /// Writes the row key of a client's key whose prefix is known; nil: in a keyspace without slots.
    @inline(__always)
    public static func write(_ key: ByteView, prefix: UInt64?, to buffer: inout ByteBuffer) {
        buffer.append(dataKind)
        if let prefix { buffer.append(littleEndian: prefix.byteSwapped) }
        buffer.append(key)
    }

    /// The eight bytes of a data row's key behind its kind, as a number: rows are in its order, equal ones aside.
    @inline(__always)
    public static func prefix(_ key: ByteView, usesSlots: Bool) -> UInt64 {
        if usesSlots {
            let slot = unsafe UInt64(Slot.number(of: key.buffer))
            return slot << 48 | hash48(key)
        }
        var prefix: UInt64 = 0
        for index in 0..<min(key.count, 8) { prefix |= UInt64(key[index]) << (56 - 8 * UInt64(index)) }
        return prefix
    }

    /// The client's key of a data row; nil if the row is none.
    @inline(__always)
    public static func key(of row: ByteView, usesSlots: Bool) -> ByteView? {
        let prefix = usesSlots ? slotPrefix : 1
        guard row.count >= prefix, row[0] == dataKind else { return nil }
        return row[prefix..<row.count]
    }

    /// The row key of an expiry hint.
    public static func hint(deadline: Int64, key: [UInt8]) -> [UInt8] {
        var buffer = ByteBuffer(capacity: hintPrefix + key.count)
        key.withByteView { writeHint(deadline: deadline, key: $0, to: &buffer) }
        return buffer.view.array
    }

    /// Writes the row key of an expiry hint; a deadline before 1970 counts as 1970.
    public static func writeHint(deadline: Int64, key: ByteView, to buffer: inout ByteBuffer) {
        buffer.append(hintKind)
        buffer.append(littleEndian: UInt64(max(deadline, 0)).byteSwapped)
        buffer.append(key)
    }

    /// The client's key of an expiry hint; nil if the row is none.
    public static func key(ofHint row: ByteView) -> ByteView? {
        guard row.count >= hintPrefix, row[0] == hintKind else { return nil }
        return row[hintPrefix..<row.count]
    }

    /// 48 bits of FNV-1a, finished by the mixer of MurmurHash3; fixed for ever.
    public static func hash48(_ key: ByteView) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for index in 0..<key.count { hash = (hash ^ UInt64(key[index])) &* 0x0000_0100_0000_01B3 }
        hash = (hash ^ hash >> 33) &* 0xFF51_AFD7_ED55_8CCD
        hash = (hash ^ hash >> 33) &* 0xC4CE_B9FE_1A85_EC53
        return (hash ^ hash >> 33) >> 16
    }
}
