import ClusterModel

// SELECT: a keyspace by its name, or 0 for `default`.
extension Engine {
    /// What a name of a keyspace stands for.
    enum Selected {
        /// Index of a keyspace; the first may be named though there is none.
        case keyspace(Int)
        case refused(String)
        /// The metadata group is asked.
        case unknown
    }

    mutating func select(_ call: Call) -> Attempt {
        switch selected(call) {
        case .keyspace(let index): return use(index, call)
        case .refused(let text): return reject(call, text)
        case .unknown: return .blocked(.lookup)
        }
    }

    /// What the call's argument names. After `.unknown` it is to be asked again.
    mutating func selected(_ call: Call) -> Selected {
        let place = call.connection
        if let number = WholeNumber.parse(call[1]) {
            return number == 0 ? .keyspace(0) : .refused("ERR DB index is out of range")
        }
        let name = call[1][0..<65].text
        guard Keyspace.isWellFormed(name: name) else { return .refused("ERR no such keyspace '\(name)'") }
        if let index = keyspaceIndex[name], keyspaces[index].keyspace != nil {
            connections[place].lookupSince = 0
            return .keyspace(index)
        }
        // The metadata group is asked once: the answer to a beat sent after the question decides.
        let since = connections[place].lookupSince
        if since > 0, beats.answered >= since {
            connections[place].lookupSince = 0
            return .refused("ERR no such keyspace '\(name)'")
        }
        if since == 0 { connections[place].lookupSince = max(now.monotonic, 1) }
        // A beat that is under way may have been sent before the question: it does not count.
        beats.isDue = true
        return .unknown
    }

    private mutating func use(_ index: Int, _ call: Call) -> Attempt {
        connections[call.connection].lookupSince = 0
        connections[call.connection].keyspace = index
        call.reply.ok()
        return .done
    }

    /// A queued SELECT at EXEC: what its name stood for when it was queued.
    mutating func useQueued(_ call: Call, _ chosen: Int?) {
        if let chosen, chosen == 0 || keyspaces[chosen].keyspace != nil {
            _ = use(chosen, call)
        } else if WholeNumber.parse(call[1]) != nil {
            call.reply.error("ERR DB index is out of range")
        } else {
            call.reply.error("ERR no such keyspace '\(call[1][0..<65].text)'")
        }
    }
}
