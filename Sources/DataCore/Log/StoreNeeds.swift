public import ClusterModel

/// Which records of the log a start does again: those that the stores of the node lack.
public struct StoreNeeds: Sendable {
    private let applied: [StoreID: Seq]

    /// - Parameter applied: the last record that each store holds for certain; records of other stores are nobody's.
    public init(applied: [StoreID: Seq]) { self.applied = applied }

    /// Whether a record is one of them. A cut is done again in any case, for it voids records of batches before it.
    public func includes(_ header: RecordHeader) -> Bool {
        guard header.kind.isNumbered || header.kind == .truncate else { return false }
        guard let held = applied[header.store] else { return false }
        return header.seq > held || header.kind == .truncate
    }

    /// Whether one of the records of a batch is.
    public func includes(_ records: RecordCursor) -> Bool {
        var cursor = records
        while let (header, _) = cursor.next() { if includes(header) { return true } }
        return false
    }

    /// Whether one of the records of a segment is.
    public func includes(_ content: SegmentContent) -> Bool {
        content.last.contains { store, last in
            guard let held = applied[store] else { return false }
            return last > held || content.cuts.contains(store)
        }
    }
}

/// What a segment of the log tells of each store, in short: most segments that are kept are kept for members that lag, and
/// a start need not look at them again.
public struct SegmentContent: Hashable, Sendable {
    /// The highest numbered record of each store.
    public private(set) var last: [StoreID: Seq] = [:]
    /// Stores with a cut.
    public private(set) var cuts: Set<StoreID> = []

    mutating func note(_ header: RecordHeader) {
        guard header.kind.isNumbered || header.kind == .truncate else { return }
        if header.kind == .truncate { cuts.insert(header.store) }
        note(header.store, header.seq)
    }

    mutating func note(_ store: StoreID, _ seq: Seq) {
        last[store] = max(last[store] ?? .zero, seq)
    }
}
