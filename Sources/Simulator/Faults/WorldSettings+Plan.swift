import ClusterModel

extension WorldSettings {
    /// The world of a seed: sizes and speeds are drawn, those that are trouble only where the plan has it.
    init(plan: FaultPlan) {
        self.init(seed: plan.seed)
        var chance = Chance(seed: plan.seed, stream: "world")
        nodes = chance.between(3, 5)
        metas = chance.between(1, 2)
        keyspace = Self.keyspace(&chance, nodes: nodes)
        var reads = Chance(seed: plan.seed, stream: "reads")
        if reads.oneIn(3) { keyspace.ack = .majority }
        if keyspace.ack == .all, reads.oneIn(2) { keyspace.read = .any }
        var silences = Chance(seed: plan.seed, stream: "down-after")
        downAfter = silences.pick([3000, 6000, 30_000])
        // Twelve times that must be over within the healing.
        backOff = silences.pick([100, 300])
        leaseMillis = chance.pick([500, 1000, 1000, 2000])
        gatewayTimeoutMillis = chance.between(UInt64(1000), 5000)
        syncDelay = 50_000...chance.scaled(200_000, 5_000_000)
        logDelay = 100_000...chance.scaled(1_000_000, 20_000_000)
        delay = chance.scaled(20_000, 1_000_000)
        jitter = chance.scaled(20_000, 2_000_000)
        if plan.has(.delay) {
            var own = plan.chance(.delay)
            delay = own.scaled(100_000, 20_000_000)
            jitter = own.scaled(100_000, 50_000_000)
        }
        if plan.has(.slowDisk) || plan.has(.slow) {
            var own = Chance(seed: plan.seed, stream: "slow-after")
            slowAfterMillis = own.pick([400, 1000, 5000])
        }
        if plan.has(.unequalLeases) {
            var own = plan.chance(.unequalLeases)
            leases = (0..<nodes).map { _ in own.pick([500, 1000, 2000]) }
        }
        if plan.has(.snapshots) {
            var own = plan.chance(.snapshots)
            snapshotEvery = own.scaled(4, 64)
        }
        if plan.has(.tinySegments) {
            var own = plan.chance(.tinySegments)
            segmentBytes = own.between(8, 32) << 10
        }
        if plan.has(.smallMemory) {
            var own = plan.chance(.smallMemory)
            cacheBytes = own.oneIn(2) ? 0 : 4096
            backlogBytes = own.between(16, 256) << 10
            historyBytes = own.pick([0, 1 << 10, 16 << 10])
            wayBytes = own.between(1, 16) << 10
        }
        if plan.has(.bigValues) { mostPerTurn = 4 << 20 }
        if plan.has(.smallBatches) {
            commandsPerTurn = 1
            batchesPerSync = 1
        }
    }

    /// Three copies mostly, every policy that goes with them.
    private static func keyspace(_ chance: inout Chance, nodes: Int) -> KeyspaceWish {
        var wish = KeyspaceWish(name: "default", scheme: scheme(&chance))
        let replicas = min(nodes, chance.pick([1, 2, 3, 3, 3, 3]))
        wish.replicas = replicas
        wish.flow = chance.oneIn(2) ? .chain : .fanout
        wish.ack = Ack.all
        wish.minInSync = max(replicas / 2 + 1, chance.oneIn(2) ? 1 : chance.between(1, replicas))
        return wish
    }

    private static func scheme(_ chance: inout Chance) -> SchemeParameters {
        switch chance.below(6) {
        case 0: SchemeParameters(kind: .ring, virtualNodes: chance.between(1, 3))
        case 1: SchemeParameters(kind: .range, splitAt: ["a1", "c1", "r2"].map { Key(Array($0.utf8)) })
        default: SchemeParameters(kind: .hash, shards: chance.between(1, 8))
        }
    }
}
