extension CommandTable {
    /// Commands about the connection itself. Words and numbers are those of Redis 7.0; SETINFO and NO-TOUCH came in 7.2.
    static let connections: [CommandSpec] = [
        CommandSpec(
            .ping, "ping", arity: -1, [.fast], reach: .connection, group: .connection, since: "1.0.0",
            "Ping the server"),
        CommandSpec(
            .echo, "echo", arity: 2, [.loading, .stale, .fast], reach: .connection, group: .connection, since: "1.0.0",
            "Echo the given string"),
        CommandSpec(
            .hello, "hello", arity: -1, [.noscript, .loading, .stale, .fast, .noAuth, .allowBusy], reach: .connection,
            group: .connection, since: "6.0.0", "Handshake with Redis"),
        CommandSpec(
            .auth, "auth", arity: -2, [.noscript, .loading, .stale, .fast, .noAuth, .allowBusy], reach: .connection,
            group: .connection, since: "1.0.0",
            complexity: "O(N) where N is the number of passwords defined for the user", "Authenticate to the server"),
        CommandSpec(
            .select, "select", arity: 2, [.loading, .stale, .fast], reach: .connection, group: .connection,
            since: "1.0.0", "Change the selected database for the current connection"),
        CommandSpec(
            .quit, "quit", arity: -1, [.noscript, .loading, .stale, .fast, .noAuth, .allowBusy], reach: .connection,
            group: .connection, since: "1.0.0", "Close the connection"),
        CommandSpec(
            .reset, "reset", arity: 1, [.noscript, .loading, .stale, .fast, .noAuth, .allowBusy], reach: .connection,
            group: .connection, since: "6.2.0", "Reset the connection"),
        CommandSpec(
            .client, "client", arity: -2, [], reach: .connection, group: .connection, since: "2.4.0",
            complexity: "Depends on subcommand.", "A container for client connection commands"),
        CommandSpec(
            .clientId, "client|id", arity: 2, [.noscript, .loading, .stale], reach: .connection, group: .connection,
            since: "5.0.0", "Returns the client ID for the current connection"),
        CommandSpec(
            .clientGetname, "client|getname", arity: 2, [.noscript, .loading, .stale], reach: .connection,
            group: .connection, since: "2.6.9", "Get the current connection name"),
        CommandSpec(
            .clientSetname, "client|setname", arity: 3, [.noscript, .loading, .stale], reach: .connection,
            group: .connection, since: "2.6.9", "Set the current connection name"),
        CommandSpec(
            .clientSetinfo, "client|setinfo", arity: 4, [.noscript, .loading, .stale], reach: .connection,
            group: .connection, since: "7.2.0", "Sets information specific to the client or connection."),
        CommandSpec(
            .clientInfo, "client|info", arity: 2, [.noscript, .loading, .stale], reach: .connection, group: .connection,
            since: "6.2.0", "Returns information about the current client connection."),
        CommandSpec(
            .clientList, "client|list", arity: -2, [.admin, .noscript, .loading, .stale], reach: .connection,
            group: .connection, since: "2.4.0", complexity: "O(N) where N is the number of client connections",
            "Get the list of client connections"),
        CommandSpec(
            .clientKill, "client|kill", arity: -3, [.admin, .noscript, .loading, .stale], reach: .connection,
            group: .connection, since: "2.4.0", complexity: "O(N) where N is the number of client connections",
            "Kill the connection of a client"),
        CommandSpec(
            .clientReply, "client|reply", arity: 3, [.noscript, .loading, .stale], reach: .connection,
            group: .connection, since: "3.2.0", "Instruct the server whether to reply to commands"),
        CommandSpec(
            .clientPause, "client|pause", arity: -3, [.admin, .noscript, .loading, .stale], reach: .connection,
            group: .connection, since: "2.9.50", "Stop processing commands from clients for some time"),
        CommandSpec(
            .clientUnpause, "client|unpause", arity: 2, [.admin, .noscript, .loading, .stale], reach: .connection,
            group: .connection, since: "6.2.0", complexity: "O(N) Where N is the number of paused clients",
            "Resume processing of clients that were paused"),
        CommandSpec(
            .clientUnblock, "client|unblock", arity: -3, [.admin, .noscript, .loading, .stale], reach: .connection,
            group: .connection, since: "5.0.0", complexity: "O(log N) where N is the number of client connections",
            "Unblock a client blocked in a blocking command from a different connection"),
        CommandSpec(
            .clientNoEvict, "client|no-evict", arity: 3, [.admin, .noscript, .loading, .stale], reach: .connection,
            group: .connection, since: "7.0.0", "Set client eviction mode for the current connection"),
        CommandSpec(
            .clientNoTouch, "client|no-touch", arity: 3, [.noscript, .loading, .stale], reach: .connection,
            group: .connection, since: "7.2.0",
            "Controls whether commands sent by the client affect the LRU/LFU of accessed keys."),
        CommandSpec(
            .clientHelp, "client|help", arity: 2, [.loading, .stale], reach: .connection, group: .connection,
            since: "5.0.0", "Show helpful text about the different subcommands"),
        CommandSpec(
            .readonly, "readonly", arity: 1, [.loading, .stale, .fast], reach: .connection, group: .cluster,
            since: "3.0.0", "Enables read queries for a connection to a cluster replica node"),
        CommandSpec(
            .readwrite, "readwrite", arity: 1, [.loading, .stale, .fast], reach: .connection, group: .cluster,
            since: "3.0.0", "Disables read queries for a connection to a cluster replica node"),
        CommandSpec(
            .asking, "asking", arity: 1, [.fast], reach: .connection, group: .cluster, since: "3.0.0",
            "Sent by cluster clients after an -ASK redirect"),
        CommandSpec(
            .time, "time", arity: 1, [.loading, .stale, .fast], reach: .connection, group: .server, since: "2.6.0",
            "Return the current server time"),
        CommandSpec(
            .wait, "wait", arity: 3, [.noscript], reach: .connection, group: .generic, since: "3.0.0",
            "Wait for the synchronous replication of all the write commands sent in the context of the current connection"
        ),
    ]
}
