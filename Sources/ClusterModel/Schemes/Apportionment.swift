/// Gives whole shards to nodes so that the numbers of shards follow the weights, and replicas to distinct hosts and, where
/// possible, distinct zones.
struct Apportionment {
    private let sites: [Site]
    private let replicas: Int

    init(sites: [Site], replicas: Int) {
        self.sites = sites.sorted { $0.node < $1.node }
        self.replicas = max(1, replicas)
    }

    /// Places each shard. A shard's first member stays if its node is here and not above its quota: the fewest that even
    /// out by weight move.
    func place(_ shards: [PlannedShard]) -> [PlannedShard] {
        guard !sites.isEmpty else { return shards.map { PlannedShard(range: $0.range) } }
        var position: [NodeID: Int] = [:]
        for (index, site) in sites.enumerated() { position[site.node] = index }
        var held = shards.map { $0.members.first.flatMap { position[$0] } }
        var counts = [Int](repeating: 0, count: sites.count)
        for owner in held { if let owner { counts[owner] += 1 } }
        let quotas = quotas(of: shards.count, held: counts)
        // Taken from the end of each node's list, so that a plan is the same each time.
        for index in held.indices.reversed() {
            guard let owner = held[index], counts[owner] > quotas[owner] else { continue }
            counts[owner] -= 1
            held[index] = nil
        }
        var placed = shards
        for index in held.indices {
            let owner = held[index] ?? neediest(counts, quotas)
            if held[index] == nil { counts[owner] += 1 }
            placed[index].members = [sites[owner].node]
        }
        return replicas > 1 ? follow(placed) : placed
    }

    /// Adds members to shards that have their first one, so that the numbers of all replicas follow the weights.
    func follow(_ shards: [PlannedShard]) -> [PlannedShard] {
        var loads = [Int](repeating: 0, count: sites.count)
        for shard in shards {
            if let first = sites.firstIndex(where: { $0.node == shard.members.first }) { loads[first] += 1 }
        }
        var placed = shards
        for index in placed.indices {
            guard let first = placed[index].members.first,
                let owner = sites.firstIndex(where: { $0.node == first })
            else { continue }
            var chosen = [owner]
            while chosen.count < replicas {
                let hosts = Set(chosen.map { sites[$0].host })
                let zones = Set(chosen.map { sites[$0].zone })
                let free = sites.indices.filter { !hosts.contains(sites[$0].host) }
                guard
                    let next = free.min(by: { left, right in
                        let (leftZone, rightZone) = (
                            zones.contains(sites[left].zone), zones.contains(sites[right].zone)
                        )
                        if leftZone != rightZone { return rightZone }
                        return Double(loads[left] + 1) / sites[left].weight
                            < Double(loads[right] + 1) / sites[right].weight
                    })
                else { break }
                loads[next] += 1
                chosen.append(next)
            }
            placed[index].members = chosen.map { sites[$0].node }
        }
        return placed
    }

    /// The number of shards each node should have: Webster's (Sainte-Laguë's) method; of equal claims the one of the node
    /// that holds more now wins, so that nothing moves without need.
    private func quotas(of count: Int, held: [Int]) -> [Int] {
        var quotas = [Int](repeating: 0, count: sites.count)
        for _ in 0..<count {
            var best = 0
            for index in sites.indices.dropFirst() {
                let claim = (Double(quotas[index]) + 0.5) / sites[index].weight
                let bestClaim = (Double(quotas[best]) + 0.5) / sites[best].weight
                let keeps = held[index] - quotas[index] > held[best] - quotas[best]
                if claim < bestClaim || claim == bestClaim && keeps { best = index }
            }
            quotas[best] += 1
        }
        return quotas
    }

    private func neediest(_ counts: [Int], _ quotas: [Int]) -> Int {
        sites.indices.max { left, right in
            let (leftNeed, rightNeed) = (
                Double(quotas[left] - counts[left]) / sites[left].weight,
                Double(quotas[right] - counts[right]) / sites[right].weight
            )
            // Of equal needs the first by name.
            return leftNeed != rightNeed ? leftNeed < rightNeed : left > right
        } ?? 0
    }
}
