extension CommandTable {
    /// Strings, with the words of Redis 7.0's COMMAND DOCS.
    static let strings: [CommandSpec] = [
        CommandSpec(
            .get, "get", arity: 2, [.readonly, .fast], keys: (1, 1, 1), reach: .shard, group: .string, since: "1.0.0",
            "Get the value of a key"),
        CommandSpec(
            .set, "set", arity: -3, [.write, .denyoom], keys: (1, 1, 1), reach: .shard, rows: .unlessPlain,
            group: .string, since: "1.0.0",
            "Set the string value of a key"),
        CommandSpec(
            .setnx, "setnx", arity: 3, [.write, .denyoom, .fast], keys: (1, 1, 1), reach: .shard, group: .string,
            since: "1.0.0",
            "Set the value of a key, only if the key does not exist"),
        CommandSpec(
            .setex, "setex", arity: 4, [.write, .denyoom], keys: (1, 1, 1), reach: .shard, rows: .none, group: .string,
            since: "2.0.0",
            "Set the value and expiration of a key"),
        CommandSpec(
            .psetex, "psetex", arity: 4, [.write, .denyoom], keys: (1, 1, 1), reach: .shard, rows: .none,
            group: .string, since: "2.6.0",
            "Set the value and expiration in milliseconds of a key"),
        CommandSpec(
            .getset, "getset", arity: 3, [.write, .denyoom, .fast], keys: (1, 1, 1), reach: .shard, group: .string,
            since: "1.0.0",
            "Set the string value of a key and return its old value"),
        CommandSpec(
            .getdel, "getdel", arity: 2, [.write, .fast], keys: (1, 1, 1), reach: .shard, group: .string,
            since: "6.2.0",
            "Get the value of a key and delete the key"),
        CommandSpec(
            .getex, "getex", arity: -2, [.write, .fast], keys: (1, 1, 1), reach: .shard, group: .string, since: "6.2.0",
            "Get the value of a key and optionally set its expiration"),
        CommandSpec(
            .mget, "mget", arity: -2, [.readonly, .fast], keys: (1, -1, 1), reach: .scatter, group: .string,
            since: "1.0.0",
            complexity: "O(N) where N is the number of keys to retrieve.",
            "Get the values of all the given keys"),
        CommandSpec(
            .mset, "mset", arity: -3, [.write, .denyoom], keys: (1, -1, 2), reach: .scatter, rows: .none,
            group: .string, since: "1.0.1",
            complexity: "O(N) where N is the number of keys to set.",
            "Set multiple keys to multiple values"),
        CommandSpec(
            .msetnx, "msetnx", arity: -3, [.write, .denyoom], keys: (1, -1, 2), reach: .shard, group: .string,
            since: "1.0.1",
            complexity: "O(N) where N is the number of keys to set.",
            "Set multiple keys to multiple values, only if none of the keys exist"),
        CommandSpec(
            .append, "append", arity: 3, [.write, .denyoom, .fast], keys: (1, 1, 1), reach: .shard, group: .string,
            since: "2.0.0",
            "Append a value to a key"),
        CommandSpec(
            .strlen, "strlen", arity: 2, [.readonly, .fast], keys: (1, 1, 1), reach: .shard, group: .string,
            since: "2.2.0",
            "Get the length of the value stored in a key"),
        CommandSpec(
            .getrange, "getrange", arity: 4, [.readonly], keys: (1, 1, 1), reach: .shard, group: .string,
            since: "2.4.0",
            complexity: "O(N) where N is the length of the returned string.",
            "Get a substring of the string stored at a key"),
        CommandSpec(
            .substr, "substr", arity: 4, [.readonly], keys: (1, 1, 1), reach: .shard, group: .string, since: "1.0.0",
            complexity: "O(N) where N is the length of the returned string.",
            "Get a substring of the string stored at a key"),
        CommandSpec(
            .setrange, "setrange", arity: 4, [.write, .denyoom], keys: (1, 1, 1), reach: .shard, group: .string,
            since: "2.2.0",
            "Overwrite part of a string at key starting at the specified offset"),
        CommandSpec(
            .incr, "incr", arity: 2, [.write, .denyoom, .fast], keys: (1, 1, 1), reach: .shard, group: .string,
            since: "1.0.0",
            "Increment the integer value of a key by one"),
        CommandSpec(
            .incrby, "incrby", arity: 3, [.write, .denyoom, .fast], keys: (1, 1, 1), reach: .shard, group: .string,
            since: "1.0.0",
            "Increment the integer value of a key by the given amount"),
        CommandSpec(
            .decr, "decr", arity: 2, [.write, .denyoom, .fast], keys: (1, 1, 1), reach: .shard, group: .string,
            since: "1.0.0",
            "Decrement the integer value of a key by one"),
        CommandSpec(
            .decrby, "decrby", arity: 3, [.write, .denyoom, .fast], keys: (1, 1, 1), reach: .shard, group: .string,
            since: "1.0.0",
            "Decrement the integer value of a key by the given number"),
        CommandSpec(
            .incrbyfloat, "incrbyfloat", arity: 3, [.write, .denyoom, .fast], keys: (1, 1, 1), reach: .shard,
            group: .string, since: "2.6.0",
            "Increment the float value of a key by the given amount"),
        CommandSpec(
            .lcs, "lcs", arity: -3, [.readonly], keys: (1, 2, 1), reach: .shard, group: .string, since: "7.0.0",
            complexity: "O(N*M) where N and M are the lengths of s1 and s2, respectively",
            "Find longest common substring"),
    ]
}
