/// Whether one key's history could have been given by one copy of the key (RULES I10): the search of Wing and Gong as Lowe
/// made it: operations take effect as late as their replies allow, and a point of the search is remembered as what took
/// effect and the value then.
///
/// An operation whose outcome is unknown may take effect at any time from its sending on, or never.
public struct Linearizability {
    public enum Verdict: Hashable, Sendable {
        case linearizable
        /// No order explains this operation's outcome.
        case violated(Operation)
        /// The search grew too large.
        case undecided
    }

    /// What took effect of the operations under way, and the key's state.
    fileprivate struct Point: Hashable {
        var done: UInt128
        var value: Int

        func hash(into hasher: inout Hasher) {
            hasher.combine(
                UInt64(truncatingIfNeeded: done) ^ UInt64(truncatingIfNeeded: done >> 64) &* 31 ^ UInt64(value) << 48)
        }
    }

    /// The numbers of the states that an operation may leave behind where it meets one; -1 = none.
    private struct Effect {
        var state: Int
        var first: Int
        var second: Int
    }

    private let history: [Operation]
    /// Distinct states of the key, by number.
    private var states = [KeyState.absent]
    private var numbers = [KeyState.absent: 0]
    /// What each operation makes of the first states it was tried on, and, by operation and state, of all others.
    private var effects: [[Effect]]
    private var furtherEffects: [UInt64: Effect] = [:]
    /// What walls may have shown while each operation took place.
    private let walls: [ClosedRange<Int64>]
    /// Whether there are deadlines: then two operations that read alike may differ in when they can take effect.
    private let isTimed: Bool
    /// Operations under way, by slot; -1 = free. And the slot of each operation.
    private var pending: [Int] = []
    private var slots: [Int]
    /// A bit for each slot: those that are taken, and of them those of operations that only read and have a reply.
    private var taken: UInt128 = 0
    private var readers: UInt128 = 0
    /// By slot of an operation of unknown outcome: the slots before it with one like it.
    private var likes: [UInt128] = []
    /// The one that its client sent before it, if that one has a reply; else -1.
    private let previous: [Int]
    private var unknown: UInt128 = 0
    private var explored = 0
    private let limit: Int

    /// Judges the history of one key that is absent at first.
    /// - Parameters:
    ///   - limit: points looked at before the search gives up.
    ///   - wallSlack: ms by which the wall of a node may be off, for deadlines.
    public static func judge(_ history: [Operation], limit: Int = 200_000, wallSlack: Int64 = 0) -> Verdict {
        var search = Linearizability(HistoryReduction.relevant(history), limit: limit, wallSlack: wallSlack)
        return search.run()
    }

    private init(_ history: [Operation], limit: Int, wallSlack: Int64) {
        self.history = history
        self.limit = limit
        effects = [[Effect]](repeating: [], count: history.count)
        walls = history.map { $0.walls(slack: wallSlack) }
        isTimed = history.contains { operation in
            switch operation.action {
            case .setUntil, .expire: true
            default: false
            }
        }
        slots = [Int](repeating: -1, count: history.count)
        previous = Self.previous(history)
    }

    private static func previous(_ history: [Operation]) -> [Int] {
        var previous = [Int](repeating: -1, count: history.count)
        var last: [Int: Int] = [:]
        let order = history.indices.sorted { (history[$0].sequence, $0) < (history[$1].sequence, $1) }
        for index in order where history[index].sequence > 0 && history[index].outcome != .unknown {
            previous[index] = last[history[index].client] ?? -1
            last[history[index].client] = index
        }
        return previous
    }

    private mutating func run() -> Verdict {
        struct Step {
            var time: UInt64
            var isReturn: Bool
            var index: Int
        }
        var steps: [Step] = []
        for (index, operation) in history.enumerated() {
            steps.append(Step(time: operation.invoked, isReturn: false, index: index))
            if operation.outcome != .unknown {
                steps.append(Step(time: operation.returned, isReturn: true, index: index))
            }
        }
        // At the same time: what begins then is concurrent with what ends then.
        steps.sort { ($0.time, $0.isReturn ? 1 : 0, $0.index) < ($1.time, $1.isReturn ? 1 : 0, $1.index) }
        var points = [Point(done: 0, value: 0)]
        for step in steps {
            if step.isReturn {
                points = returned(slots[step.index], points)
                if points.isEmpty { return explored > limit ? .undecided : .violated(history[step.index]) }
                free(slots[step.index])
            } else {
                guard let slot = freeSlot() else { return .undecided }
                take(slot, for: step.index)
            }
        }
        return .linearizable
    }

    private mutating func take(_ slot: Int, for index: Int) {
        slots[index] = slot
        pending[slot] = index
        let bit: UInt128 = 1 << UInt128(slot)
        taken |= bit
        likes[slot] = 0
        let operation = history[index]
        guard operation.outcome == .unknown else {
            if !operation.mayChange { readers |= bit }
            return
        }
        for earlier in bits(unknown & (bit - 1)) where history[pending[earlier]].action == operation.action {
            likes[slot] |= 1 << UInt128(earlier)
        }
        // One that took a free slot before others like it goes first from now on.
        for later in bits(unknown & ~(bit - 1)) where history[pending[later]].action == operation.action {
            likes[later] |= bit
        }
        unknown |= bit
    }

