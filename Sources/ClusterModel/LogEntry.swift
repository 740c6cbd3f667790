/// The content of one position of the metadata group's shared log.
///
/// A position holds several commands when several requests were waiting: they become durable together and are applied in
/// order, each on its own.
public struct LogEntry: Hashable, Codable, Sendable {
    /// Drawn at random at each start of a metasrv: tells whose entry won a position (RULES B1).
    public var writer: UniqueID
    /// The term its writer acted in.
    public var term: Term
    /// Milliseconds since 1970-01-01 UTC by the writer's clock: for people, decides nothing.
    public var wall: Int64
    public var commands: [ClusterCommand]

    public init(writer: UniqueID, term: Term, wall: Int64, commands: [ClusterCommand]) {
        self.writer = writer
        self.term = term
        self.wall = wall
        self.commands = commands
    }
}

/// An entry and where it stands.
public struct LogRecord: Hashable, Codable, Sendable {
    public var position: LogPosition
    public var entry: LogEntry

    public init(position: LogPosition, entry: LogEntry) {
        self.position = position
        self.entry = entry
    }
}

/// What became of an append, judged by reading the position back (RULES B2): never a guess.
public enum AppendOutcome: Hashable, Sendable {
    /// The entry stands at the position and is durable.
    case won
    /// Another entry stands there, or the position was trimmed.
    case lost
}
