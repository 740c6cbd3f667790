public import ClusterModel

/// A walk over one store's rows that the core asks of a reader, with its answer.
///
/// Bounds are row keys as the store has them (`RowKey`). The core asks only when everything the walk must see was
/// applied, so a reader looks at LevelDB alone.
public final class Scan {
    /// The core's number of this walk.
    public let id: UInt64
    public let store: StoreID
    public let usesSlots: Bool
    /// First row key of the walk's interval, inclusive.
    public let from: [UInt8]
    /// End of the interval, exclusive; nil = the end of the rows.
    public let to: [UInt8]?
    /// Walk from the end of the interval to its start.
    public let isReverse: Bool
    /// Stop after this many rows, but only where the first `groupPrefix` bytes of the row key change ...
    public let limit: Int
    /// ... 0 = anywhere. A shorter row key counts as if zeros followed it.
    public let groupPrefix: Int
    /// Rows of one group at most; past it the walk stops inside the group.
    public let groupLimit: Int
    /// Only count; no rows are given.
    public let isCount: Bool
    public let wantsValues: Bool
    /// Row keys are given as the store has them, expiry hints included, instead of clients' keys; so are values, if wanted,
    /// and expired rows are not passed over.
    public let isRaw: Bool
    /// Stop once so many bytes of keys and values were found.
    public let byteLimit: Int
    /// Rows with a deadline at or before this time (ms since 1970) are passed over.
    public let now: Int64

    public init(
        id: UInt64, store: StoreID, usesSlots: Bool, from: [UInt8], to: [UInt8]?, isReverse: Bool = false, limit: Int,
        groupPrefix: Int = 0, groupLimit: Int = .max, isCount: Bool = false, wantsValues: Bool = false,
        isRaw: Bool = false, byteLimit: Int = .max, now: Int64
    ) {
        self.id = id
        self.store = store
        self.usesSlots = usesSlots
        self.from = from
        self.to = to
        self.isReverse = isReverse
        self.limit = limit
        self.groupPrefix = groupPrefix
        self.groupLimit = groupLimit
        self.isCount = isCount
        self.wantsValues = wantsValues
        self.isRaw = isRaw
        self.byteLimit = byteLimit
        self.now = now
    }

    // MARK: The answer

    private struct Found {
        var key: Range<Int>
        var value: Range<Int>
    }

    private var found: [Found] = []
    private var bytes = ByteBuffer(capacity: 4096)
    /// Rows seen, expired ones left out.
    public private(set) var count = 0
    /// Whether the interval's end was reached.
    public var isComplete = false
    /// The row key that the walk goes on with (reverse: the exclusive end of what is left); nil when complete.
    public var next: [UInt8]?
    /// Whether the store could not be read.
    public var isFailed = false

    /// Whether the limit of rows or of bytes is reached.
    public var isFull: Bool { count >= limit || bytes.count >= byteLimit }

    /// Adds a row: its key as clients know it.
    public func add(key: ByteView, value: ByteView) {
        count += 1
        guard !isCount else { return }
        let start = bytes.count
        bytes.append(key)
        let middle = bytes.count
        if wantsValues { bytes.append(value) }
        found.append(Found(key: start..<middle, value: middle..<bytes.count))
    }

    /// How many rows can be read by `key` and `value`: `count`, or 0 when it only counts.
    public var rows: Int { found.count }
    public func key(_ index: Int) -> ByteView { bytes.view[found[index].key] }
    public func value(_ index: Int) -> ByteView { bytes.view[found[index].value] }
}
