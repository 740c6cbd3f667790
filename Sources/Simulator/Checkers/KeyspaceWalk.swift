/// One look at the whole keyspace, and what it found.
struct KeyspaceWalk: CustomStringConvertible {
    enum Kind {
        /// SCAN from cursor to cursor.
        case scan
        case keys
        /// DBSIZE.
        case size
    }

    var kind: Kind
    /// Keys that begin otherwise are not looked for.
    var prefix = ""
    /// When its first command was sent and its last reply came, ns.
    var begun: UInt64
    var ended: UInt64 = 0
    var found: Set<String> = []
    /// DBSIZE's reply.
    var size = 0

    var description: String {
        let end = "\(Trace.seconds(begun))-\(Trace.seconds(ended))"
        return kind == .size
            ? "DBSIZE \(end) -> \(size)" : "\(kind) \(prefix)* \(end) -> \(found.sorted().joined(separator: " "))"
    }

    /// What a key was throughout a walk, as far as what clients were told proves it.
    enum Presence {
        case throughout, never, unsure
    }

    /// Looks whether a walk returned what was there throughout, and nothing that was not there at any time (RULES I13, I14).
    /// - Parameter operations: all that was ever asked of each key, but for what other walks did.
    /// - Returns: what is wrong.
    func problem(_ operations: [String: [Operation]]) -> String? {
        var least = 0
        var most = 0
        for key in operations.keys.sorted() where key.hasPrefix(prefix) {
            let presence = presence(of: operations[key] ?? [])
            if presence == .throughout { least += 1 }
            if presence != .never { most += 1 }
            guard kind != .size else { continue }
            if presence == .throughout, !found.contains(key) { return "I13: \(self) lacks \(key), which was there" }
            if presence == .never, found.contains(key) { return "I14: \(self) has \(key), which was not there" }
        }
        if kind == .size {
            return (least...most).contains(size) ? nil : "I13: \(self), and there were \(least) to \(most) keys"
        }
        for key in found.sorted() where !key.hasPrefix(prefix) || operations[key] == nil {
            return "I14: \(self) has \(key), which nobody wrote"
        }
        return nil
    }

    /// The newest operation that was over before the walk says what the key was, if no other that may have changed it
    /// overlaps that operation, the walk, or the time between.
    func presence(of operations: [Operation]) -> Presence {
        var proof: Operation?
        for operation in operations
        where operation.proves != nil && operation.returned < begun
            && operation.invoked >= proof?.invoked ?? 0
        {
            proof = operation
        }
        let wasThere = proof?.proves ?? false
        for operation in operations
        where operation != proof && operation.outcome != .refused && operation.invoked <= ended {
            if operation.outcome != .unknown, operation.returned < proof?.invoked ?? 0, !operation.setsDeadline {
                continue
            }
            if wasThere ? operation.mayRemove : operation.mayCreate { return .unsure }
        }
        return wasThere ? .throughout : .never
    }
}

extension Operation {
    /// Whether the key was there right behind it, or, of a look, at some time of it; nil = it does not say.
    fileprivate var proves: Bool? {
        switch (action, outcome) {
        case (_, .refused), (_, .unknown): nil
        case (.set, _), (.setIfAbsent, _), (.exchange, _), (.increment, _), (.append, _), (.replace, _): true
        case (.get, .value(let value)): value != nil
        case (.exists, .number(let number)): number == 1
        case (.delete, _), (.getAndDelete, _): false
        default: nil
        }
    }

    fileprivate var mayRemove: Bool {
        switch action {
        case .delete, .getAndDelete: true
        default: setsDeadline
        }
    }

    /// Whether the key may go at a later time for it.
    fileprivate var setsDeadline: Bool {
        switch action {
        case .setUntil, .expire: true
        default: false
        }
    }

    fileprivate var mayCreate: Bool {
        switch action {
        case .set, .setIfAbsent, .exchange, .increment, .append, .replace, .setUntil: true
        default: false
        }
    }
}
