import ClusterModel

// Which earlier configurations of a shard may have committed something that the members of the newest do not all have: from
// the last one that is known to have been active on (RULES C7). Filled in where commands go to the log, whoever made them.
extension MetaNode {
    func settled(_ commands: [ClusterCommand]) -> [ClusterCommand] {
        var newest: [ShardID: ShardConfiguration] = [:]
        func next(_ wished: ShardConfiguration) -> ShardConfiguration {
            var next = wished
            if let current = newest[wished.id] ?? state.shard(wished.id), current.epoch < wished.epoch {
                next.unsettled = unsettled(after: current)
            }
            newest[wished.id] = next
            return next
        }
        return commands.map { command in
            switch command {
            case .reconfigure(let expected, let wished): .reconfigure(expected: expected, next(wished))
            case .register(let node, let configurations, let isSetBack):
                .register(node, configurations: configurations.map(next), isSetBack: isSetBack)
            case .updateKeyspace(let keyspace, let shards): .updateKeyspace(keyspace, shards: shards.map(next))
            default: command
            }
        }
    }

    private func unsettled(after current: ShardConfiguration) -> [Electorate] {
        if Mutant.c7SealsNewestAlone.isOn { return [] }
        if hasBegun(current, state) { return [current.electorate] }
        return current.unsettled.filter { $0 != current.electorate } + [current.electorate]
    }
}
