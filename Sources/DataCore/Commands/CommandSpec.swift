/// A command as data: what COMMAND answers, and what the core needs to know before it runs one. A class, since each command
/// of a client looks it up: one reference is passed on, not its many words.
public final class CommandSpec: Sendable {
    /// How a command meets the shards.
    enum Reach: UInt8, Sendable {
        /// Touches no key.
        case connection
        /// All its keys lie in one shard, else CROSSSLOT.
        case shard
        /// Falls apart by shard on the gateway port: each key (or pair) is a part of its own.
        case scatter
        /// Walks all shards of the keyspace (gateway port), or those this node is primary of (cluster port).
        case keyspace
    }

    /// Which rows must be in memory before it runs.
    enum Rows: UInt8, Sendable {
        /// None: it overwrites blindly.
        case none
        /// Those of all its keys.
        case keys
        /// None for the plain form, those of its keys when it has options (SET with NX, XX, GET or KEEPTTL).
        case unlessPlain
    }

    struct Flags: OptionSet, Sendable {
        let rawValue: UInt16
        static let write = Flags(rawValue: 1)
        static let readonly = Flags(rawValue: 2)
        /// Grows memory or disk: refused when the disk reserve is reached.
        static let denyoom = Flags(rawValue: 4)
        static let admin = Flags(rawValue: 8)
        static let fast = Flags(rawValue: 16)
        static let loading = Flags(rawValue: 32)
        static let stale = Flags(rawValue: 64)
        /// Runs before AUTH.
        static let noAuth = Flags(rawValue: 128)
        /// Not allowed inside MULTI.
        static let noMulti = Flags(rawValue: 256)
        static let movableKeys = Flags(rawValue: 512)
        static let noscript = Flags(rawValue: 1024)
        static let blocking = Flags(rawValue: 2048)
        /// May run while a script is busy; there are none here, but COMMAND says so.
        static let allowBusy = Flags(rawValue: 4096)
        /// Its commands are what SLOWLOG shows, not itself.
        static let skipSlowlog = Flags(rawValue: 8192)
    }

    /// The group COMMAND DOCS gives; the code is laid out by it.
    enum Group: String, Sendable { case string, bitmap, generic, connection, server, cluster, transactions, shard }

    let id: CommandID
    /// Lower case; a subcommand's holds its parent's: `client|getname`.
    let name: String
    /// Exact number of arguments, the name counted; negative = at least so many.
    let arity: Int
    let flags: Flags
    /// Position of the first key, 0 = no keys.
    let firstKey: Int
    /// Position of the last key; negative counts from the end, -1 = the last argument.
    let lastKey: Int
    let keyStep: Int
    let reach: Reach
    let rows: Rows
    /// Whether it is known by its parent's name and its own.
    let isSubcommand: Bool
    /// Group, summary, since and complexity as COMMAND DOCS gives them.
    let group: Group
    let summary: String
    let since: String
    let complexity: String

    init(
        _ id: CommandID, _ name: String, arity: Int, _ flags: Flags,
        keys: (first: Int, last: Int, step: Int) = (0, 0, 0),
        reach: Reach, rows: Rows = .keys, group: Group, since: String, complexity: String = "O(1)", _ summary: String
    ) {
        self.id = id
        self.name = name
        isSubcommand = name.utf8.contains(UInt8(ascii: "|"))
        self.arity = arity
        self.flags = flags
        firstKey = keys.first
        lastKey = keys.last
        keyStep = keys.step
        self.reach = reach
        self.rows = rows
        self.group = group
        self.summary = summary
        self.since = since
        self.complexity = complexity
    }

    /// Whether it is known by its subcommands alone (COMMAND also by itself).
    var isContainer: Bool {
        switch id {
        case .client, .command, .cluster, .config, .slowlog, .object, .memory: true
        default: false
        }
    }

    /// Whether it tells how the server holds a row, not what it says: OBJECT and MEMORY USAGE.
    var isInspection: Bool {
        switch id {
        case .objectEncoding, .objectRefcount, .objectIdletime, .objectFreq, .memoryUsage: true
        default: false
        }
    }

    @inline(__always) func accepts(count: Int) -> Bool { arity >= 0 ? count == arity : count >= -arity }

    /// Positions of the keys among `count` arguments; empty when there are none or too few arguments.
    func keyPositions(count: Int) -> StrideTo<Int> {
        guard firstKey > 0, keyStep > 0 else { return stride(from: 0, to: 0, by: 1) }
        let last = lastKey < 0 ? count + lastKey : lastKey
        return stride(from: firstKey, to: min(last, count - 1) + 1, by: keyStep)
    }
}
