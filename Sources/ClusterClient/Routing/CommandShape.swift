/// What the client must know of a command to route it: where its first key is, and whether it may be sent twice.
struct CommandShape: Hashable, Sendable {
    /// Index of the first key among the arguments, the command's name being 0; nil = it names none, or means the
    /// connection, which a client of many shared connections does not have.
    var key: Int?
    /// Whether it changes nothing, so that sending it again after an unknown outcome does no harm.
    var isRead: Bool

    /// The shape of a command by its name in any case. A name that is not known counts as a write with its key first.
    static func of(_ name: [UInt8]) -> CommandShape {
        let upper = String(decoding: name.map { (97...122).contains($0) ? $0 - 32 : $0 }, as: UTF8.self)
        if keyless.contains(upper) { return CommandShape(key: nil, isRead: false) }
        return CommandShape(key: second.contains(upper) ? 2 : 1, isRead: reads.contains(upper))
    }

    private static let keyless: Set<String> = [
        "PING", "ECHO", "HELLO", "AUTH", "SELECT", "QUIT", "RESET", "CLIENT", "COMMAND", "INFO", "READONLY",
        "READWRITE",
        "ASKING", "TIME", "WAIT", "CLUSTER", "CONFIG", "SLOWLOG", "MULTI", "EXEC", "DISCARD", "WATCH", "UNWATCH",
        "SCAN",
        "KEYS", "DBSIZE", "RANDOMKEY", "FLUSHDB", "FLUSHALL", "SHARD.STATUS", "SHARD.RANGE", "SHARD.STAMP",
    ]
    private static let second: Set<String> = ["OBJECT", "MEMORY", "BITOP"]
    private static let reads: Set<String> = [
        "GET", "MGET", "STRLEN", "GETRANGE", "SUBSTR", "LCS", "GETBIT", "BITCOUNT", "BITPOS", "BITFIELD_RO", "EXISTS",
        "TOUCH", "TYPE", "TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME", "OBJECT", "MEMORY", "SHARD.WHERE",
    ]
}
