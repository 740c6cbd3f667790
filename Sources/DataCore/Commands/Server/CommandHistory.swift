/// When commands changed, and what replaces those that are to go: COMMAND DOCS in Redis 7.0's own words.
enum CommandHistory {
    /// By command: version and change.
    static let changes: [String: [(since: String, change: String)]] = [
        "set": [
            ("2.6.12", "Added the `EX`, `PX`, `NX` and `XX` options."),
            ("6.0.0", "Added the `KEEPTTL` option."),
            ("6.2.0", "Added the `GET`, `EXAT` and `PXAT` option."),
            ("7.0.0", "Allowed the `NX` and `GET` options to be used together."),
        ],
        "bitcount": [
            ("7.0.0", "Added the `BYTE|BIT` option.")
        ],
        "bitpos": [
            ("7.0.0", "Added the `BYTE|BIT` option.")
        ],
        "exists": [
            ("3.0.3", "Accepts multiple `key` arguments.")
        ],
        "ttl": [
            ("2.8.0", "Added the -2 reply.")
        ],
        "pttl": [
            ("2.8.0", "Added the -2 reply.")
        ],
        "expire": [
            ("7.0.0", "Added options: `NX`, `XX`, `GT` and `LT`.")
        ],
        "pexpire": [
            ("7.0.0", "Added options: `NX`, `XX`, `GT` and `LT`.")
        ],
        "expireat": [
            ("7.0.0", "Added options: `NX`, `XX`, `GT` and `LT`.")
        ],
        "pexpireat": [
            ("7.0.0", "Added options: `NX`, `XX`, `GT` and `LT`.")
        ],
        "renamenx": [
            ("3.2.0", "The command no longer returns an error when source and destination names are the same.")
        ],
        "scan": [
            ("6.0.0", "Added the `TYPE` subcommand.")
        ],
        "flushdb": [
            ("4.0.0", "Added the `ASYNC` flushing mode modifier."),
            ("6.2.0", "Added the `SYNC` flushing mode modifier."),
        ],
        "flushall": [
            ("4.0.0", "Added the `ASYNC` flushing mode modifier."),
            ("6.2.0", "Added the `SYNC` flushing mode modifier."),
        ],
        "hello": [
            (
                "6.2.0",
                "`protover` made optional; when called without arguments the command reports the current connection's context."
            )
        ],
        "auth": [
            ("6.0.0", "Added ACL style (username and password).")
        ],
        "client|list": [
            ("2.8.12", "Added unique client `id` field."),
            ("5.0.0", "Added optional `TYPE` filter."),
            ("6.0.0", "Added `user` field."),
            ("6.2.0", "Added `argv-mem`, `tot-mem`, `laddr` and `redir` fields and the optional `ID` filter."),
            ("7.0.0", "Added `resp`, `multi-mem`, `rbs` and `rbp` fields."),
            ("7.0.3", "Added `ssub` field."),
        ],
        "client|kill": [
            ("2.8.12", "Added new filter format."),
            ("2.8.12", "`ID` option."),
            ("3.2.0", "Added `master` type in for `TYPE` option."),
            ("5.0.0", "Replaced `slave` `TYPE` with `replica`. `slave` still supported for backward compatibility."),
            ("6.2.0", "`LADDR` option."),
        ],
        "client|pause": [
            ("6.2.0", "`CLIENT PAUSE WRITE` mode added along with the `mode` option.")
        ],
        "command|info": [
            ("7.0.0", "Allowed to be called with no argument to get info on all commands.")
        ],
        "info": [
            ("7.0.0", "Added support for taking multiple section arguments.")
        ],
        "cluster|slots": [
            ("4.0.0", "Added node IDs."),
            ("7.0.0", "Added additional networking metadata field."),
        ],
        "config|get": [
            ("7.0.0", "Added the ability to pass multiple pattern parameters in one call")
        ],
        "config|set": [
            ("7.0.0", "Added the ability to set multiple parameters in one call.")
        ],
        "slowlog|get": [
            ("4.0.0", "Added client IP address, port and name to the reply.")
        ],
    ]

    /// By command: since when it is deprecated, and what is to be used instead.
    static let deprecated: [String: (since: String, replacement: String)] = [
        "getset": ("6.2.0", "`SET` with the `!GET` argument"),
        "substr": ("2.0.0", "`GETRANGE`"),
        "cluster|slots": ("7.0.0", "`CLUSTER SHARDS`"),
    ]
}
