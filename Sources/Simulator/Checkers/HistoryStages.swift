/// A history as its search goes through it: moment after moment at which an operation returns, and what is under way then.
struct HistoryStages {
    /// One such moment; the same for all points of the search.
    struct Stage {
        /// Whose moment it is: by then it has taken effect.
        var slot: Int
        /// A bit for each slot of an operation under way.
        var taken: UInt128
        /// Of those: such as only read.
        var readers: UInt128
        /// The operation in each slot; -1 = free.
        var pending: [Int32]
    }

    /// Operations of unknown outcome that do the same: which of them took effect makes no difference, how many does.
    struct Group {
        /// One of them, for what they do.
        var operation: Int
        /// From which stage on there is the first of them, the second, ...
        var since: [Int]
        /// Where in a point's `used` their number is, and how many bits of it.
        var offset = 0
        var width = 0

        func number(in used: UInt128) -> Int { Int(used >> UInt128(offset) & (1 << UInt128(width) - 1)) }
    }

    private(set) var stages: [Stage] = []
    private(set) var groups: [Group] = []
    /// The slot of each operation that has an outcome.
    private var slots: [Int]
    /// The one that its client sent before it, if that one has an outcome; else -1.
    private let previous: [Int]

    /// - Parameter isTimed: whether there are deadlines: then two operations that read alike may differ in when they can
    ///   take effect.
    /// - Returns: nil if more is under way at once than a point can tell of.
    init?(_ history: [Operation], isTimed: Bool) {
        slots = [Int](repeating: -1, count: history.count)
        previous = Self.previous(history)
        var numbers: [Operation.Action: Int] = [:]
        var now = Stage(slot: -1, taken: 0, readers: 0, pending: [])
        for step in Self.steps(history) {
            if step.isReturn {
                now.slot = slots[step.index]
                stages.append(now)
                now.free(now.slot)
            } else if history[step.index].outcome == .unknown {
                let action = history[step.index].action
                if !isTimed, let number = numbers[action] {
                    groups[number].since.append(stages.count)
                } else {
                    numbers[action] = groups.count
                    groups.append(Group(operation: step.index, since: [stages.count]))
                }
            } else {
                guard let slot = now.take(for: step.index, isReader: !history[step.index].mayChange) else { return nil }
                slots[step.index] = slot
            }
        }
        var offset = 0
        for number in groups.indices {
            groups[number].offset = offset
            groups[number].width = Int.bitWidth - groups[number].since.count.leadingZeroBitCount
            offset += groups[number].width
        }
        guard offset <= UInt128.bitWidth else { return nil }
    }

    private struct Step {
        var time: UInt64
        var isReturn: Bool
        var index: Int
    }

    /// At the same time: what begins then is concurrent with what ends then.
    private static func steps(_ history: [Operation]) -> [Step] {
        var steps: [Step] = []
        for (index, operation) in history.enumerated() {
            steps.append(Step(time: operation.invoked, isReturn: false, index: index))
            if operation.outcome != .unknown {
                steps.append(Step(time: operation.returned, isReturn: true, index: index))
            }
        }
        return steps.sorted { ($0.time, $0.isReturn ? 1 : 0, $0.index) < ($1.time, $1.isReturn ? 1 : 0, $1.index) }
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

    /// Whether the client's operation before the one in a slot is under way and not among those that took effect.
    func isAhead(_ slot: Int, _ done: UInt128, _ stage: Stage) -> Bool {
        let before = previous[Int(stage.pending[slot])]
        guard before >= 0, slots[before] >= 0, Int(stage.pending[slots[before]]) == before else { return false }
        return done >> UInt128(slots[before]) & 1 == 0
    }
}

extension HistoryStages.Stage {
    /// The slot for an operation that begins; nil if there is none left.
    fileprivate mutating func take(for index: Int, isReader: Bool) -> Int? {
        let slot = pending.firstIndex(of: -1) ?? pending.count
        guard slot < UInt128.bitWidth else { return nil }
        if slot == pending.count { pending.append(-1) }
        pending[slot] = Int32(index)
        taken |= 1 << UInt128(slot)
        if isReader { readers |= 1 << UInt128(slot) }
        return slot
    }

    fileprivate mutating func free(_ slot: Int) {
        pending[slot] = -1
        taken &= ~(1 << UInt128(slot))
        readers &= ~(1 << UInt128(slot))
    }
}