    private mutating func free(_ slot: Int) {
        pending[slot] = -1
        taken &= ~(1 << UInt128(slot))
        readers &= ~(1 << UInt128(slot))
    }

    private mutating func freeSlot() -> Int? {
        if let free = pending.firstIndex(of: -1) { return free }
        guard pending.count < 128 else { return nil }
        pending.append(-1)
        likes.append(0)
        return pending.count - 1
    }

    /// The points after an operation's return: in each it has taken effect.
    private mutating func returned(_ slot: Int, _ points: [Point]) -> [Point] {
        let bit: UInt128 = 1 << UInt128(slot)
        var after = Frontier(unknown: unknown)
        var visited = Frontier(unknown: unknown)
        var stack: [Point] = []
        for point in points {
            let point = absorbing(point)
            if visited.add(point) { stack.append(point) }
        }
        while let point = stack.popLast() {
            explored += 1
            if explored > limit { return [] }
            if point.done & bit != 0 {
                after.add(Point(done: point.done & ~bit, value: point.value))
                continue
            }
            for other in bits(taken & ~point.done) {
                let isUnknown = unknown >> UInt128(other) & 1 == 1
                if isUnknown ? isRepeated(other, point) : isAhead(pending[other], point) { continue }
                let effect = effect(of: pending[other], on: point.value)
                for next in [effect.first, effect.second] {
                    // Without a trace of it there was no need for an operation of unknown outcome.
                    if next < 0 || isUnknown && next == point.value { continue }
                    let reached = absorbing(Point(done: point.done | 1 << UInt128(other), value: next))
                    if visited.add(reached) { stack.append(reached) }
                }
            }
        }
        return after.points
    }

    /// The places of the bits that are set, the lowest first.
    private func bits(_ mask: UInt128) -> some Sequence<Int> {
        sequence(state: mask) { rest in
            guard rest != 0 else { return nil }
            defer { rest &= rest - 1 }
            return rest.trailingZeroBitCount
        }
    }

    /// The point with everything in effect that changes nothing and is told right here: later it could not do better.
    private mutating func absorbing(_ point: Point) -> Point {
        var point = point
        var isChanged = true
        while isChanged {
            isChanged = false
            for slot in bits(readers & ~point.done) {
                guard effect(of: pending[slot], on: point.value).first == point.value, !isAhead(pending[slot], point)
                else { continue }
                point.done |= 1 << UInt128(slot)
                isChanged = true
            }
        }
        return point
    }

    /// Whether an operation like this one of unknown outcome is still open: then that one goes first.
    private func isRepeated(_ slot: Int, _ point: Point) -> Bool {
        !isTimed && likes[slot] & ~point.done != 0
    }

    /// Whether the client's operation before this one has not taken effect.
    private func isAhead(_ operation: Int, _ point: Point) -> Bool {
        let before = previous[operation]
        guard before >= 0, slots[before] >= 0, pending[slots[before]] == before else { return false }
        return point.done >> UInt128(slots[before]) & 1 == 0
    }

    /// So many states of an operation are looked through one by one; a counter may have thousands.
    private static let listed = 16

    /// What an operation makes of a state.
    private mutating func effect(of operation: Int, on state: Int) -> Effect {
        for known in effects[operation] where known.state == state { return known }
        let place = UInt64(operation) << 32 | UInt64(state)
        if effects[operation].count == Self.listed, let known = furtherEffects[place] { return known }
        let reached = history[operation].effects(on: states[state], walls: walls[operation]).map { number(of: $0) }
        let effect = Effect(
            state: state, first: reached.first ?? -1, second: reached.count > 1 ? reached[1] : -1)
        if effects[operation].count < Self.listed {
            effects[operation].append(effect)
        } else {
            furtherEffects[place] = effect
        }
        return effect
    }

    private mutating func number(of state: KeyState) -> Int {
        if let known = numbers[state] { return known }
        states.append(state)
        numbers[state] = states.count - 1
        return states.count - 1
    }
}

/// Points of which none is better than another: with the same value and the same effects of operations that return, one that
/// needed fewer operations of unknown outcome can do all that the other can.
private struct Frontier {
    let unknown: UInt128
    private(set) var points: [Linearizability.Point] = []
    /// The next point of the same group; -1 = none.
    private var next: [Int] = []
    private var first: [Linearizability.Point: Int] = [:]

    init(unknown: UInt128) { self.unknown = unknown }

    /// Whether the point was new.
    @discardableResult
    mutating func add(_ point: Linearizability.Point) -> Bool {
        let group = Linearizability.Point(done: point.done & ~unknown, value: point.value)
        let head = first[group] ?? -1
        var place = head
        while place >= 0 {
            if points[place].done & unknown & ~point.done == 0 { return false }
            place = next[place]
        }
        first[group] = points.count
        points.append(point)
        next.append(head)
        return true
    }
}
