public import ClusterModel

/// A scripted run of a whole cluster: one law, what happens in which order, what is expected.
///
/// A scenario is a text. Empty lines and what follows a `#` at a line's beginning are passed over. It begins with settings,
/// one a line:
///
///     law A7                          the law of RULES.md it is about
///     mutants a7BeginsAtOnce          breaks of the law that must make the scenario fail
///     nodes 3    metas 1    replicas 3    shards 1    flow fanout|chain    read primary|any    min-in-sync 2    lease 1000 (ms; several: d1's, d2's ...)
///     snapshot-every 1024    down-after 30000 (ms)    segment 1048576 (bytes)    seed 1
///     backlog 4096    way 4096        bytes that a node keeps for its stores, and for the way to another node, about
///     sync-interval 1s                logs are synced once in a while, and what is written counts as durable
///
/// The cluster is started and its keyspace `default` created before the first statement. Statements, one a line, happen in
/// their order; an `order NAME` line begins a variant: what stands before the first one is done in each of them, each in a
/// world of its own.
///
///     c@P SET k v                     client c, at the gateway of a node, sends a command and waits for nothing
///     c@P SET k v -> OK               ... and waits for its reply
///     c@P SET k v*60000               a value of 60,000 `v`
///     c@P SET k v PXAT +2000          a deadline so many ms from now, whatever the walls of machines show
///     c -> OK                         the next reply of c: a text, nil, a number, PREFIX*, or `*` for any; `closed` when
///                                     the connection breaks first
///     c silent 500ms                  no reply comes in this time
///     hold S1>P grant                 the first packet with such a message, and all behind it, waits on its way
///     lose S1>P grant                 the connection breaks at the first packet with such a message
///     deliver S1>P                    what was held arrives; the hold is over
///     cut S1>P    cut S1=P    open S1>P    open S1=P    open     ways between machines, one way or both; all
///     pause P 3s    clock P 1.05      a process stands still for a time; a clock's rate
///     stall P 3s                      the same in its next turn, right behind its look at the clock
///     wall P 3600s    wall P -3600s   its wall clock is ahead, or behind, by so much
///     kill P    power P    start P    the process ends; the machine loses its power, and all that its log has not
///                                     synced; either goes on
///     leave P                         the process is asked to stop, as by an operator
///     rot P                           every batch of its log goes bad that tells of the first shard and that a later one
///                                     vouches for; its process does not run
///     rot P first                     the first alone of those of its batches with rows
///     save P    restore P             a copy of its disk is made; it comes in place of the disk; its process does not run
///     copy P X1                       the disk of a machine whose process does not run becomes a copy of another's, and its
///                                     process goes by the other one's name
///     fill P 2048                     others leave so many bytes of its disk
///     fail-sync P                     its next sync fails: the process ends, and nobody starts it before the next
///     mend P                          its disk has room and was looked at
///     sync P 20ms                     how long a sync of the log takes
///     store P 3s                      how long its stores take for what they are given at a time
///     hand-over S1                    an operator gives the primary's role to another member
///     set min-in-sync 3               an operator changes a setting of the keyspace
///     run 500ms
///     await CONDITION within 5s       runs until it holds; it is a failure if it does not in time
///     expect CONDITION                it holds now
///
/// Machines are `d1`, `d2` ... and `m1`, `m2` ..., or their part when the first statement begins: `P` is the primary of the
/// first shard, `S1`, `S2` its other members in order, `X1`, `X2` the other nodes, `M` the primary metasrv, `N` another;
/// `*` is every machine, clients left out. Messages are named as in the trace (`beat`, `grant`, `records`, `acks`,
/// `reconcile`, `reconciled`, `poll`, `vote`, `release`, `forward`, `forwardReply` ...), those to a metasrv by their request
/// (`heartbeat`, `reconfigure` ...), its answers `answer`; `any` is each of them.
///
/// Conditions, each with `not` before it: `primary P` (by the shared log), `serving P`, `unserved` (by nobody), `members P
/// S1`, `epoch 3`, `epoch <9`, `held S1>P`, `up P`, `leads M` (of a metasrv).
///
/// All laws are looked at after every turn, as in any run; behind the last statement everything is healed, every key is read
/// and what the clients saw is judged.
public struct Scenario: Sendable {
    public var law = ""
    public var mutants: [Mutant] = []
    var world = WorldSettings(seed: 1)
    /// What is done in every order.
    var prologue: [Line] = []
    var orders: [(name: String, lines: [Line])] = []

    /// The names of its variants; one without a name when it has none.
    public var orderNames: [String] { orders.isEmpty ? [""] : orders.map(\.name) }

    /// A statement and where it stands.
    struct Line: Sendable {
        var number: Int
        var text: String
        var statement: Statement
    }

    enum Statement: Sendable {
        case send(client: String, node: String, words: [String])
        case reply(client: String, String)
        case silent(client: String, UInt64)
        case hold(Way, String, isLost: Bool)
        case deliver(Way)
        case cut(Way)
        case open(Way?)
        case pause(String, UInt64)
        case stall(String, UInt64)
        case clock(String, Double)
        /// ms.
        case wall(String, Int64)
        case kill(String)
        case leave(String)
        case power(String)
        case start(String)
        case rot(String, isFirstAlone: Bool)
        case save(String)
        case restore(String)
        case copy(String, String)
        case fill(String, Int)
        case failSync(String)
        case mend(String)
        case sync(String, UInt64)
        case store(String, UInt64)
        case handOver(String)
        case set(String, String)
        case run(UInt64)
        case await(Condition, UInt64)
        case expect(Condition)
    }

    /// From a machine to another, or both ways.
    struct Way: Sendable, CustomStringConvertible {
        var from: String
        var to: String
        var isBoth: Bool
        var description: String { "\(from)\(isBoth ? "=" : ">")\(to)" }
    }

    struct Condition: Sendable {
        var isNegated: Bool
        var words: [String]
        var text: String { (isNegated ? "not " : "") + words.joined(separator: " ") }
    }
}

/// Why a text is no scenario.
public struct ScenarioError: Error, Hashable, Sendable, CustomStringConvertible {
    /// 1 = the first.
    public var line: Int
    public var text: String
    public var description: String { "line \(line): \(text)" }
}
