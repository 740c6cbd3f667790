extension CommandTable {
    /// MULTI and its like.
    static let transactions: [CommandSpec] = [
        CommandSpec(
            .multi, "multi", arity: 1, [.noscript, .loading, .stale, .fast, .allowBusy], reach: .connection,
            group: .transactions,
            since: "1.2.0",
            "Mark the start of a transaction block"),
        CommandSpec(
            .exec, "exec", arity: 1, [.noscript, .loading, .stale, .skipSlowlog], reach: .connection,
            group: .transactions,
            since: "1.2.0",
            complexity: "Depends on commands in the transaction",
            "Execute all commands issued after MULTI"),
        CommandSpec(
            .discard, "discard", arity: 1, [.noscript, .loading, .stale, .fast, .allowBusy], reach: .connection,
            group: .transactions, since: "2.0.0",
            complexity: "O(N), when N is the number of queued commands",
            "Discard all commands issued after MULTI"),
        CommandSpec(
            .watch, "watch", arity: -2, [.noscript, .loading, .stale, .fast, .allowBusy], keys: (1, -1, 1),
            reach: .connection,
            group: .transactions, since: "2.2.0",
            complexity: "O(1) for every key.",
            "Watch the given keys to determine execution of the MULTI/EXEC block"),
        CommandSpec(
            .unwatch, "unwatch", arity: 1, [.noscript, .loading, .stale, .fast, .allowBusy], reach: .connection,
            group: .transactions, since: "2.2.0",
            "Forget about all watched keys"),
    ]
}
