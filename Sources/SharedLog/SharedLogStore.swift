public import ClusterModel

/// The shared log's contract (DESIGN 7): entries at positions 1, 2, 3..., each written once by one writer, and snapshots
/// that stand for all entries up to one position.
///
/// All calls block, and may take long on a network file system: the host makes them on a thread of its own, one at a time.
public protocol SharedLogStore: AnyObject {
    /// Writes an entry at a position, or finds that another has it. The outcome is judged by reading back.
    ///
    /// On `.unknown` call again with the same entry until there is an outcome: an entry that already stands there has won.
    /// On `.notWritten` nothing of it is or ever will be in the log.
    func append(_ entry: LogEntry, at position: LogPosition) throws(SharedLogError) -> AppendOutcome

    /// The entries from a position on without gaps, at most `limit` of them; fewer, or none, when the log ends there.
    func read(from position: LogPosition, limit: Int) throws(SharedLogError) -> LogReading

    /// The lowest position that may still be read; all below are in a snapshot.
    func floor() throws(SharedLogError) -> LogPosition

    /// Keeps a snapshot of the state after `position`, forgets all but the two newest, and trims the entries that the older
    /// of these two holds.
    func save(snapshot: [UInt8], at position: LogPosition) throws(SharedLogError)

    /// The newest snapshot; nil when there is none.
    func newestSnapshot() throws(SharedLogError) -> LogSnapshot?
}

/// What a read found.
public enum LogReading: Hashable, Sendable {
    case entries([LogRecord])
    /// The position was trimmed (RULES B6): go on from the newest snapshot, never skip.
    case trimmed
}

/// The state after `position`, in the form its writer gave it.
public struct LogSnapshot: Hashable, Sendable {
    public var position: LogPosition
    public var bytes: [UInt8]

    public init(position: LogPosition, bytes: [UInt8]) {
        self.position = position
        self.bytes = bytes
    }
}

/// Why a call on the shared log did not succeed; each is one line that says what and what to do.
public enum SharedLogError: Error, Hashable, Sendable, CustomStringConvertible {
    /// An append that left nothing behind and never will.
    case notWritten(String)
    /// An append whose outcome cannot be told yet: call it again with the same entry.
    case unknown(String)
    /// The log cannot be read just now; try again.
    case unreadable(String)
    /// The log holds what no metasrv writes, or lacks what one wrote: an operator must look.
    case damaged(String)
    /// The log cannot be opened: wrong path, no permission.
    case unusable(String)

    public var description: String {
        switch self {
        case .notWritten(let text), .unknown(let text), .unreadable(let text), .damaged(let text), .unusable(let text):
            text
        }
    }
}
