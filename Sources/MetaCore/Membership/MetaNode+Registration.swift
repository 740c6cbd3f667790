import ClusterModel

// Registration: who a node is, which boot of it lives, and the new epochs a restart brings.
extension MetaNode {
    mutating func judgeBeat(_ beat: Heartbeat, _ draft: ClusterState) -> Judgement {
        // It may have been registered while this beat waited.
        if noteBeat(beat) { return Judgement(answer: .heartbeat(since: beat.routeVersion)) }
        if let refusal = refusal(of: beat, draft) { return refuse(refusal) }
        if let known = draft.node(beat.node.id), hearing(known)?.isAfter(beat.node.boot) == true {
            // Its directory as it was then knows nothing of that start.
            return refuse("node \(known.id) has started again since: this is an earlier process of it")
        }
        if let wait = rivalWait(beat, draft) {
            return refuse(
                "another process of node \(beat.node.id)'s store may still live: if it was stopped, wait; if not, "
                    + "stop one of the two", retryAfter: wait)
        }
        guard beat.leaving != true else { return refuse("a node that leaves is not registered") }
        var node = beat.node
        node.standing = .member
        if let known = draft.node(node.id), known.store == node.store {
            node.standing = known.standing
            if draft.fixedWeights.contains(node.id) { node.weight = known.weight }
            if known.boot == node.boot { return Judgement(answer: .heartbeat(since: beat.routeVersion)) }
        }
        let isSetBack = isSetBack(beat, draft)
        guard let configurations = restarted(node, isSetBack: isSetBack, draft) else {
            return refuse("a shard of node \(node.id) has reached the last epoch there is")
        }
        let former = draft.node(node.id)?.store == node.store ? heard[node.id] : nil
        heard[node.id] = Heard(beat, now: now.monotonic, former: former)
        return Judgement(
            commands: [.register(node, configurations: configurations, isSetBack: isSetBack ? true : nil)],
            answer: .heartbeat(since: beat.routeVersion))
    }

    private func refuse(_ refusal: String, retryAfter: UInt64? = nil) -> Judgement {
        var answer = beatAnswer(since: state.routeVersion)
        answer.refusal = refusal
        answer.retryAfterMillis = retryAfter
        return .answer(.heartbeat(answer))
    }

    /// Why a node cannot be registered as long as nothing else changes (RULES H1).
    private func refusal(of beat: Heartbeat, _ draft: ClusterState) -> String? {
        let node = beat.node
        if let theirs = beat.cluster, let ours = draft.cluster, theirs != ours {
            return "its directory belongs to cluster \(theirs), this is cluster \(ours): "
                + "start it with the metasrv of its own cluster, or with an empty directory"
        }
        if let fault = fault(of: node) { return fault }
        if draft.retiredStores.contains(node.store) {
            return "the store \(node.store) was retired: start the node with an empty directory"
        }
        if let other = draft.members.first(where: { $0.store == node.store && $0.id != node.id }) {
            return "the store \(node.store) is registered as node \(other.id): start it with --id \(other.id)"
        }
        if let known = draft.node(node.id), known.standing != .removed, known.store != node.store {
            return "node \(node.id) is registered with another store (\(known.store)): retire that one by "
                + "'shardctl node remove \(node.id)', or choose another --id"
        }
        return nil
    }

    private func fault(of node: Node) -> String? {
        if !node.id.isWellFormed {
            return "'\(node.id)' is not a node's name: letters, digits, '.', '_', '-'; at most 63"
        }
        if !(node.weight > 0 && node.weight <= 1_000_000) { return "a weight is above 0 and at most 1000000" }
        if node.zone.utf8.count > 255 || node.host.utf8.count > 255 { return "zone and host are at most 255 bytes" }
        let addresses = [node.address, node.gateway, node.peer]
        if addresses.contains(where: { $0.host.isEmpty || !(1...65535).contains($0.port) }) {
            return "a node announces addresses that others can reach: host and port 1 to 65535"
        }
        return nil
    }

    /// Milliseconds until the boot that is registered can no longer live; nil = it need not be waited for (RULES H2).
    private func rivalWait(_ beat: Heartbeat, _ draft: ClusterState) -> UInt64? {
        guard let known = draft.node(beat.node.id), known.store == beat.node.store, known.boot != beat.node.boot else {
            return nil
        }
        // A boot that was not heard in this term may have been heard by the former primary until just now.
        let last = hearing(known)
        if last?.hasLeft == true || Mutant.h2AcceptsRivals.isOn { return nil }
        let silent = elapsed(since: last?.last ?? termStart)
        return silent < settings.rivalAfter ? settings.rivalAfter - silent : nil
    }

    /// New epochs for all shards that a restarted node is primary of (RULES C11); nil when one has none left.
    private func restarted(_ node: Node, isSetBack: Bool, _ draft: ClusterState) -> [ShardConfiguration]? {
        var configurations: [ShardConfiguration] = []
        var draft = draft
        if isSetBack { draft.markOutdated(on: node.id) }
        for shard in draft.shards.values where shard.value.primary?.node == node.id {
            guard shard.value.primaryBoot != node.boot else { continue }
            // One with an older directory is primary of nothing that others hold (RULES H1).
            if let primary = shard.value.primary, draft.isOutdated(primary, shard.id) { continue }
            guard let next = led(by: node, shard.value, draft) else { return nil }
            configurations.append(next)
        }
        return configurations
    }

    /// The next epoch of a shard, for another start of its primary's node; nil = there is none left.
    func led(by node: Node, _ shard: ShardConfiguration, _ draft: ClusterState) -> ShardConfiguration? {
        guard var next = shard.next else { return nil }
        next.primaryBoot = node.boot
        // What the former primary has not given yet is waited for in the new epoch too (RULES C13).
        if isHandedOver(shard, draft) { next.handedOverFrom = nil }
        return next
    }
}
