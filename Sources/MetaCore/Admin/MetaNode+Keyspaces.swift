import ClusterModel

// Keyspaces: their creation and their settings.
extension MetaNode {
    func createKeyspace(
        _ wish: KeyspaceWish, _ isPlan: Bool, _ draft: ClusterState
    ) throws(AdminRefusal) -> Judgement {
        guard Keyspace.isWellFormed(name: wish.name) else {
            throw .usage("'\(wish.name)' is not a keyspace's name: [A-Za-z_][A-Za-z0-9_.-]{0,63}")
        }
        guard draft.keyspace(named: wish.name) == nil else { throw .refused("keyspace \(wish.name) exists already") }
        let policy = try policy(of: wish)
        let sites = draft.members.filter { $0.standing == .member && isUp($0) }
        let keyspace: Keyspace
        let planned: [PlannedShard]
        do throws(SchemeProblem) {
            let scheme = try wish.scheme.scheme()
            guard let id = draft.lastKeyspace.successor else { throw SchemeProblem("no keyspace number is left") }
            keyspace = Keyspace(id: id, name: wish.name, scheme: scheme.parameters, policy: policy)
            planned = try scheme.placement(
                on: sites.map { Site(node: $0.id, weight: $0.weight, zone: $0.zone, host: $0.host) },
                replicas: policy.replicas, current: [])
        } catch {
            throw .usage(error.description)
        }
        guard !sites.isEmpty else {
            throw .refused("no node is up to hold keyspace \(wish.name): start a datasrv, see 'shardctl node ls'")
        }
        let shards = try configurations(of: planned, keyspace, draft)
        if isPlan {
            let summary = plan(of: keyspace, shards)
            return .answer(.admin(.done(routeVersion: draft.routeVersion, summary: summary)))
        }
        return Judgement(
            commands: [.createKeyspace(keyspace, shards: shards)], answer: .keyspaceCreated(keyspace.id))
    }

    private func policy(of wish: KeyspaceWish) throws(AdminRefusal) -> ReplicationPolicy {
        let policy = ReplicationPolicy(
            replicas: wish.replicas ?? 1, flow: wish.flow ?? .fanout, ack: wish.ack ?? .all,
            minInSync: wish.minInSync, read: wish.read ?? .primary)
        try check(policy)
        return policy
    }

    private func check(_ policy: ReplicationPolicy) throws(AdminRefusal) {
        guard policy.replicas >= 1 else { throw .usage("--replicas must be at least 1, not \(policy.replicas)") }
        guard policy.replicas == 1 || policy.ack == .all else {
            throw .refused("--ack \(policy.ack.rawValue) with more than one replica is not there yet: use --ack all")
        }
        guard (1...policy.replicas).contains(policy.minInSync) else {
            throw .usage("--min-in-sync must be 1 to \(policy.replicas), not \(policy.minInSync)")
        }
        guard policy.read != .any || policy.ack == .all else { throw .usage("--read any needs --ack all") }
    }

    private func configurations(
        of planned: [PlannedShard], _ keyspace: Keyspace, _ draft: ClusterState
    ) throws(AdminRefusal) -> [ShardConfiguration] {
        var shards: [ShardConfiguration] = []
        var last = draft.lastShard
        for plan in planned {
            guard let id = last.successor else { throw .refused("no shard number is left") }
            guard let primary = plan.members.first, let node = draft.node(primary) else {
                throw .refused("no node is up to hold every shard of keyspace \(keyspace.name)")
            }
            last = id
            shards.append(
                ShardConfiguration(
                    id: id, keyspace: keyspace.id, epoch: Epoch(rawValue: 1), range: plan.range,
                    policy: keyspace.policy,
                    members: plan.members.map { Member(node: $0, incarnation: .first) },
                    proposal: Proposal(proposer: "metasrv", request: 1), primaryBoot: node.boot))
        }
        return shards
    }

    private func plan(of keyspace: Keyspace, _ shards: [ShardConfiguration]) -> String {
        var counts: [NodeID: Int] = [:]
        for shard in shards { if let primary = shard.primary { counts[primary.node, default: 0] += 1 } }
        let spread = counts.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
        let policy = keyspace.policy
        return "create \(keyspace.scheme.kind.rawValue) keyspace \(keyspace.name) of "
            + "\(counted(shards.count, "shard")) with \(counted(policy.replicas, "replica")), flow "
            + "\(policy.flow.rawValue), ack \(policy.ack.rawValue), min-in-sync \(policy.minInSync), read "
            + "\(policy.read.rawValue), on \(spread)"
    }

    /// The answer to a creation, from the durable state.
    func created(_ id: KeyspaceID) -> AdminAnswer {
        guard let keyspace = state.keyspaces[id]?.value else {
            return .failed(code: .unavailable, message: "the keyspace was created and dropped since")
        }
        return .keyspaceCreated(
            routeVersion: state.routeVersion, keyspace: info(keyspace), shards: shardInfos(of: keyspace))
    }

    // MARK: Settings

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
        try checkSizes(keyspace)
        let summary = settings.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
        guard keyspace != known else {
            return .answer(.admin(.done(routeVersion: draft.routeVersion, summary: "keyspace \(name) has \(summary)")))
        }
        var shards: [ShardConfiguration] = []
        if keyspace.policy != known.policy {
            for var shard in draft.shards(of: keyspace.id) {
                guard isHandedOver(shard, draft) else {
                    throw AdminRefusal(.unavailable, "shard \(shard.id) is being handed over: try again")
                }
                guard let epoch = shard.epoch.successor else {
                    throw .refused("shard \(shard.id) has reached the last epoch there is")
                }
                shard.epoch = epoch
                shard.policy = keyspace.policy
                shard.handedOverFrom = nil
                shard.proposal = Proposal(proposer: "metasrv", request: epoch.rawValue)
                shards.append(shard)
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
