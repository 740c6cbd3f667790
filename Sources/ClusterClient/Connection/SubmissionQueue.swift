internal import ClusterModel
internal import NIOCore
internal import Synchronization

/// A request that waits for its reply.
struct Waiter: Sendable {
    var target: ReplyTarget
    let deadline: NIODeadline
}

/// Where any thread leaves requests for a connection's event loop: their bytes already encoded, one behind the other,
/// so that one wake-up and one write carry all that came together.
final class SubmissionQueue: Sendable {
    struct Batch: Sendable {
        var bytes: NIOCore.ByteBuffer
        var waiters: [Waiter]
    }

    private struct State {
        var bytes = NIOCore.ByteBuffer()
        var waiters: [Waiter] = []
        /// Whether the event loop will look here by itself.
        var isAnnounced = false
        /// Why nothing is taken any more.
        var closed: RESPConnectionError?
        /// A reply is overdue: use another connection if there is one.
        var isOverdue = false
        /// Requests handed over and not yet answered.
        var outstanding = 0
    }

    private let state = Mutex(State())
    private let limit: Int
    private let address: Address

    init(address: Address, limit: Int) {
        self.address = address
        self.limit = limit
    }

    /// What became of a submission.
    enum Outcome {
        case queued
        /// The caller must wake the event loop.
        case queuedFirst
        case refused(RESPConnectionError)
    }

    /// Encodes requests into the queue.
    func submit(_ waiters: [Waiter], encode: (inout NIOCore.ByteBuffer) -> Void) -> Outcome {
        state.withLock { state in
            if let closed = state.closed { return .refused(closed) }
            if state.bytes.readableBytes > limit {
                return .refused(
                    RESPConnectionError(
                        .overloaded, address: address, bytesLeft: false,
                        detail: "more than \(limit) bytes of requests wait to be written"))
            }
            encode(&state.bytes)
            state.waiters.append(contentsOf: waiters)
            state.outstanding += waiters.count
            if state.isAnnounced { return .queued }
            state.isAnnounced = true
            return .queuedFirst
        }
    }

    /// Takes all that is queued; nil when nothing is.
    func take() -> Batch? {
        state.withLock { state in
            state.isAnnounced = false
            guard !state.waiters.isEmpty else { return nil }
            let batch = Batch(bytes: state.bytes, waiters: state.waiters)
            state.bytes = NIOCore.ByteBuffer()
            state.waiters = []
            return batch
        }
    }

    /// The event loop cannot write now and looks again by itself when it can. Returns the earliest deadline queued.
    func postpone() -> NIODeadline? {
        state.withLock { $0.waiters.map(\.deadline).min() }
    }

    /// Refuses everything from now on; returns those who still wait here, whose bytes never left.
    func close(with error: RESPConnectionError) -> [Waiter] {
        state.withLock { state in
            if state.closed == nil { state.closed = error }
            defer {
                state.waiters = []
                state.bytes = NIOCore.ByteBuffer()
            }
            return state.waiters
        }
    }

    func noteReply() {
        state.withLock { state in
            state.outstanding -= 1
            state.isOverdue = false
        }
    }

    func noteOverdue() { state.withLock { $0.isOverdue = true } }

    var isUsable: Bool { state.withLock { $0.closed == nil && !$0.isOverdue } }
    var isClosed: Bool { state.withLock { $0.closed != nil } }
    var outstanding: Int { state.withLock { $0.outstanding } }
}
