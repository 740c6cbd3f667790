import ClusterModel

// SELECT: a keyspace by its name, or 0 for `default`.
extension Engine {
    mutating func select(_ call: Call) -> Attempt {
        let place = call.connection
        if let number = WholeNumber.parse(call[1]) {
            guard number == 0 else { return reject(call, "ERR DB index is out of range") }
            return use(0, call)
        }
        let name = call[1][0..<65].text
        guard Keyspace.isWellFormed(name: name) else { return reject(call, "ERR no such keyspace '\(name)'") }
        if let index = keyspaceIndex[name], keyspaces[index].keyspace != nil { return use(index, call) }
        // The metadata group is asked once: the answer to a beat sent after the question decides.
        let since = connections[place].lookupSince
        if since > 0, beats.answered >= since {
            connections[place].lookupSince = 0
            return reject(call, "ERR no such keyspace '\(name)'")
        }
        if since == 0 { connections[place].lookupSince = max(now.monotonic, 1) }
        // A beat that is under way may have been sent before the question: it does not count.
        beats.isDue = true
        return .blocked(.lookup)
    }

    private mutating func use(_ index: Int, _ call: Call) -> Attempt {
        connections[call.connection].lookupSince = 0
        connections[call.connection].keyspace = index
        call.reply.ok()
        return .done
    }
}
