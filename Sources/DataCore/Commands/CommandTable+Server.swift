extension CommandTable {
    /// Commands about the server, its cluster, and single rows as the server holds them.
    static let servers: [CommandSpec] = [
        CommandSpec(
            .command, "command", arity: -1, [.loading, .stale], reach: .connection, group: .server, since: "2.8.13",
            complexity: "O(N) where N is the total number of Redis commands", "Get array of Redis command details"),
        CommandSpec(
            .commandCount, "command|count", arity: 2, [.loading, .stale], reach: .connection, group: .server,
            since: "2.8.13", "Get total number of Redis commands"),
        CommandSpec(
            .commandDocs, "command|docs", arity: -2, [.loading, .stale], reach: .connection, group: .server,
            since: "7.0.0", complexity: "O(N) where N is the number of commands to look up",
            "Get array of specific Redis command documentation"),
        CommandSpec(
            .commandInfo, "command|info", arity: -2, [.loading, .stale], reach: .connection, group: .server,
            since: "2.8.13", complexity: "O(N) where N is the number of commands to look up",
            "Get array of specific Redis command details, or all when no argument is given."),
        CommandSpec(
            .commandList, "command|list", arity: -2, [.loading, .stale], reach: .connection, group: .server,
            since: "7.0.0", complexity: "O(N) where N is the total number of Redis commands",
            "Get an array of Redis command names"),
        CommandSpec(
            .commandGetkeys, "command|getkeys", arity: -4, [.loading, .stale], reach: .connection, group: .server,
            since: "2.8.13", complexity: "O(N) where N is the number of arguments to the command",
            "Extract keys given a full Redis command"),
        CommandSpec(
            .info, "info", arity: -1, [.loading, .stale], reach: .connection, group: .server, since: "1.0.0",
            "Get information and statistics about the server"),
        CommandSpec(
            .cluster, "cluster", arity: -2, [], reach: .connection, group: .cluster, since: "3.0.0",
            complexity: "Depends on subcommand.", "A container for cluster commands"),
        CommandSpec(
            .clusterInfo, "cluster|info", arity: 2, [.stale], reach: .connection, group: .cluster, since: "3.0.0",
            "Provides info about Redis Cluster node state"),
        CommandSpec(
            .clusterNodes, "cluster|nodes", arity: 2, [.stale], reach: .connection, group: .cluster, since: "3.0.0",
            complexity: "O(N) where N is the total number of Cluster nodes", "Get Cluster config for the node"),
        CommandSpec(
            .clusterSlots, "cluster|slots", arity: 2, [.stale], reach: .connection, group: .cluster, since: "3.0.0",
            complexity: "O(N) where N is the total number of Cluster nodes",
            "Get array of Cluster slot to node mappings"),
        CommandSpec(
            .clusterShards, "cluster|shards", arity: 2, [.stale], reach: .connection, group: .cluster, since: "7.0.0",
            complexity: "O(N) where N is the total number of cluster nodes",
            "Get array of cluster slots to node mappings"),
        CommandSpec(
            .clusterMyid, "cluster|myid", arity: 2, [.stale], reach: .connection, group: .cluster, since: "3.0.0",
            "Return the node id"),
        CommandSpec(
            .clusterKeyslot, "cluster|keyslot", arity: 3, [.stale], reach: .connection, group: .cluster, since: "3.0.0",
            complexity: "O(N) where N is the number of bytes in the key", "Returns the hash slot of the specified key"),
        CommandSpec(
            .clusterCountkeysinslot, "cluster|countkeysinslot", arity: 3, [.stale], reach: .connection, group: .cluster,
            since: "3.0.0", "Return the number of local keys in the specified hash slot"),
        CommandSpec(
            .config, "config", arity: -2, [], reach: .connection, group: .server, since: "2.0.0",
            complexity: "Depends on subcommand.", "A container for server configuration commands"),
        CommandSpec(
            .configGet, "config|get", arity: -3, [.admin, .noscript, .loading, .stale], reach: .connection,
            group: .server, since: "2.0.0",
            complexity: "O(N) when N is the number of configuration parameters provided",
            "Get the values of configuration parameters"),
        CommandSpec(
            .configSet, "config|set", arity: -4, [.admin, .noscript, .loading, .stale], reach: .connection,
            group: .server, since: "2.0.0",
            complexity: "O(N) when N is the number of configuration parameters provided",
            "Set configuration parameters to the given values"),
        CommandSpec(
            .configResetstat, "config|resetstat", arity: 2, [.admin, .noscript, .loading, .stale], reach: .connection,
            group: .server, since: "2.0.0", "Reset the stats returned by INFO"),
        CommandSpec(
            .configRewrite, "config|rewrite", arity: 2, [.admin, .noscript, .loading, .stale], reach: .connection,
            group: .server, since: "2.8.0", "Rewrite the configuration file with the in memory configuration"),
        CommandSpec(
            .slowlog, "slowlog", arity: -2, [], reach: .connection, group: .server, since: "2.2.12",
            complexity: "Depends on subcommand.", "A container for slow log commands"),
        CommandSpec(
            .slowlogGet, "slowlog|get", arity: -2, [.admin, .loading, .stale], reach: .connection, group: .server,
            since: "2.2.12", complexity: "O(N) where N is the number of entries returned",
            "Get the slow log's entries"),
        CommandSpec(
            .slowlogLen, "slowlog|len", arity: 2, [.admin, .loading, .stale], reach: .connection, group: .server,
            since: "2.2.12", "Get the slow log's length"),
        CommandSpec(
            .slowlogReset, "slowlog|reset", arity: 2, [.admin, .loading, .stale], reach: .connection, group: .server,
            since: "2.2.12", complexity: "O(N) where N is the number of entries in the slowlog",
            "Clear all entries from the slow log"),
        CommandSpec(
            .slowlogHelp, "slowlog|help", arity: 2, [.loading, .stale], reach: .connection, group: .server,
            since: "6.2.0", "Show helpful text about the different subcommands"),
        CommandSpec(
            .object, "object", arity: -2, [], reach: .connection, group: .generic, since: "2.2.3",
            complexity: "Depends on subcommand.", "A container for object introspection commands"),
        CommandSpec(
            .objectEncoding, "object|encoding", arity: 3, [.readonly], keys: (2, 2, 1), reach: .shard, group: .generic,
            since: "2.2.3", "Inspect the internal encoding of a Redis object"),
        CommandSpec(
            .objectRefcount, "object|refcount", arity: 3, [.readonly], keys: (2, 2, 1), reach: .shard, group: .generic,
            since: "2.2.3", "Get the number of references to the value of the key"),
        CommandSpec(
            .objectIdletime, "object|idletime", arity: 3, [.readonly], keys: (2, 2, 1), reach: .shard, group: .generic,
            since: "2.2.3", "Get the time since a Redis object was last accessed"),
        CommandSpec(
            .objectFreq, "object|freq", arity: 3, [.readonly], keys: (2, 2, 1), reach: .shard, group: .generic,
            since: "4.0.0", "Get the logarithmic access frequency counter of a Redis object"),
        CommandSpec(
            .memory, "memory", arity: -2, [], reach: .connection, group: .server, since: "4.0.0",
            complexity: "Depends on subcommand.", "A container for memory diagnostics commands"),
        CommandSpec(
            .memoryUsage, "memory|usage", arity: -3, [.readonly], keys: (2, 2, 1), reach: .shard, group: .server,
            since: "4.0.0", complexity: "O(N) where N is the number of samples.", "Estimate the memory usage of a key"),
        CommandSpec(
            .commandHelp, "command|help", arity: 2, [.loading, .stale], reach: .connection, group: .server,
            since: "5.0.0", "Show helpful text about the different subcommands"),
        CommandSpec(
            .clusterHelp, "cluster|help", arity: 2, [.loading, .stale], reach: .connection, group: .cluster,
            since: "5.0.0", "Show helpful text about the different subcommands"),
        CommandSpec(
            .configHelp, "config|help", arity: 2, [.loading, .stale], reach: .connection, group: .server,
            since: "5.0.0", "Show helpful text about the different subcommands"),
        CommandSpec(
            .objectHelp, "object|help", arity: 2, [.loading, .stale], reach: .connection, group: .generic,
            since: "6.2.0", "Show helpful text about the different subcommands"),
        CommandSpec(
            .memoryHelp, "memory|help", arity: 2, [.loading, .stale], reach: .connection, group: .server,
            since: "4.0.0", "Show helpful text about the different subcommands"),
    ]
}
