/// Whether one key's history could have been given by one copy of the key (RULES I10): the search of Wing and Gong as Lowe
/// made it: operations take effect as late as their replies allow, one order is looked for depth first, and a point of the
/// search is remembered as what took effect and the value then.
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
    /// What each operation makes of the first states it was tried on, `listed` places for each, and, by operation and state,
    /// of all others.
    private var effects: [Effect]
    private var furtherEffects: [UInt64: Effect] = [:]
    /// What walls may have shown while each operation took place.
    private let walls: [ClosedRange<Int64>]
    private let stages: HistoryStages
    private let limit: Int
    /// So many comparisons of points cost about what looking at one does.
    private static let comparisons = 16

    /// Judges the history of one key that is absent at first.
    /// - Parameters:
    ///   - limit: points looked at before the search gives up.
    ///   - slack: how far the time may be off by which deadlines go.
    public static func judge(_ history: [Operation], limit: Int = 300_000, walls slack: WallSlack = WallSlack())
        -> Verdict
    {
        var search = Linearizability(HistoryReduction.relevant(history), limit: limit, slack)
        return search?.run() ?? .undecided
    }

    private init?(_ history: [Operation], limit: Int, _ slack: WallSlack) {
        self.history = history
        self.limit = limit
        effects = [Effect](repeating: Effect(state: -1, first: -1, second: -1), count: history.count * Self.listed)
        walls = history.map { $0.walls(slack) }
        let isTimed = history.contains { operation in
            switch operation.action {
            case .setUntil, .expire: true
            default: false
            }
        }
        guard let stages = HistoryStages(history, isTimed: isTimed) else { return nil }
        self.stages = stages
    }

    /// Looks for one order, the likeliest way first; a point that was met before, or is no better than one, is left.
    private mutating func run() -> Verdict {
        let stages = stages.stages
        var met = [SearchFrontier](repeating: SearchFrontier(), count: stages.count)
        var stack: [(place: Int, point: SearchPoint)] = []
        var explored = 0
        var compared = 0
        var furthest = 0

        func go(to point: SearchPoint, _ place: Int, _ search: inout Linearizability) {
            let point = search.absorbing(point, stages[place])
            let before = met[place].compared
            if met[place].add(point, search.stages.groups) { stack.append((place, point)) }
            compared += met[place].compared - before
        }

        guard !stages.isEmpty else { return .linearizable }
        go(to: SearchPoint(done: 0, used: 0, value: 0), 0, &self)
        while let (place, point) = stack.popLast() {
            explored += 1
            if explored + compared / Self.comparisons > limit { return .undecided }
            furthest = max(furthest, place)
            let stage = stages[place]
            let bit: UInt128 = 1 << UInt128(stage.slot)
            if point.done & bit != 0 {
                if place + 1 == stages.count { return .linearizable }
                var next = point
                next.done &= ~bit
                go(to: next, place + 1, &self)
                continue
            }
            // What comes last is tried first: the one that returns here, then others that have an outcome.
            for number in self.stages.groups.indices {
                for next in reached(from: point, byGroup: number, place) { go(to: next, place, &self) }
            }
            var rest = stage.taken & ~point.done & ~bit
            while rest != 0 {
                for next in reached(from: point, by: rest.trailingZeroBitCount, stage) { go(to: next, place, &self) }
                rest &= rest - 1
            }
            for next in reached(from: point, by: stage.slot, stage) { go(to: next, place, &self) }
        }
        return .violated(history[Int(stages[furthest].pending[stages[furthest].slot])])
    }

    /// Where the operation in a slot may bring a point right away.
    private mutating func reached(
        from point: SearchPoint, by slot: Int, _ stage: HistoryStages.Stage
    ) -> [SearchPoint] {
        if stages.isAhead(slot, point.done, stage) { return [] }
        let effect = effect(of: Int(stage.pending[slot]), on: point.value)
        return [effect.second, effect.first].filter { $0 >= 0 }.map {
            SearchPoint(done: point.done | 1 << UInt128(slot), used: point.used, value: $0)
        }
    }

    /// Where the next operation of a group of unknown outcome may bring a point.
    private mutating func reached(from point: SearchPoint, byGroup number: Int, _ place: Int) -> [SearchPoint] {
        let group = stages.groups[number]
        let used = group.number(in: point.used)
        guard used < group.since.count, group.since[used] <= place else { return [] }
        let effect = effect(of: group.operation, on: point.value)
        // Without a trace of it there was no need for it.
        return [effect.second, effect.first].filter { $0 >= 0 && $0 != point.value }.map {
            SearchPoint(done: point.done, used: point.used + 1 << UInt128(group.offset), value: $0)
        }
    }

    /// The point with everything in effect that changes nothing and is told right here: later it could not do better.
    private mutating func absorbing(_ point: SearchPoint, _ stage: HistoryStages.Stage) -> SearchPoint {
        var point = point
        var isChanged = true
        while isChanged {
            isChanged = false
            var rest = stage.readers & ~point.done
            while rest != 0 {
                let slot = rest.trailingZeroBitCount
                rest &= rest - 1
                guard effect(of: Int(stage.pending[slot]), on: point.value).first == point.value,
                    !stages.isAhead(slot, point.done, stage)
                else { continue }
                point.done |= 1 << UInt128(slot)
                isChanged = true
            }
        }
        return point
    }

    /// So many states of an operation are looked through one by one; a counter may have thousands.
    private static let listed = 16

    /// What an operation makes of a state.
    private mutating func effect(of operation: Int, on state: Int) -> Effect {
        var free = operation * Self.listed
        let end = free + Self.listed
        while free < end, effects[free].state >= 0 {
            if effects[free].state == state { return effects[free] }
            free += 1
        }
        let place = UInt64(operation) << 32 | UInt64(state)
        if free == end, let known = furtherEffects[place] { return known }
        let reached = history[operation].effects(on: states[state], walls: walls[operation]).map { number(of: $0) }
        let effect = Effect(
            state: state, first: reached.first ?? -1, second: reached.count > 1 ? reached[1] : -1)
        if free < end { effects[free] = effect } else { furtherEffects[place] = effect }
        return effect
    }

    private mutating func number(of state: KeyState) -> Int {
        if let known = numbers[state] { return known }
        states.append(state)
        numbers[state] = states.count - 1
        return states.count - 1
    }
}
