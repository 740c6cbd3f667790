/// What took effect of the operations under way, and the key's state: where a search of a history stands within a stage.
struct SearchPoint: Hashable {
    /// A bit for each slot whose operation took effect.
    var done: UInt128
    /// How many of each group of unknown outcome took effect, in the group's bits.
    var used: UInt128
    /// The state's number.
    var value: Int

    func hash(into hasher: inout Hasher) {
        hasher.combine(
            UInt64(truncatingIfNeeded: done) ^ UInt64(truncatingIfNeeded: done >> 64) &* 31 ^ UInt64(value) << 48)
    }
}

/// Points of one stage of which none is better than one before it: with the same value and the same effects of operations
/// that return, one that needed fewer operations of unknown outcome can do all that the other can.
struct SearchFrontier {
    private var points: [SearchPoint] = []
    /// The next point of the same value and effects; -1 = none.
    private var next: [Int] = []
    private var first: [SearchPoint: Int] = [:]
    /// Points that others were compared with: what the search costs where many were needed in many ways.
    private(set) var compared = 0

    /// Whether the point was new, and no worse than all before.
    mutating func add(_ point: SearchPoint, _ groups: [HistoryStages.Group]) -> Bool {
        let place = SearchPoint(done: point.done, used: 0, value: point.value)
        let head = first[place] ?? -1
        var other = head
        while other >= 0 {
            compared += 1
            if Self.isNoMore(points[other].used, point.used, groups) { return false }
            other = next[other]
        }
        first[place] = points.count
        points.append(point)
        next.append(head)
        return true
    }

    private static func isNoMore(_ one: UInt128, _ other: UInt128, _ groups: [HistoryStages.Group]) -> Bool {
        // A number that is greater has a bit that the other lacks: few groups are looked at.
        var lacking = one & ~other
        guard lacking != 0 else { return true }
        for group in groups where group.number(in: lacking) != 0 {
            if group.number(in: one) > group.number(in: other) { return false }
            lacking &= ~((1 << UInt128(group.width) - 1) << UInt128(group.offset))
            if lacking == 0 { return true }
        }
        return true
    }
}
