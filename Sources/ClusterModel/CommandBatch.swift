/// The commands that all ready sockets delivered in one turn of the reactor: a reused table over their receive buffers.
///
/// The host parses into it, the core executes it in one step; nothing in it outlives the step. Commands of one
/// connection lie in the order it sent them. Not locked: one thread owns it. Its tables lie behind pointers, so that
/// no exclusivity or uniqueness check is made per argument.
@safe public final class CommandBatch {
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

    let entryTable: UnsafeMutablePointer<BatchTable<Entry>>
    let argumentTable: UnsafeMutablePointer<BatchTable<ByteView>>
    /// Blocks of bytes that live as long as the batch is not emptied: arguments that had to be unescaped.
    private var kept: [UnsafeMutablePointer<UInt8>] = unsafe []

    public init() {
        unsafe entryTable = UnsafeMutablePointer.allocate(capacity: 1)
        unsafe entryTable.initialize(to: BatchTable(capacity: 1024))
        unsafe argumentTable = UnsafeMutablePointer.allocate(capacity: 1)
        unsafe argumentTable.initialize(to: BatchTable(capacity: 4096))
    }

    deinit {
        unsafe kept.forEach { unsafe $0.deallocate() }
        unsafe entryTable.deinitialize(count: 1)
        unsafe entryTable.deallocate()
        unsafe argumentTable.deinitialize(count: 1)
        unsafe argumentTable.deallocate()
    }

    /// All complete commands; valid until the batch changes.
    @inline(__always) public var entries: BatchRows<Entry> { unsafe entryTable.pointee.rows }
    /// All arguments; valid until the batch changes.
    @inline(__always) public var arguments: BatchRows<ByteView> { unsafe argumentTable.pointee.rows }
    @inline(__always) public var isEmpty: Bool { unsafe entryTable.pointee.count == 0 }

    /// Adds an argument of the command that the next `finish` completes.
    @inline(__always) public func append(_ argument: ByteView) { unsafe argumentTable.pointee.append(argument) }

    /// How many arguments are there: the index the next one gets.
    @inline(__always) public var argumentCount: Int { unsafe argumentTable.pointee.count }

    /// Completes a command whose arguments are those from `first` on.
    @inline(__always) public func finish(connection: ConnectionID, first: Int) {
        let count = argumentCount - first
        unsafe entryTable.pointee.append(
            Entry(
                connection: connection, first: Int32(truncatingIfNeeded: first),
                count: Int32(truncatingIfNeeded: count)))
    }

    /// Drops arguments of a command that turned out incomplete. - Precondition: `0 <= count <= argumentCount`.
    @inline(__always) public func truncateArguments(to count: Int) {
        unsafe argumentTable.pointee.truncate(to: count)
    }

    /// Room for `size` bytes that lives until the batch is emptied, for an argument that does not lie in a receive
    /// buffer. - Precondition: `size > 0`.
    public func keep(_ size: Int) -> UnsafeMutablePointer<UInt8> {
        let block = UnsafeMutablePointer<UInt8>.allocate(capacity: size)
        unsafe kept.append(block)
        return unsafe block
    }

    /// Empties the batch for its next use; tables that a rare large command made grow are given back.
    public func removeAll() {
        unsafe entryTable.pointee.removeAll(above: 64 << 10)
        unsafe argumentTable.pointee.removeAll(above: 256 << 10)
        if unsafe !kept.isEmpty {
            unsafe kept.forEach { unsafe $0.deallocate() }
            unsafe kept = []
        }
    }
}

/// A growable table of trivial values in memory of its own.
@safe struct BatchTable<Row>: ~Copyable {
    private var base: UnsafeMutablePointer<Row>
    private var capacity: Int
    private(set) var count = 0
    private let initial: Int

    init(capacity: Int) {
        initial = capacity
        self.capacity = capacity
        unsafe base = UnsafeMutablePointer<Row>.allocate(capacity: capacity)
    }

    deinit { unsafe base.deallocate() }

    @inline(__always) var rows: BatchRows<Row> { unsafe BatchRows(base: UnsafePointer(base), count: count) }

    @inline(__always) mutating func append(_ row: Row) {
        if count == capacity { grow() }
        unsafe (base + count).initialize(to: row)
        count += 1
    }

    @inline(__always) mutating func truncate(to size: Int) {
        precondition(size >= 0 && size <= count)
        count = size
    }

    mutating func removeAll(above limit: Int) {
        count = 0
        guard capacity > limit else { return }
        unsafe base.deallocate()
        capacity = initial
        unsafe base = UnsafeMutablePointer<Row>.allocate(capacity: capacity)
    }

    @inline(never) private mutating func grow() {
        let bigger = UnsafeMutablePointer<Row>.allocate(capacity: capacity * 2)
        unsafe bigger.moveInitialize(from: base, count: count)
        unsafe base.deallocate()
        unsafe base = bigger
        capacity *= 2
    }
}

/// Rows of a batch's table: memory that the batch owns, valid until it changes.
@safe public struct BatchRows<Row>: RandomAccessCollection {
    private let base: UnsafePointer<Row>
    public let count: Int

    @inline(__always) init(base: UnsafePointer<Row>, count: Int) {
        unsafe self.base = base
        self.count = count
    }

    @inline(__always) public var startIndex: Int { 0 }
    @inline(__always) public var endIndex: Int { count }

    /// - Precondition: `0 <= index < count`.
    @inline(__always) public subscript(index: Int) -> Row {
        precondition(index >= 0 && index < count)
        return unsafe base[index]
    }

    /// Lends the rows as a buffer for the time of the call.
    @inline(__always)
    public func withUnsafeBufferPointer<Result>(_ body: (UnsafeBufferPointer<Row>) -> Result) -> Result {
        unsafe body(UnsafeBufferPointer(start: base, count: count))
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
