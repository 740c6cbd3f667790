import ClusterModel

/// What one key holds.
struct KeyState: Hashable {
    var value: [UInt8]?
    /// When the value goes, ms since 1970 by the nodes' walls; 0 = never.
    var deadline: Int64 = 0

    func hash(into hasher: inout Hasher) {
        hasher.combine(deadline)
        if let value { ValueBytes(value).hash(into: &hasher) }
    }

    static let absent = KeyState(value: nil)

    init(value: [UInt8]?, deadline: Int64 = 0) {
        self.value = value
        self.deadline = deadline
    }
}

/// How far the time by which a node's deadlines go may be off the world's, ms.
public struct WallSlack: Hashable, Sendable {
    public var behind: Int64
    public var ahead: Int64

    public init(behind: Int64 = 0, ahead: Int64 = 0) {
        self.behind = behind
        self.ahead = ahead
    }
}

extension Operation {
    /// What the nodes' walls may have shown while it took place, ms since 1970.
    func walls(_ slack: WallSlack) -> ClosedRange<Int64> {
        let from = MachineClock.epoch + Int64(invoked / 1_000_000) - slack.behind
        guard outcome != .unknown else { return from...Int64.max }
        return from...max(from, MachineClock.epoch + Int64(returned / 1_000_000) + slack.ahead)
    }

    /// Whether it changes another state though it leaves one as it is: a deadline that is set once more.
    var mayChange: Bool {
        if case .expire = action { return outcome != .number(0) }
        return false
    }

    /// The states that it may leave behind, if its outcome is possible at all: where a deadline falls into its time the
    /// value may have been there or not (RULES A13).
    func effects(on state: KeyState, walls: ClosedRange<Int64>) -> [KeyState] {
        guard state.value != nil, state.deadline != 0 else { return effect(on: state).map { [$0] } ?? [] }
        var states: [KeyState] = []
        if state.deadline > walls.lowerBound, let alive = effect(on: state) { states.append(alive) }
        if state.deadline <= walls.upperBound, let expired = effect(on: .absent), !states.contains(expired) {
            states.append(expired)
        }
        return states
    }

    /// The state after it took effect on one that is as it says; nil if its outcome cannot be.
    private func effect(on state: KeyState) -> KeyState? {
        let (new, told) = action.apply(to: state)
        return outcome == .unknown || outcome == told ? new : nil
    }
}

extension Operation.Action {
    /// What one key does: its state after it, and what is told.
    func apply(to state: KeyState) -> (state: KeyState, outcome: Operation.Outcome) {
        let value = state.value
        func holding(_ new: [UInt8]?) -> KeyState { KeyState(value: new, deadline: new == nil ? 0 : state.deadline) }
        switch self {
        case .get: return (state, .value(value))
        case .exists: return (state, .number(value == nil ? 0 : 1))
        case .set(let new): return (KeyState(value: new), .ok)
        case .setIfAbsent(let new): return value == nil ? (KeyState(value: new), .number(1)) : (state, .number(0))
        case .exchange(let new): return (KeyState(value: new), .value(value))
        case .delete: return (.absent, .number(value == nil ? 0 : 1))
        case .getAndDelete: return (.absent, .value(value))
        case .increment(let step):
            guard let number = Int64(String(decoding: value ?? [48], as: UTF8.self)) else { return (state, .refused) }
            return (holding(Array("\(number &+ step)".utf8)), .number(number &+ step))
        case .append(let tail):
            return (holding((value ?? []) + tail), .number(Int64((value ?? []).count + tail.count)))
        case .replace(let old, let new): return value == old ? (KeyState(value: new), .ok) : (state, .refused)
        case .setUntil(let new, let deadline): return (KeyState(value: new, deadline: deadline), .ok)
        case .expire(let deadline):
            return value == nil ? (state, .number(0)) : (KeyState(value: value, deadline: deadline), .number(1))
        case .persist:
            return value == nil || state.deadline == 0 ? (state, .number(0)) : (KeyState(value: value), .number(1))
        case .deadline: return (state, .number(value == nil ? -2 : state.deadline == 0 ? -1 : state.deadline))
        }
    }
}
