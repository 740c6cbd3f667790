import ClusterModel

extension ScenarioRun {
    /// Whether a condition holds now.
    func holds(_ condition: Scenario.Condition) throws(Failure) -> Bool {
        try isTrue(condition.words) != condition.isNegated
    }

    private func isTrue(_ words: [String]) throws(Failure) -> Bool {
        let names = Array(words.dropFirst())
        switch words[0] {
        case "primary": return try shard().primary?.node == data(names[0]).id
        case "serving": return try serves(data(names[0]))
        case "unserved": return !world.nodes.contains { serves($0) }
        case "members":
            var wanted: [NodeID] = []
            for name in names { wanted.append(try data(name).id) }
            return try shard().members.map(\.node) == wanted
        case "epoch":
            let isBound = names[0].hasPrefix("<")
            guard let epoch = UInt64(names[0].drop { $0 == "<" }) else {
                throw Failure(description: "'\(names[0])' is no epoch: 4, or <9")
            }
            return try isBound ? shard().epoch.rawValue < epoch : shard().epoch.rawValue == epoch
        case "held":
            let ends = names[0].split(separator: ">").map(String.init)
            guard ends.count == 2 else { throw Failure(description: "'\(names[0])' is no way: P>S1") }
            return world.network.hasStopped(try end(ends[0]), try end(ends[1]))
        case "up": return try data(names[0]).isUp
        case "leads": return try meta(names[0]).isPrimary
        default: throw Failure(description: "'\(words[0])' is no condition")
        }
    }

    private func serves(_ node: DataMachine) -> Bool {
        guard let shard = world.map.shards.first else { return false }
        return node.process?.serves(shard.id, at: world.now) ?? false
    }
}
