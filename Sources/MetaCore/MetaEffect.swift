public import ClusterModel

/// The answer to one request.
public enum MetaAnswer: Hashable, Sendable {
    case heartbeat(HeartbeatAnswer)
    case reconfigure(ReconfigureAnswer)
    case admin(AdminAnswer)
    case routes(RouteDelta)
    case status(MetaStatus)
    /// `NOTPRIMARY host:port`; nil = no primary is known (`NOTPRIMARY` and nothing after it).
    case notPrimary(Address?)
    /// An error line: not now, and why; try again.
    case unavailable(String)
}

/// Whose turn it is.
public enum MetaRole: Hashable, Sendable {
    /// Reads the log; nothing tells yet whether a primary lives.
    case joining
    /// A primary was heard in the log.
    case standby(primary: Address?)
    case primary(Term)
    /// Another process took a position of this one: it tells nobody anything any more.
    case deposed
}

/// What a `MetaNode` wants done. The order of effects is law: an effect may assume that all before it were started. An
/// answer is emitted only when all it tells is durable in the log (RULES B4), so the host may send it at once.
public enum MetaEffect: Hashable, Sendable {
    /// Append at this position; answered by `appended` or `appendFailed`. At most one is under way.
    case append(LogPosition, LogEntry)
    /// Read what stands from this position on, at most so many entries; answered by `tailed`, `restored` or
    /// `readFailed`. At most one is under way.
    case read(from: LogPosition, limit: Int)
    /// Read these positions for a request; answered by `fetched`.
    case fetch(RequestID, from: LogPosition, through: LogPosition)
    case reply(RequestID, MetaAnswer)
    /// A change of the map for a watcher.
    case push(RequestID, RouteDelta)
    /// The role is now this one. `ready` is printed at the first that is `standby` or `primary`; at `deposed` the host
    /// executes itself anew (same pid, empty memory: RULES B7).
    case role(MetaRole)
    /// Save, then trim the log below the older of the two newest snapshots. No answer; a failure is logged.
    case save(MetaSnapshot)
    /// For the log of the process.
    case note(NoteLevel, String)
    /// The log holds what no metasrv writes: print the line and exit 1.
    case halt(String)
}

/// How loud a note is.
public enum NoteLevel: Hashable, Sendable { case info, warning, error }
