public import ClusterModel

/// Names one request, or one watcher, towards the host; never used again within a process.
public struct RequestID: Hashable, Comparable, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    public static func < (left: RequestID, right: RequestID) -> Bool { left.rawValue < right.rawValue }
}

/// What a metasrv is asked over its port.
public enum MetaRequest: Hashable, Sendable {
    /// META.HEARTBEAT
    case heartbeat(Heartbeat)
    /// META.RECONFIGURE
    case reconfigure(ReconfigureRequest)
    /// META.ADMIN
    case admin(AdminRequest)
    /// META.ROUTES since: answered by `MetaAnswer.routes`, whatever is newer.
    case routes(since: RouteVersion)
    /// META.WATCH since: answered by `MetaAnswer.routes` at once, then by `MetaEffect.push` at every change of the map
    /// until `MetaInput.closed`.
    case watch(since: RouteVersion)
    /// META.STATUS: answered in every role.
    case status
}

/// Everything that can happen to a `MetaNode`.
public enum MetaInput: Hashable, Sendable {
    /// Every 50 to 100 ms, in every role.
    case tick
    case request(RequestID, MetaRequest)
    /// The connection of this request or watcher is gone: what it waits for is not wanted any more.
    case closed(RequestID)
    /// Answers `MetaEffect.append`. An outcome that is unknown is no input: the host reads back until it is known.
    case appended(LogPosition, AppendOutcome)
    /// Answers `MetaEffect.append`: the entry was not written and never will be (no space left, for one).
    case appendFailed(LogPosition, reason: String)
    /// Answers `MetaEffect.read`: what stands from the asked position on, without gaps; empty = nothing yet.
    case tailed([LogRecord])
    /// Answers `MetaEffect.read`: the asked position was trimmed (RULES B6); this is the newest snapshot.
    case restored(MetaSnapshot)
    /// Answers `MetaEffect.read`: the log cannot be read just now.
    case readFailed(reason: String)
    /// Answers `MetaEffect.fetch`, oldest first; trimmed positions are left out.
    case fetched(RequestID, [LogRecord])
}
