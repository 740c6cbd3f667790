extension CommandTable {
    /// SHARD.*: for clients the first four, the rest between nodes.
    static let own: [CommandSpec] = [
        CommandSpec(
            .shardWhere, "shard.where", arity: 2, [.readonly, .fast], keys: (1, 1, 1), reach: .connection,
            group: .shard, since: "0.1.0", "Shard id, epoch, primary and members of a key's shard."),
        CommandSpec(
            .shardRange, "shard.range", arity: -3, [.readonly], reach: .keyspace, group: .shard, since: "0.1.0",
            complexity: "O(N) with N the pairs returned",
            "Keys and values of a range keyspace in the keys' order, across shards."),
        CommandSpec(
            .shardStatus, "shard.status", arity: 1, [.readonly], reach: .connection, group: .shard, since: "0.1.0",
            "Every replica this node holds."),
        CommandSpec(
            .shardStamp, "shard.stamp", arity: -5, [], reach: .connection, group: .shard, since: "0.1.0",
            "Runs a command if this node serves exactly this epoch of the shard."),
        CommandSpec(
            .shardRefuse, "shard.refuse", arity: -1, [.noAuth], reach: .connection, group: .shard, since: "0.1.0",
            "Answers with an error, if one is given, and closes the connection."),
        between(.shardScan, "shard.scan", arity: 6), between(.shardCount, "shard.count", arity: 2),
        between(.shardFlush, "shard.flush", arity: 2, [.write]), between(.shardRandom, "shard.random", arity: 2),
        between(.shardWalk, "shard.walk", arity: 3), between(.shardRangePart, "shard.range.part", arity: 6),
        between(.shardWatch, "shard.watch", arity: -4), between(.shardExec, "shard.exec", arity: -4, [.write]),
    ]

    /// A command that nodes send each other.
    private static func between(
        _ id: CommandID, _ name: String, arity: Int, _ flags: CommandSpec.Flags = [.readonly]
    ) -> CommandSpec {
        CommandSpec(
            id, name, arity: arity, flags, reach: .connection, group: .shard, since: "0.1.0",
            "Between nodes: a part of a command that a gateway divided.")
    }
}
