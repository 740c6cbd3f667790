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
        let sites = sites(draft)
        let policy = try policy(of: wish, nodesUp: sites.count)
        let keyspace: Keyspace
        let planned: [PlannedShard]
        do throws(SchemeProblem) {
            let scheme = try wish.scheme.scheme()
            guard let id = draft.lastKeyspace.successor else { throw SchemeProblem("no keyspace number is left") }
            keyspace = Keyspace(id: id, name: wish.name, scheme: scheme.parameters, policy: policy)
            planned = try scheme.placement(
                on: sites, replicas: policy.replicas, current: [])
        } catch {
            throw .usage(error.description)
        }
        guard !sites.isEmpty else {
            throw .refused("no node is up to hold keyspace \(wish.name): start a datasrv, see 'shardctl node ls'")
        }
        try checkHosts(for: policy.replicas, sites)
        let shards = try configurations(of: planned, keyspace, draft)
        if isPlan {
            let summary = plan(of: keyspace, shards)
            return .answer(.admin(.done(routeVersion: draft.routeVersion, summary: summary)))
        }
        return Judgement(
            commands: [.createKeyspace(keyspace, shards: shards)], answer: .keyspaceCreated(keyspace.id))
    }

    /// Where replicas may be placed now. A node that was told of no host shares its fate with no other.
    func sites(_ draft: ClusterState) -> [Site] {
        draft.members.filter { $0.standing == .member && isUp($0) }.map { Site(of: $0) }
    }

    /// Refuses what no placement can give: each replica of a shard lies on a host of its own.
    func checkHosts(for replicas: Int, _ sites: [Site]) throws(AdminRefusal) {
        let hosts = Set(sites.map(\.host)).sorted()
        guard hosts.count < replicas else { return }
        throw .refused(
            "\(replicas) replicas need as many hosts with a node that is up, there \(hosts.count == 1 ? "is" : "are") "
                + "\(hosts.count) (\(hosts.joined(separator: ", "))): start a datasrv on another --host, "
                + "or ask for \(counted(hosts.count, "replica"))")
    }

    /// Without a number: three replicas, or one for each node that is up if these are fewer.
    private func policy(of wish: KeyspaceWish, nodesUp: Int) throws(AdminRefusal) -> ReplicationPolicy {
        let policy = ReplicationPolicy(
            replicas: wish.replicas ?? max(1, min(3, nodesUp)), flow: wish.flow ?? .fanout, ack: wish.ack ?? .all,
            minInSync: wish.minInSync, read: wish.read ?? .primary)
        try check(policy)
        return policy
    }

    func check(_ policy: ReplicationPolicy) throws(AdminRefusal) {
        guard policy.replicas >= 1 else { throw .usage("--replicas must be at least 1, not \(policy.replicas)") }
        guard policy.read != .any || policy.ack == .all else { throw .usage("--read any needs --ack all") }
        guard (1...policy.replicas).contains(policy.minInSync) else {
            throw .usage("--min-in-sync must be 1 to \(policy.replicas), not \(policy.minInSync)")
        }
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
        var counts: [NodeID: (primaries: Int, all: Int)] = [:]
        for shard in shards {
            for member in shard.members {
                counts[member.node, default: (0, 0)].all += 1
                if member == shard.primary { counts[member.node, default: (0, 0)].primaries += 1 }
            }
        }
        let spread = counts.sorted { $0.key < $1.key }
            .map { "\($0.key): \($0.value.primaries) of \(counted($0.value.all, "replica"))" }
            .joined(separator: ", ")
        let policy = keyspace.policy
        return "create \(keyspace.scheme.kind.rawValue) keyspace \(keyspace.name) of "
            + "\(counted(shards.count, "shard")) with \(counted(policy.replicas, "replica")), flow "
            + "\(policy.flow.rawValue), ack \(policy.ack.rawValue), min-in-sync \(policy.minInSync), read "
            + "\(policy.read.rawValue), primaries on \(spread)"
    }

    /// The answer to a creation, from the durable state.
    func created(_ id: KeyspaceID) -> AdminAnswer {
        guard let keyspace = state.keyspaces[id]?.value else {
            return .failed(code: .unavailable, message: "the keyspace was created and dropped since")
        }
        return .keyspaceCreated(
            routeVersion: state.routeVersion, keyspace: info(keyspace), shards: shardInfos(of: keyspace))
    }
}
