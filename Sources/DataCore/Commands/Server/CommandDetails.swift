// What COMMAND INFO tells of a command beyond its specification: Redis 7.0's own words.
enum CommandDetails {
    /// Key specifications by command: flags, `@`, position of the first key, last key relative to it (negative: from the
    /// end), step; `;` between several.
    static let keyUses: [String: String] = spread([
        (
            "RO access @ 1 0 1",
            "get getrange substr getbit bitcount bitpos bitfield_ro ttl pttl expiretime pexpiretime"
        ),
        ("RW access update variable_flags @ 1 0 1", "set bitfield"),
        ("OW insert @ 1 0 1", "setnx"),
        ("OW update @ 1 0 1", "setex psetex"),
        ("RW access update @ 1 0 1", "getset getex incr incrby decr decrby incrbyfloat setbit"),
        ("RW access delete @ 1 0 1", "getdel"),
        ("RO access @ 1 -1 1", "mget"),
        ("OW update @ 1 -1 2", "mset"),
        ("OW insert @ 1 -1 2", "msetnx"),
        ("RW insert @ 1 0 1", "append"),
        ("RO @ 1 0 1", "strlen type"),
        ("RW update @ 1 0 1", "setrange expire pexpire expireat pexpireat persist"),
        ("RO access @ 1 1 1", "lcs"),
        ("OW update @ 2 0 1; RO access @ 3 -1 1", "bitop"),
        ("RM delete @ 1 -1 1", "del unlink"),
        ("RO @ 1 -1 1", "exists touch watch"),
        ("RW access delete @ 1 0 1; OW update @ 2 0 1", "rename"),
        ("RW access delete @ 1 0 1; OW insert @ 2 0 1", "renamenx"),
        ("RO access @ 1 0 1; OW update @ 2 0 1", "copy"),
        ("RO @ 2 0 1", "object|encoding object|refcount object|idletime object|freq memory|usage"),
    ])

    /// Hints for clients and proxies by command, with spaces between.
    static let tips: [String: String] = spread([
        ("request_policy:multi_shard", "mget"),
        ("request_policy:multi_shard response_policy:all_succeeded", "mset"),
        ("request_policy:multi_shard response_policy:agg_min", "msetnx"),
        ("request_policy:multi_shard response_policy:agg_sum", "del unlink exists touch"),
        (
            "nondeterministic_output",
            "ttl pttl time client|info client|list cluster|info cluster|nodes cluster|slots "
                + "cluster|shards object|encoding object|refcount object|idletime object|freq"
        ),
        ("nondeterministic_output request_policy:special", "scan"),
        ("request_policy:all_shards nondeterministic_output_order", "keys"),
        ("request_policy:all_shards response_policy:agg_sum", "dbsize"),
        ("request_policy:all_shards nondeterministic_output", "randomkey"),
        ("request_policy:all_shards response_policy:all_succeeded", "flushdb flushall ping"),
        ("request_policy:all_shards response_policy:agg_min", "wait"),
        ("nondeterministic_output request_policy:all_shards response_policy:special", "info"),
        ("nondeterministic_output_order", "command command|docs command|info command|list"),
        ("request_policy:all_nodes response_policy:all_succeeded", "config|set slowlog|reset"),
        ("request_policy:all_nodes nondeterministic_output", "slowlog|get"),
        ("request_policy:all_nodes response_policy:agg_sum nondeterministic_output", "slowlog|len"),
    ])

    /// Remarks on key specifications.
    static let notes: [String: String] = [
        "set": "RW and ACCESS due to the optional `GET` argument",
        "getex": "RW and UPDATE because it changes the TTL",
        "bitfield": "This command allows both access and modification of the key",
    ]

    /// From a fact and the commands it holds for to a table by command.
    static func spread(_ facts: [(fact: String, commands: String)]) -> [String: String] {
        var table: [String: String] = [:]
        for (fact, commands) in facts {
            for command in commands.split(separator: " ") { table[String(command)] = fact }
        }
        return table
    }
}
