// Conversations with redis-server 7.0.15, each on a fresh connection: what it answers to commands inside MULTI that set
// something of the connection. Numbers of clients are 1 here. Before each the
// server was flushed.
extension RecordedReplies {
    static let transactions: [[(command: String, reply: String)]] = [
        [
            ("multi", "+OK\r\n"),
            ("select 0", "+QUEUED\r\n"),
            ("set {b}a 1", "+QUEUED\r\n"),
            ("select 0", "+QUEUED\r\n"),
            ("get {b}a", "+QUEUED\r\n"),
            ("exec", "*4\r\n+OK\r\n+OK\r\n+OK\r\n$1\r\n1\r\n"),
            ("get {b}a", "$1\r\n1\r\n"),
        ],
        [
            ("multi", "+OK\r\n"),
            ("select 99", "+QUEUED\r\n"),
            ("set {b}a 2", "+QUEUED\r\n"),
            ("exec", "*2\r\n-ERR DB index is out of range\r\n+OK\r\n"),
            ("get {b}a", "$1\r\n2\r\n"),
        ],
        [
            ("multi", "+OK\r\n"),
            ("select", "-ERR wrong number of arguments for 'select' command\r\n"),
            ("exec", "-EXECABORT Transaction discarded because of previous errors.\r\n"),
        ],
        [
            ("multi", "+OK\r\n"),
            ("hello 3", "+QUEUED\r\n"),
            ("get {b}nokey", "+QUEUED\r\n"),
            ("hello 2", "+QUEUED\r\n"),
            ("get {b}nokey", "+QUEUED\r\n"),
            (
                "exec",
                "*4\r\n%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:1\r\n$4\r\nmod"
                    + "e\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n_\r\n*14\r\n$6\r\nserver\r\n$5\r\nredis\r\n"
                    + "$7\r\nversion\r\n$6\r\n7.0.15\r\n$5\r\nproto\r\n:2\r\n$2\r\nid\r\n:1\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$"
                    + "6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n$-1\r\n"
            ),
            ("get {b}nokey", "$-1\r\n"),
        ],
        [
            ("multi", "+OK\r\n"),
            ("hello 3", "+QUEUED\r\n"),
            ("get {b}nokey", "+QUEUED\r\n"),
            (
                "exec",
                "*2\r\n%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:1\r\n$4\r\nmod"
                    + "e\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n_\r\n"
            ),
            ("get {b}nokey", "_\r\n"),
        ],
        [
            ("multi", "+OK\r\n"),
            ("hello 9", "+QUEUED\r\n"),
            ("get {b}nokey", "+QUEUED\r\n"),
            ("exec", "*2\r\n-NOPROTO unsupported protocol version\r\n$-1\r\n"),
        ],
        [
            ("multi", "+OK\r\n"),
            ("hello 3 setname me", "+QUEUED\r\n"),
            ("client getname", "+QUEUED\r\n"),
            (
                "exec",
                "*2\r\n%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:1\r\n$4\r\nmod"
                    + "e\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n$2\r\nme\r\n"
            ),
            ("client getname", "$2\r\nme\r\n"),
        ],
        [
            ("multi", "+OK\r\n"),
            ("hello 3 auth default x", "+QUEUED\r\n"),
            (
                "exec",
                "*1\r\n%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$6\r\n7.0.15\r\n$5\r\nproto\r\n:3\r\n$2\r\nid\r\n:1\r\n$4\r\nmod"
                    + "e\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n"
            ),
        ],
        [
            ("multi", "+OK\r\n"),
            ("client reply off", "+QUEUED\r\n"),
            ("set b 1", "+QUEUED\r\n"),
            ("get b", "+QUEUED\r\n"),
            ("exec", "*3\r\n"),
            ("get b", ""),
            ("client reply on", "+OK\r\n"),
            ("get b", "$1\r\n1\r\n"),
        ],
        [
            ("multi", "+OK\r\n"),
            ("set b 1", "+QUEUED\r\n"),
            ("client reply off", "+QUEUED\r\n"),
            ("get b", "+QUEUED\r\n"),
            ("client reply on", "+QUEUED\r\n"),
            ("get b", "+QUEUED\r\n"),
            ("exec", "*5\r\n+OK\r\n+OK\r\n$1\r\n1\r\n"),
            ("get b", "$1\r\n1\r\n"),
        ],
        [
            ("client reply off", ""),
            ("multi", ""),
            ("set b 1", ""),
            ("client reply on", ""),
            ("get b", ""),
            ("exec", "+OK\r\n$1\r\n1\r\n"),
            ("get b", "$1\r\n1\r\n"),
        ],
        [
            ("multi", "+OK\r\n"),
            ("set b 1", "+QUEUED\r\n"),
            ("client reply skip", "+QUEUED\r\n"),
            ("get b", "+QUEUED\r\n"),
            ("exec", "*3\r\n+OK\r\n$1\r\n1\r\n"),
            ("get b", ""),
            ("get b", "$1\r\n1\r\n"),
        ],
        [
            ("client reply skip", ""),
            ("multi", ""),
            ("get b", "+QUEUED\r\n"),
            ("exec", "*1\r\n$-1\r\n"),
        ],
        [
            ("multi", "+OK\r\n"),
            ("client reply on", "+QUEUED\r\n"),
            ("exec", "*1\r\n+OK\r\n"),
        ],
        [
            ("multi", "+OK\r\n"),
            ("client reply foo", "+QUEUED\r\n"),
            ("exec", "*1\r\n-ERR syntax error\r\n"),
        ],
        [
            ("multi", "+OK\r\n"),
            ("client reply off", "+QUEUED\r\n"),
            ("exec", "*1\r\n"),
            ("get b", ""),
        ],
        [
            ("multi", "+OK\r\n"),
            ("auth x", "+QUEUED\r\n"),
            (
                "exec",
                "*1\r\n-ERR AUTH <password> called without any password configured for the default user. Are "
                    + "you sure your configuration is correct?\r\n"
            ),
        ],
        [
            ("multi", "+OK\r\n"),
            ("wait 0 0", "+QUEUED\r\n"),
            ("exec", "*1\r\n:0\r\n"),
        ],
        [
            ("multi", "+OK\r\n"),
            ("unwatch", "+QUEUED\r\n"),
            ("exec", "*1\r\n+OK\r\n"),
        ],
        [
            ("multi", "+OK\r\n"),
            ("watch {b}a", "-ERR WATCH inside MULTI is not allowed\r\n"),
            ("exec", "*0\r\n"),
        ],
        [
            ("multi", "+OK\r\n"),
            ("reset", "+RESET\r\n"),
            ("get {b}a", "$-1\r\n"),
        ],
        [
            ("multi", "+OK\r\n"),
            ("client no-evict on", "+QUEUED\r\n"),
            ("exec", "*1\r\n+OK\r\n"),
        ],
        [
            ("multi", "+OK\r\n"),
            ("client kill type normal skipme no", "+QUEUED\r\n"),
            ("set c 1", "+QUEUED\r\n"),
            ("exec", "*2\r\n:1\r\n"),
        ],
        [
            ("multi", "+OK\r\n"),
            ("info nosuch", "+QUEUED\r\n"),
            ("exec", "*1\r\n$0\r\n\r\n"),
        ],
        [
            ("multi", "+OK\r\n"),
            ("slowlog len", "+QUEUED\r\n"),
            ("exec", "*1\r\n:0\r\n"),
        ],
        [
            ("multi", "+OK\r\n"),
            (
                "exec x",
                "-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command\r"
                    + "\n"
            ),
            ("exec", "-ERR EXEC without MULTI\r\n"),
        ],
        [
            ("multi", "+OK\r\n"),
            ("discard x", "-ERR wrong number of arguments for 'discard' command\r\n"),
            ("exec", "-EXECABORT Transaction discarded because of previous errors.\r\n"),
        ],
    ]
}
