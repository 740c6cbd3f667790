import ClusterModel

/// One command while it runs.
@safe struct Call {
    private let arguments: UnsafePointer<ByteView>
    /// Arguments, the name included.
    let count: Int
    /// Place of its connection in the connection table.
    let connection: Int
    /// Number of the connection's keyspace, or of the one that a transaction's keys lie in; rows are named by it.
    var keyspace: UInt32
    /// Index of the replica its keys lie in; -1 for commands without keys.
    var replica: Int
    /// The highest record its evaluation looked at or wrote; its reply waits for that one's commit (RULES C18). 0 = none.
    var wait: UInt64 = 0
    /// The record it writes; 0 = none yet.
    var seq: UInt64 = 0

    /// Sessions: the gateway's number of this command; 0 for clients.
    var request: UInt64 = 0
    /// Set by a command whose reply comes later by a mark of its own: nothing is settled when it returns.
    var isDeferred = false
    /// Inside EXEC a command may not wait, and no other connection's commands may run.
    var isInExec = false
    /// CLIENT REPLY was obeyed while the reply was written: what is there is to be given.
    var isSilenced = false

    private let target: UnsafeMutablePointer<ReplyBuffer>

    /// - Precondition: `arguments` holds `count` views and `target` a reply arena, both valid while the call is used.
    @inline(__always) init(
        arguments: UnsafePointer<ByteView>, count: Int, connection: Int, keyspace: UInt32, replica: Int,
        target: UnsafeMutablePointer<ReplyBuffer>
    ) {
        unsafe self.arguments = arguments
        self.count = count
        self.connection = connection
        self.keyspace = keyspace
        self.replica = replica
        unsafe self.target = target
    }

    /// An argument; 0 is the command's name. - Precondition: `0 <= index < count`.
    @inline(__always) subscript(index: Int) -> ByteView {
        precondition(index >= 0 && index < count)
        return unsafe arguments[index]
    }

    /// Where the reply is written.
    @inline(__always) var reply: ReplyBuffer {
        _read { yield unsafe target.pointee }
        nonmutating _modify { yield unsafe &target.pointee }
    }

    /// Another command into the same reply and the same record: one of an EXEC.
    /// - Precondition: as of `init`.
    func with(arguments: UnsafePointer<ByteView>, count: Int) -> Call {
        var inner = unsafe Call(
            arguments: arguments, count: count, connection: connection, keyspace: keyspace, replica: replica,
            target: target)
        inner.seq = seq
        inner.wait = wait
        return inner
    }

    /// Whether its reply is composed where it can be sent at once.
    @inline(__always) func isComposedInOut(_ connection: borrowing Connection) -> Bool {
        unsafe target == connection.arenas
    }

    /// The same command with its arguments from `first` on: what is left behind a prefix such as SHARD.STAMP.
    func dropping(_ first: Int, keyspace: UInt32) -> Call {
        precondition(first >= 0 && first < count)
        var rest = unsafe Call(
            arguments: arguments + first, count: count - first, connection: connection, keyspace: keyspace,
            replica: replica, target: target)
        rest.wait = wait
        rest.seq = seq
        rest.request = request
        return rest
    }
}
