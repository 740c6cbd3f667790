/// Leaves out of a history what cannot matter, and makes alike what makes no difference: that keeps the search small where
/// many outcomes are unknown.
enum HistoryReduction {
    /// Refused operations had no effect, and reads of unknown outcome tell nothing. If a key is only read and set, a SET of
    /// unknown outcome whose value nobody saw might as well not have been. Else such a value says only that something was
    /// there, and where there are APPENDs how long it was: those become one. What an operation of unknown outcome would have
    /// told is nothing either, so that some kinds of it are one.
    static func relevant(_ history: [Operation]) -> [Operation] {
        var seen: Set<ValueBytes> = []
        var isPlain = true
        var hasLengths = false
        var isCounted = false
        for operation in history {
            if case .value(let value?) = operation.outcome { note(value, &seen) }
            switch operation.action {
            case .get, .set: break
            case .append:
                isPlain = false
                hasLengths = true
            case .increment:
                isPlain = false
                isCounted = true
            default: isPlain = false
            }
        }
        return history.compactMap { operation in
            if operation.outcome == .refused { return nil }
            guard operation.outcome == .unknown else { return operation }
            guard operation.action.isWrite else { return nil }
            var like = operation
            like.action = operation.action.untold
            // What INCRs were made of is not seen itself.
            if isCounted { return like }
            guard let value = operation.action.written, !seen.contains(ValueBytes(value)) else { return like }
            if isPlain { return nil }
            like.action = like.action.writing([UInt8](repeating: 0x3F, count: hasLengths ? value.count : 1))
            return like
        }
    }

    /// What was seen: the value, and the parts of it that single APPENDs may have written, which end with a comma.
    private static func note(_ value: [UInt8], _ seen: inout Set<ValueBytes>) {
        guard seen.insert(ValueBytes(value)).inserted, value.contains(0x2C) else { return }
        for part in value.split(separator: 0x2C) { seen.insert(ValueBytes(part + [0x2C])) }
    }
}

extension Operation.Action {
    /// The bytes it writes; nil for what writes none of its own.
    var written: [UInt8]? {
        switch self {
        case .set(let value), .setIfAbsent(let value), .exchange(let value), .append(let value),
            .replace(_, let value), .setUntil(let value, _):
            value
        default: nil
        }
    }

    /// What has the same effect, if nobody hears what it told.
    var untold: Operation.Action {
        switch self {
        case .exchange(let value): .set(value)
        case .getAndDelete: .delete
        default: self
        }
    }

    /// The same with other bytes.
    func writing(_ value: [UInt8]) -> Operation.Action {
        switch self {
        case .set: .set(value)
        case .setIfAbsent: .setIfAbsent(value)
        case .exchange: .exchange(value)
        case .append: .append(value)
        case .replace(let old, _): .replace(old, value)
        case .setUntil(_, let deadline): .setUntil(value, deadline)
        default: self
        }
    }
}
