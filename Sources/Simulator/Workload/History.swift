/// Everything clients asked of each key and were told.
public struct History: Sendable {
    /// By key, in the order the outcomes were known.
    public private(set) var operations: [String: [Operation]] = [:]
    public private(set) var done = 0
    public private(set) var reads = 0
    public private(set) var writes = 0
    public private(set) var refused = 0
    public private(set) var unknown = 0

    mutating func add(_ operation: Operation, key: String) {
        operations[key, default: []].append(operation)
        switch operation.outcome {
        case .refused: refused += 1
        case .unknown: unknown += 1
        default:
            done += 1
            if operation.action.isWrite { writes += 1 } else { reads += 1 }
        }
    }

    public var keys: [String] { operations.keys.sorted() }
}
