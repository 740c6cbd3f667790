public import ClusterModel

/// Rows that the core asks of LevelDB: questions and, when it comes back, answers, in one reused arena.
///
/// One thread at a time owns it: the core fills in keys, a reader the answers.
public final class RowBatch {
    public enum Outcome: UInt8, Sendable {
        case unanswered, found, absent
        /// The store could not be read; `DataInput.storeFailed` tells why.
        case failed
    }

    public struct Item: Sendable {
        public var store: StoreID
        /// The core's number of this load.
        public var load: UInt64
        public var keyspace: UInt32
        /// Whether row keys of the store begin with slot and hash.
        public var usesSlots: Bool
        public var outcome = Outcome.unanswered
        /// Milliseconds since 1970; 0 = none.
        public var deadline: Int64 = 0
        var key: Range<Int>
        var value: Range<Int> = 0..<0
    }

    public private(set) var items: [Item] = []
    private var keys = ByteBuffer(capacity: 4096)
    private var values = ByteBuffer(capacity: 16384)

    public init() {}

    public var isEmpty: Bool { items.isEmpty }

    func ask(_ key: ByteView, keyspace: UInt32, store: StoreID, usesSlots: Bool, load: UInt64) {
        let start = keys.count
        keys.append(key)
        items.append(
            Item(store: store, load: load, keyspace: keyspace, usesSlots: usesSlots, key: start..<keys.count))
    }

    /// The key of an item, as clients know it.
    public func key(_ index: Int) -> ByteView { keys.view[items[index].key] }
    /// The value of an item that was found.
    public func value(_ index: Int) -> ByteView { values.view[items[index].value] }

    /// A reader's answer: the row is there.
    public func answer(_ index: Int, value: ByteView, deadline: Int64) {
        let start = values.count
        values.append(value)
        items[index].value = start..<values.count
        items[index].deadline = deadline
        items[index].outcome = .found
    }

    /// A reader's answer: there is no row, or it could not be read.
    public func answer(_ index: Int, _ outcome: Outcome) { items[index].outcome = outcome }

    /// Empties it for its next use; memory above 1 MiB is given back.
    public func removeAll() {
        items.removeAll(keepingCapacity: true)
        keys.removeAll()
        values.removeAll()
        keys.shrink(above: 1 << 20)
        values.shrink(above: 1 << 20)
    }
}
