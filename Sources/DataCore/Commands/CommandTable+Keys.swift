extension CommandTable {
    /// Keys of any type.
    static let keys: [CommandSpec] = [
        CommandSpec(
            .del, "del", arity: -2, [.write], keys: (1, -1, 1), reach: .scatter, group: .generic, since: "1.0.0",
            complexity: "O(N) where N is the number of keys that will be removed.",
            "Delete a key"),
        CommandSpec(
            .unlink, "unlink", arity: -2, [.write, .fast], keys: (1, -1, 1), reach: .scatter, group: .generic,
            since: "4.0.0",
            complexity: "O(1) for each key removed",
            "Delete a key asynchronously in another thread. Otherwise it is just as DEL, but non blocking."),
        CommandSpec(
            .exists, "exists", arity: -2, [.readonly, .fast], keys: (1, -1, 1), reach: .scatter, group: .generic,
            since: "1.0.0",
            complexity: "O(N) where N is the number of keys to check.",
            "Determine if a key exists"),
        CommandSpec(
            .touch, "touch", arity: -2, [.readonly, .fast], keys: (1, -1, 1), reach: .scatter, group: .generic,
            since: "3.2.1",
            complexity: "O(N) where N is the number of keys that will be touched.",
            "Alters the last access time of a key(s). Returns the number of existing keys specified."),
        CommandSpec(
            .type, "type", arity: 2, [.readonly, .fast], keys: (1, 1, 1), reach: .shard, group: .generic,
            since: "1.0.0",
            "Determine the type stored at key"),
        CommandSpec(
            .ttl, "ttl", arity: 2, [.readonly, .fast], keys: (1, 1, 1), reach: .shard, group: .generic, since: "1.0.0",
            "Get the time to live for a key in seconds"),
        CommandSpec(
            .pttl, "pttl", arity: 2, [.readonly, .fast], keys: (1, 1, 1), reach: .shard, group: .generic,
            since: "2.6.0",
            "Get the time to live for a key in milliseconds"),
        CommandSpec(
            .expire, "expire", arity: -3, [.write, .fast], keys: (1, 1, 1), reach: .shard, group: .generic,
            since: "1.0.0",
            "Set a key's time to live in seconds"),
        CommandSpec(
            .pexpire, "pexpire", arity: -3, [.write, .fast], keys: (1, 1, 1), reach: .shard, group: .generic,
            since: "2.6.0",
            "Set a key's time to live in milliseconds"),
        CommandSpec(
            .expireat, "expireat", arity: -3, [.write, .fast], keys: (1, 1, 1), reach: .shard, group: .generic,
            since: "1.2.0",
            "Set the expiration for a key as a UNIX timestamp"),
        CommandSpec(
            .pexpireat, "pexpireat", arity: -3, [.write, .fast], keys: (1, 1, 1), reach: .shard, group: .generic,
            since: "2.6.0",
            "Set the expiration for a key as a UNIX timestamp specified in milliseconds"),
        CommandSpec(
            .expiretime, "expiretime", arity: 2, [.readonly, .fast], keys: (1, 1, 1), reach: .shard, group: .generic,
            since: "7.0.0",
            "Get the expiration Unix timestamp for a key"),
        CommandSpec(
            .pexpiretime, "pexpiretime", arity: 2, [.readonly, .fast], keys: (1, 1, 1), reach: .shard, group: .generic,
            since: "7.0.0",
            "Get the expiration Unix timestamp for a key in milliseconds"),
        CommandSpec(
            .persist, "persist", arity: 2, [.write, .fast], keys: (1, 1, 1), reach: .shard, group: .generic,
            since: "2.2.0",
            "Remove the expiration from a key"),
        CommandSpec(
            .rename, "rename", arity: 3, [.write], keys: (1, 2, 1), reach: .shard, group: .generic, since: "1.0.0",
            "Rename a key"),
        CommandSpec(
            .renamenx, "renamenx", arity: 3, [.write, .fast], keys: (1, 2, 1), reach: .shard, group: .generic,
            since: "1.0.0",
            "Rename a key, only if the new key does not exist"),
        CommandSpec(
            .copy, "copy", arity: -3, [.write, .denyoom], keys: (1, 2, 1), reach: .shard, group: .generic,
            since: "6.2.0",
            "Copy a key"),
        CommandSpec(
            .scan, "scan", arity: -2, [.readonly], reach: .keyspace, group: .generic, since: "2.8.0",
            complexity: "O(1) for every call. O(N) for a complete iteration",
            "Incrementally iterate the keys space"),
        CommandSpec(
            .keys, "keys", arity: 2, [.readonly], reach: .keyspace, group: .generic, since: "1.0.0",
            complexity: "O(N) with N being the number of keys in the database",
            "Find all keys matching the given pattern"),
        CommandSpec(
            .dbsize, "dbsize", arity: 1, [.readonly, .fast], reach: .keyspace, group: .generic, since: "1.0.0",
            complexity: "O(N), counted on a reader",
            "Return the number of keys in the selected database"),
        CommandSpec(
            .randomkey, "randomkey", arity: 1, [.readonly], reach: .keyspace, group: .generic, since: "1.0.0",
            "Return a random key from the keyspace"),
        CommandSpec(
            .flushdb, "flushdb", arity: -1, [.write], reach: .keyspace, group: .generic, since: "1.0.0",
            complexity: "O(N)",
            "Remove all keys from the current database"),
        CommandSpec(
            .flushall, "flushall", arity: -1, [.write], reach: .keyspace, group: .generic, since: "1.0.0",
            complexity: "O(N)",
            "Remove all keys from all databases"),
    ]
}
