import ClusterModel

// What is changed of a keyspace that serves.
extension MetaNode {
    func setKeyspace(
        _ name: String, _ settings: [String: String], _ isPlan: Bool, _ draft: ClusterState
    ) throws(AdminRefusal) -> Judgement {
        guard let known = draft.keyspace(named: name) else { throw .noKeyspace(name) }
        guard !settings.isEmpty else { throw .usage("nothing to set: give key=value") }
        var keyspace = known
        // Replicas before min-in-sync, whose bound they are; all else in the order of names.
        for (key, value) in settings.sorted(by: { $0.key < $1.key }) { try set(key, value, &keyspace) }
        if settings["replicas"] != nil, settings["min-in-sync"] == nil {
            keyspace.policy.minInSync = min(keyspace.policy.minInSync, max(1, keyspace.policy.replicas))
        }
        try check(keyspace.policy)
        if keyspace.policy.replicas > known.policy.replicas {
            try checkHosts(for: keyspace.policy.replicas, sites(draft))
        }
        try checkSizes(keyspace)
        let summary = settings.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
        guard keyspace != known else {
            return .answer(.admin(.done(routeVersion: draft.routeVersion, summary: "keyspace \(name) has \(summary)")))
        }
        var shards: [ShardConfiguration] = []
        if keyspace.policy != known.policy {
            for shard in draft.shards(of: keyspace.id) {
                guard isHandedOver(shard, draft) else {
                    throw AdminRefusal(.unavailable, "shard \(shard.id) is being handed over: try again")
                }
                guard var next = shard.next else {
                    throw .refused("shard \(shard.id) has reached the last epoch there is")
                }
                next.policy = keyspace.policy
                next.handedOverFrom = nil
                shards.append(next)
            }
        }
        return outcome(
            .updateKeyspace(keyspace, shards: shards), isPlan, draft, "set \(summary) of keyspace \(name)")
    }

    private func set(_ key: String, _ value: String, _ keyspace: inout Keyspace) throws(AdminRefusal) {
        func choice<Choice: RawRepresentable & CaseIterable>(_: Choice.Type) throws(AdminRefusal) -> Choice
        where Choice.RawValue == String {
            if let found = Choice(rawValue: value) { return found }
            let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw .usage("\(key) is one of \(names), not '\(value)'")
        }
        func number() throws(AdminRefusal) -> Int {
            let isDigits = !value.isEmpty && value.utf8.allSatisfy { (48...57).contains($0) }
            guard isDigits, let number = Int(value), number > 0 else {
                throw .usage("\(key) is a whole number above 0, not '\(value)'")
            }
            return number
        }
        switch key {
        case "flow": keyspace.policy.flow = try choice(Flow.self)
        case "ack": keyspace.policy.ack = try choice(Ack.self)
        case "read": keyspace.policy.read = try choice(ReadMode.self)
        case "replicas": keyspace.policy.replicas = try number()
        case "min-in-sync": keyspace.policy.minInSync = try number()
        case "split-bytes", "merge-bytes": keyspace.settings[key] = "\(try number())"
        case "auto-split", "auto-merge":
            guard value == "on" || value == "off" else { throw .usage("\(key) is on or off, not '\(value)'") }
            keyspace.settings[key] = value
        default:
            throw .usage(
                "'\(key)' is no setting of a keyspace: flow, ack, min-in-sync, read, replicas, split-bytes, "
                    + "merge-bytes, auto-split, auto-merge")
        }
    }

    private func checkSizes(_ keyspace: Keyspace) throws(AdminRefusal) {
        guard let split = keyspace.settings["split-bytes"].flatMap({ Int($0) }),
            let merge = keyspace.settings["merge-bytes"].flatMap({ Int($0) })
        else { return }
        guard merge < split / 2 else {
            throw .usage("merge-bytes (\(merge)) must be below half of split-bytes (\(split)), else shards would swing")
        }
    }
}
