internal import ClusterModel
internal import DataCore
internal import Wire

/// A client's connection as the reactor sees it.
struct ClientSocket: ~Copyable {
    let descriptor: Int32
    let id: ConnectionID
    var parser = RequestParser()
    /// Bytes that are no complete command yet, or that wait because the core takes no more now.
    var input = ByteBuffer(capacity: 16)
    /// Replies the socket did not take; those up to `sent` it took since.
    var output = ByteBuffer(capacity: 16)
    var sent = 0
    /// Whether the poller was told to say when it is writable.
    var awaitsWrite = false
    /// Not read now: the core said so.
    var isPaused = false
    /// To be closed once `output` is empty.
    var isClosing = false
    /// It broke, or its bytes were no requests: nothing more is read.
    var isFinished = false
    /// `input` may hold complete commands.
    var hasLeftover = false

    /// To be closed at the end of the turn.
    var isDoomed = false

    init(descriptor: Int32, id: ConnectionID) {
        self.descriptor = descriptor
        self.id = id
    }

    /// Whether bytes may be read now. What it holds already is parsed first: a flood waits in the kernel's buffers.
    @inline(__always) var takesInput: Bool { !(isPaused || isFinished || isDoomed || isClosing || hasLeftover) }

    /// Replies still to be sent.
    var unsent: Int { output.count - sent }

    /// Notes that the socket took bytes of `output`. They are moved out when they are half of it, so that a long rest
    /// is not moved at every write.
    mutating func noteSent(_ count: Int) {
        sent += count
        if sent == output.count {
            output.removeAll()
            output.shrink(above: 64 << 10)
            sent = 0
        } else if sent > output.count / 2 {
            output.dropFirst(sent)
            sent = 0
        }
    }

    /// Forgets consumed bytes, and gives memory back that a large command needed and the rest does not.
    mutating func dropInput(_ count: Int) {
        input.dropFirst(count)
        if input.isEmpty {
            input.shrink(above: 1024)
        } else if input.capacity > 16 << 10, input.count < input.capacity / 8 {
            var smaller = ByteBuffer(capacity: input.count)
            smaller.append(input.view)
            input = smaller
        }
    }

    /// What the poller is asked for.
    var interest: Poller.Interest {
        var interest: Poller.Interest = []
        if !isPaused, !isFinished, !isClosing { interest.insert(.read) }
        if awaitsWrite { interest.insert(.write) }
        return interest
    }
}

/// The reactor's sockets by index; an index is used again after `remove`. A socket keeps its address while it is there.
@safe struct SocketTable: ~Copyable {
    private var table: [UnsafeMutablePointer<ClientSocket>?] = unsafe []
    private var free: [Int] = []

    init() {}

    deinit {
        for index in unsafe table.indices {
            guard let socket = unsafe table[index] else { continue }
            unsafe socket.deinitialize(count: 1)
            unsafe socket.deallocate()
        }
    }

    mutating func insert(_ socket: consuming ClientSocket) -> Int {
        let place = UnsafeMutablePointer<ClientSocket>.allocate(capacity: 1)
        unsafe place.initialize(to: socket)
        if let index = free.popLast() {
            unsafe table[index] = place
            return index
        }
        unsafe table.append(place)
        return unsafe table.count - 1
    }

    /// - Precondition: `isUsed(index)`.
    mutating func remove(_ index: Int) {
        guard let place = unsafe table[index] else { return }
        unsafe place.deinitialize(count: 1)
        unsafe place.deallocate()
        unsafe table[index] = nil
        free.append(index)
    }

    @inline(__always) func isUsed(_ index: Int) -> Bool { unsafe index < table.count && table[index] != nil }

    /// - Precondition: `isUsed(index)`.
    @inline(__always) subscript(index: Int) -> ClientSocket {
        unsafeAddress { unsafe UnsafePointer(used(index)) }
        unsafeMutableAddress { unsafe used(index) }
    }

    @inline(__always) private func used(_ index: Int) -> UnsafeMutablePointer<ClientSocket> {
        guard let place = unsafe table[index] else { preconditionFailure("no socket at \(index)") }
        return unsafe place
    }
}
