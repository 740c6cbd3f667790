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

    /// What took effect of the operations under way, and the value.
    private struct Point: Hashable {
        var done: UInt128
        var value: Int
    }

    private struct Pending {
        var operation: Operation
        var isUnknown: Bool
    }

    /// Distinct values, by number.
    private var values: [[UInt8]?] = [nil]
    private var numbers: [[UInt8]?: Int] = [nil: 0]
    /// Operations under way, by slot.
    private var pending: [Pending?] = []
    private var unknown: UInt128 = 0
    private var explored = 0
    private let limit: Int

    /// Judges the history of one key that is absent at first.
    /// - Parameter limit: points looked at before the search gives up.
    public static func judge(_ history: [Operation], limit: Int = 400_000) -> Verdict {
        var search = Linearizability(limit: limit)
        return search.run(search.relevant(history))
    }

    private init(limit: Int) { self.limit = limit }

    /// Without what cannot matter: refused operations had no effect, reads of unknown outcome tell nothing, and if a key is
    /// only read and set, a SET of unknown outcome whose value nobody saw might as well not have been.
    private func relevant(_ history: [Operation]) -> [Operation] {
        var seen: Set<[UInt8]> = []
        var isPlain = true
        for operation in history {
            if case .value(let value?) = operation.outcome { seen.insert(value) }
            switch operation.action {
            case .get, .set: break
            default: isPlain = false
            }
        }
        return history.filter { operation in
            if operation.outcome == .refused { return false }
            guard operation.outcome == .unknown else { return true }
            if case .set(let value) = operation.action, isPlain { return seen.contains(value) }
            return operation.action.isWrite
        }
    }

    private mutating func run(_ history: [Operation]) -> Verdict {
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
        var slots = [Int](repeating: -1, count: history.count)
        var points = [Point(done: 0, value: 0)]
        for step in steps {
            let operation = history[step.index]
            if step.isReturn {
                points = returned(slots[step.index], points)
                if points.isEmpty { return explored > limit ? .undecided : .violated(operation) }
                pending[slots[step.index]] = nil
            } else {
                guard let slot = freeSlot() else { return .undecided }
                slots[step.index] = slot
                pending[slot] = Pending(operation: operation, isUnknown: operation.outcome == .unknown)
                if operation.outcome == .unknown { unknown |= 1 << UInt128(slot) }
            }
        }
        return .linearizable
    }

    private mutating func freeSlot() -> Int? {
        if let free = pending.firstIndex(where: { $0 == nil }) { return free }
        guard pending.count < 128 else { return nil }
        pending.append(nil)
        return pending.count - 1
    }

    /// The points after an operation's return: in each it has taken effect.
    private mutating func returned(_ slot: Int, _ points: [Point]) -> [Point] {
        let bit: UInt128 = 1 << UInt128(slot)
        var after = Frontier(unknown: unknown)
        var visited = Frontier(unknown: unknown)
        var stack: [Point] = []
        for point in points {
            if point.done & bit != 0 {
                after.add(Point(done: point.done & ~bit, value: point.value))
            } else if visited.add(point) {
                stack.append(point)
            }
        }
        while let point = stack.popLast() {
            explored += 1
            if explored > limit { return [] }
            if let next = effect(of: slot, at: point) {
                after.add(Point(done: next.done & ~bit, value: next.value))
            }
            for other in pending.indices where other != slot && point.done >> UInt128(other) & 1 == 0 {
                guard let candidate = pending[other], !isRepeated(other, candidate, point) else { continue }
                guard let next = effect(of: other, at: point) else { continue }
                // Without a trace of it there was no need for it.
                if candidate.isUnknown, next.value == point.value { continue }
                if visited.add(next) { stack.append(next) }
            }
        }
        return after.points
    }

    /// Whether an operation like this one of unknown outcome is still open: then that one goes first.
    private func isRepeated(_ slot: Int, _ candidate: Pending, _ point: Point) -> Bool {
        guard candidate.isUnknown else { return false }
        for earlier in 0..<slot where point.done >> UInt128(earlier) & 1 == 0 {
            if let other = pending[earlier], other.isUnknown, other.operation.action == candidate.operation.action {
                return true
            }
        }
        return false
    }

    /// The point after an operation took effect; nil if its outcome says that it cannot have here.
    private mutating func effect(of slot: Int, at point: Point) -> Point? {
        guard let candidate = pending[slot] else { return nil }
        let (value, outcome) = candidate.operation.action.apply(to: values[point.value])
        guard candidate.isUnknown || outcome == candidate.operation.outcome else { return nil }
        return Point(done: point.done | 1 << UInt128(slot), value: number(of: value))
    }

    private mutating func number(of value: [UInt8]?) -> Int {
        if let known = numbers[value] { return known }
        values.append(value)
        numbers[value] = values.count - 1
        return values.count - 1
    }

    /// Points of which none is better than another: with the same value and the same effects of operations that return, one
    /// that needed fewer operations of unknown outcome can do all that the other can.
    private struct Frontier {
        let unknown: UInt128
        private(set) var points: [Point] = []
        private var places: [Point: [Int]] = [:]

        init(unknown: UInt128) { self.unknown = unknown }

        /// Whether the point was new.
        @discardableResult
        mutating func add(_ point: Point) -> Bool {
            let group = Point(done: point.done & ~unknown, value: point.value)
            let used = point.done & unknown
            for place in places[group, default: []] {
                let other = points[place].done & unknown
                if other & used == other { return false }
            }
            places[group, default: []].append(points.count)
            points.append(point)
            return true
        }
    }
}
