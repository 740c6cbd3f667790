import ClusterModel
import DataCore
import Testing

@Suite("Rows in a store")
struct RowFormatTests {
    private func row(_ key: [UInt8], usesSlots: Bool) -> [UInt8] {
        var buffer = ByteBuffer(capacity: 8)
        key.withByteView { RowKey.write($0, usesSlots: usesSlots, to: &buffer) }
        return buffer.view.array
    }

    /// The layout is on disk for ever: bytes computed apart, by the definitions of CRC16 slots and of FNV-1a with
    /// MurmurHash3's finaliser.
    @Test("a row key is its bytes, for ever")
    func layout() {
        let foo = row(bytes("foo"), usesSlots: true)
        #expect(foo[0] == 1 && Int(foo[1]) << 8 | Int(foo[2]) == 12182)
        let hash = foo[3..<9].reduce(0) { $0 << 8 | UInt64($1) }
        #expect(hash == bytes("foo").withByteView { RowKey.hash48($0) } && hash < 1 << 48)
        #expect(Array(foo[9...]) == bytes("foo"))
        #expect(row(bytes("foo"), usesSlots: false) == [1] + bytes("foo"))
        #expect(row([], usesSlots: false) == [1])
        #expect(ByteView.empty.count == 0 && RowKey.hash48(.empty) == 0xEFD0_1F60_BA99)
        #expect(bytes("foo").withByteView { RowKey.hash48($0) } == 0xAF85_EA55_6958)
        #expect(RowKey.hint(deadline: 258, key: [7]) == [2, 0, 0, 0, 0, 0, 0, 1, 2, 7])
        #expect(RowKey.hint(deadline: -1, key: []) == [2, 0, 0, 0, 0, 0, 0, 0, 0])
    }

    @Test("keys come back from rows; what is no row of the kind does not", arguments: [true, false])
    func keys(usesSlots: Bool) {
        for key in [[], [0], bytes("{a}b"), [UInt8](repeating: 0xFF, count: 300)] as [[UInt8]] {
            let bytes = row(key, usesSlots: usesSlots)
            let found = bytes.withByteView { RowKey.key(of: $0, usesSlots: usesSlots)?.array }
            #expect(found == key)
            let hint = RowKey.hint(deadline: 5, key: key)
            #expect(hint.withByteView { RowKey.key(ofHint: $0)?.array } == key)
            #expect(hint.withByteView { RowKey.key(of: $0, usesSlots: usesSlots) == nil })
        }
        for short in [[], [1, 2], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]] as [[UInt8]] {
            if usesSlots { #expect(short.withByteView { RowKey.key(of: $0, usesSlots: true) == nil }) }
            #expect(short.withByteView { RowKey.key(ofHint: $0) == nil })
        }
        // The store's own rows lie before every data row, and something lies before all of them.
        for own in [RowKey.applied, RowKey.durable] {
            #expect(RowKey.beforeAll.lexicographicallyPrecedes(own))
            #expect(own.lexicographicallyPrecedes(row([], usesSlots: false)))
        }
    }

    @Test("values keep bytes and deadline", arguments: [0, 1, -1, Int64.max, .min])
    func values(deadline: Int64) throws {
        for value in [[], [1], [UInt8](repeating: 9, count: 5000)] as [[UInt8]] {
            var buffer = ByteBuffer(capacity: 8)
            value.withByteView { StoredValue.write($0, deadline: deadline, to: &buffer) }
            let stored = try #require(StoredValue(buffer.view))
            #expect(stored.value.array == value && stored.deadline == deadline)
            #expect(buffer.count == value.count + (deadline == 0 ? 2 : 10))
        }
    }

    @Test(
        "bytes of no known format are refused",
        arguments: [[], [1], [2, 0], [0, 0, 5], [1, 2], [1, 1], [1, 1, 0, 0, 0, 0, 0, 0, 0]] as [[UInt8]])
    func unknown(bytes: [UInt8]) {
        #expect(bytes.withByteView { StoredValue($0) == nil })
    }
}
