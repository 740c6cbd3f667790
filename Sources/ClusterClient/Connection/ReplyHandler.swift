internal import ClusterModel
internal import NIOCore
internal import Wire

/// The event loop's side of a `RESPConnection`: writes what the queue holds, matches replies to waiters in order, and
/// watches deadlines with one timer. Everything here happens on the channel's event loop.
final class ReplyHandler: ChannelInboundHandler {
    typealias InboundIn = NIOCore.ByteBuffer
    typealias OutboundOut = NIOCore.ByteBuffer

    private let queue: SubmissionQueue
    private let address: Address
    private let onPush: (@Sendable (RESPValue) -> Void)?
    private var parser = ReplyStream()
    private var waiting = CircularBuffer<Waiter>(initialCapacity: 64)
    /// How many of `waiting` are not abandoned.
    private var live = 0
    private var context: ChannelHandlerContext?
    private var timer: Scheduled<Void>?
    private var timerAt = NIODeadline.distantFuture
    private var ending: RESPConnectionError?

    init(queue: SubmissionQueue, address: Address, onPush: (@Sendable (RESPValue) -> Void)?) {
        self.queue = queue
        self.address = address
        self.onPush = onPush
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
        self.context = nil
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        drain()
        context.fireChannelWritabilityChanged()
    }

    /// Writes what is queued, if the channel takes it.
    func drain() {
        guard let context, ending == nil else { return }
        guard context.channel.isWritable else {
            if let earliest = queue.postpone() { watch(earliest, on: context) }
            return
        }
        guard let batch = queue.take() else { return }
        var earliest = NIODeadline.distantFuture
        for waiter in batch.waiters {
            waiting.append(waiter)
            earliest = min(earliest, waiter.deadline)
        }
        live += batch.waiters.count
        watch(earliest, on: context)
        context.writeAndFlush(wrapOutboundOut(batch.bytes), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard ending == nil else { return }
        parser.append(unwrapInboundIn(data))
        while ending == nil {
            switch parser.next() {
            case .value(let value): deliver(value, on: context)
            case .needsMore: return
            case .malformed(let why):
                end(with: .malformed, "the server sent what is no reply: \(why)", on: context)
            }
        }
    }

    private func deliver(_ value: RESPValue, on context: ChannelHandlerContext) {
        if value.isPush {
            onPush?(value)
            return
        }
        guard let waiter = waiting.popFirst() else {
            // A server that is full says so before it is asked anything.
            let detail = value.errorLine.map { "the server said: \(String(decoding: $0, as: UTF8.self))" }
            end(with: .closed, detail ?? "the server sent a reply that nobody asked for", on: context)
            return
        }
        if !waiter.target.isAbandoned { live -= 1 }
        queue.noteReply()
        waiter.target.complete(.success(value))
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(with: .closed, "the connection was closed", on: context)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(with: .closed, "the connection failed: \(error)", on: context)
    }

    /// Closes on the owner's wish.
    func close(detail: String) {
        guard let context else { return }
        end(with: .closed, detail, on: context)
    }

    private func end(with kind: RESPConnectionError.Kind, _ detail: String, on context: ChannelHandlerContext) {
        guard ending == nil else { return }
        let unsent = RESPConnectionError(kind, address: address, bytesLeft: false, detail: detail)
        ending = unsent
        timer?.cancel()
        timer = nil
        var sent = unsent
        sent.bytesLeft = true
        let queued = queue.close(with: unsent)
        let written = waiting
        waiting.removeAll()
        live = 0
        for waiter in written { waiter.target.complete(.failure(sent)) }
        for waiter in queued { waiter.target.complete(.failure(unsent)) }
        context.close(promise: nil)
    }

    // MARK: deadlines

    private func watch(_ deadline: NIODeadline, on context: ChannelHandlerContext) {
        guard deadline < timerAt else { return }
        timer?.cancel()
        timerAt = deadline
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { self.expire() }
    }

    private func expire() {
        timer = nil
        timerAt = .distantFuture
        guard let context, ending == nil else { return }
        let now = NIODeadline.now()
        if let queued = queue.postpone(), queued <= now {
            end(with: .timedOut, "the server did not take the request in time", on: context)
            return
        }
        var earliest = NIODeadline.distantFuture
        var expired: [ReplyTarget] = []
        for index in waiting.indices where !waiting[index].target.isAbandoned {
            if waiting[index].deadline <= now {
                expired.append(waiting[index].target)
                waiting[index].target = .abandoned
                live -= 1
            } else {
                earliest = min(earliest, waiting[index].deadline)
            }
        }
        if !expired.isEmpty { queue.noteOverdue() }
        let error = RESPConnectionError(
            .timedOut, address: address, bytesLeft: true, detail: "no reply before the deadline")
        for target in expired { target.complete(.failure(error)) }
        if live == 0, !waiting.isEmpty {
            // Nobody waits for what this server still owes: a fresh connection serves better.
            end(with: .timedOut, "replies are overdue", on: context)
        } else if earliest != .distantFuture {
            watch(earliest, on: context)
        }
    }
}
