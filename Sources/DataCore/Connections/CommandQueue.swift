import ClusterModel

/// Commands kept past their step: those behind a parked one, and those of an open MULTI. One arena, emptied at once.
struct CommandQueue: ~Copyable {
    private struct Argument {
        var start: Int
        var count: Int
    }

    private struct Entry {
        var first: Int
        var count: Int
        /// The gateway's number of a forwarded command; 0 else.
        var request: UInt64
    }

    private var bytes = ByteBuffer(capacity: 16)
    private var arguments: [Argument] = []
    private var entries: [Entry] = []
    private var head = 0

    var isEmpty: Bool { head == entries.count }
    /// Commands not yet taken.
    var count: Int { entries.count - head }
    /// Bytes held.
    var footprint: Int { bytes.count + arguments.count * 16 }
    /// Request number of the command at `index` behind the head.
    func request(_ index: Int = 0) -> UInt64 { entries[head + index].request }
    func argumentCount(_ index: Int) -> Int { entries[head + index].count }

    mutating func append(count: Int, request: UInt64 = 0, _ argument: (Int) -> ByteView) {
        let first = arguments.count
        for index in 0..<count {
            let view = argument(index)
            arguments.append(Argument(start: bytes.count, count: view.count))
            bytes.append(view)
        }
        entries.append(Entry(first: first, count: count, request: request))
    }

    /// Writes the arguments of the command at `index` behind the head; they are valid until the queue changes.
    func views(_ index: Int = 0, into output: inout [ByteView]) {
        let entry = entries[head + index]
        let all = bytes.view
        for argument in arguments[entry.first..<entry.first + entry.count] {
            output.append(all[argument.start..<argument.start + argument.count])
        }
    }

    /// Forgets the head.
    mutating func dropFirst() {
        head += 1
        if head == entries.count { removeAll() }
    }

    mutating func removeAll() {
        head = 0
        bytes.removeAll()
        bytes.shrink(above: 64 << 10)
        arguments.removeAll(keepingCapacity: arguments.capacity < 4096)
        entries.removeAll(keepingCapacity: entries.capacity < 4096)
    }
}
