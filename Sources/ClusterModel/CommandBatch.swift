/// The commands that all ready sockets delivered in one turn of the reactor: a reused table over their receive buffers.
///
/// The host parses into it, the core executes it in one step; nothing in it outlives the step. Commands of one
/// connection lie in the order it sent them.
public final class CommandBatch {
    /// One complete command.
    public struct Entry: Sendable {
        /// The core's number of the client connection.
        public var connection: ConnectionID
        /// Index of its first argument (the command's name) in `arguments`.
        public var first: Int32
        /// How many arguments, the name included; at least 1.
        public var count: Int32

        @inline(__always) public init(connection: ConnectionID, first: Int32, count: Int32) {
            self.connection = connection
            self.first = first
            self.count = count
        }
    }

    public private(set) var entries: [Entry] = []
    public private(set) var arguments: [ByteView] = []

    public init() {
        entries.reserveCapacity(1024)
        arguments.reserveCapacity(4096)
    }

    @inline(__always) public var isEmpty: Bool { entries.isEmpty }

    /// Adds an argument of the command that the next `finish` completes.
    @inline(__always) public func append(_ argument: ByteView) { arguments.append(argument) }

    /// How many arguments are there: the index the next one gets.
    @inline(__always) public var argumentCount: Int { arguments.count }

    /// Completes a command whose arguments are those from `first` on.
    @inline(__always) public func finish(connection: ConnectionID, first: Int) {
        entries.append(
            Entry(connection: connection, first: Int32(first), count: Int32(arguments.count - first)))
    }

    /// Drops arguments of a command that turned out incomplete.
    @inline(__always) public func truncateArguments(to count: Int) {
        arguments.removeLast(arguments.count - count)
    }

    public func removeAll() {
        entries.removeAll(keepingCapacity: true)
        arguments.removeAll(keepingCapacity: true)
    }
}

/// The core's number of a client connection or of a forwarded session: a place in its table and the use of that place,
/// so that a late message never reaches the next user of the place.
public struct ConnectionID: Hashable, Sendable {
    public let place: UInt32
    public let use: UInt32

    @inline(__always) public init(place: UInt32, use: UInt32) {
        self.place = place
        self.use = use
    }
}
