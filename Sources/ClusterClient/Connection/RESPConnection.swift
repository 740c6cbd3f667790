public import ClusterModel
public import NIOCore
public import NIOPosix
public import Wire

/// One pipelined connection to a RESP server: requests from any task go out in the order they are handed over, and each
/// gets its reply by that order. Safe from any thread.
///
/// Requests handed over at the same time share one wake-up of the event loop and one write; no task is made per request.
/// When the connection ends every waiting request fails with a `RESPConnectionError` that tells whether bytes of it left.
/// A request whose deadline passes fails alone; its late reply is dropped in its turn. Cancelling the task that waits
/// does not withdraw the request: the deadline bounds it.
public final class RESPConnection: Sendable {
    /// The server's address, as it was dialled.
    public let address: Address
    private let options: ConnectionOptions
    private let channel: any Channel
    private let queue: SubmissionQueue
    private let handler: NIOLoopBound<ReplyHandler>

    private init(
        address: Address, options: ConnectionOptions, channel: any Channel, queue: SubmissionQueue,
        handler: NIOLoopBound<ReplyHandler>
    ) {
        self.address = address
        self.options = options
        self.channel = channel
        self.queue = queue
        self.handler = handler
    }

    /// Connects, and sends AUTH, HELLO and SELECT as the options ask.
    ///
    /// - Throws: `unreachable` or `handshake`; nothing was executed.
    public static func connect(
        to address: Address, options: ConnectionOptions = ConnectionOptions(),
        on group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) async throws(RESPConnectionError) -> RESPConnection {
        do {
            return try await dial(address, options: options, on: group.next()).get()
        } catch let error as RESPConnectionError {
            throw error
        } catch {
            throw RESPConnectionError(.unreachable, address: address, bytesLeft: false, detail: "\(error)")
        }
    }

    /// The same for callers that share one attempt among many waiters. The future fails with `RESPConnectionError` alone.
    static func dial(
        _ address: Address, options: ConnectionOptions, on eventLoop: any EventLoop
    ) -> EventLoopFuture<RESPConnection> {
        let queue = SubmissionQueue(address: address, limit: options.queuedBytes)
        let began = NIODeadline.now()
        let limit = TimeAmount(options.connectTimeout)
        let dialled = ClientBootstrap(group: eventLoop)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .connectTimeout(limit)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        ReplyHandler(queue: queue, address: address, onPush: options.onPush))
                }
            }
            .connect(host: address.host, port: address.port)
        return dialled.flatMapThrowing { channel -> RESPConnection in
            let handler = try channel.pipeline.syncOperations.handler(type: ReplyHandler.self)
            return RESPConnection(
                address: address, options: options, channel: channel, queue: queue,
                handler: NIOLoopBound(handler, eventLoop: channel.eventLoop))
        }.flatMap { connection in
            connection.handshake(until: began + limit).flatMapErrorThrowing { error in
                connection.close()
                throw error
            }
        }.flatMapErrorThrowing { error in
            if var error = error as? RESPConnectionError {
                // What was lost is the handshake; the caller's own request was not begun.
                error.bytesLeft = false
                throw error
            }
            throw RESPConnectionError(
                .unreachable, address: address, bytesLeft: false, detail: explain(error))
        }
    }

    private static func explain(_ error: any Error) -> String {
        switch error {
        case let failure as NIOConnectionError:
            guard let first = failure.connectionErrors.first else { return "no address of that name" }
            return explain(first.error)
        case let failure as IOError: return "\(failure)"
        case ChannelError.connectTimeout: return "no connection in time"
        default: return "\(error)"
        }
    }

    private func handshake(until deadline: NIODeadline) -> EventLoopFuture<RESPConnection> {
        var steps: [(name: String, arguments: [[UInt8]])] = []
        if let credentials = options.credentials { steps.append(("AUTH", [Array("AUTH".utf8), credentials])) }
        if options.resp3 { steps.append(("HELLO", [Array("HELLO".utf8), Array("3".utf8)])) }
        if let keyspace = options.keyspace {
            steps.append(("SELECT", [Array("SELECT".utf8), Array(keyspace.utf8)]))
        }
        let address = address
        let answers = steps.map { step -> EventLoopFuture<Void> in
            let promise = channel.eventLoop.makePromise(of: RESPValue.self)
            submit([Waiter(target: .promise(promise), deadline: deadline)]) { buffer in
                RequestEncoder.write(step.arguments, into: &buffer)
            }
            return promise.futureResult.flatMapThrowing { value in
                guard let line = value.errorLine else { return }
                let refusal = ServerError(line: line)
                throw RESPConnectionError(
                    .handshake(refusal), address: address, bytesLeft: false,
                    detail: "\(step.name) was refused: \(refusal)")
            }
        }
        return EventLoopFuture.andAllSucceed(answers, on: channel.eventLoop).map { self }
    }

    // MARK: requests

    /// Sends one request and waits for its reply, which may be an error reply.
    ///
    /// - Parameters:
    ///   - arguments: the command's name and its arguments.
    ///   - timeout: nil = the options' `requestTimeout`.
    public func send(
        _ arguments: [[UInt8]], timeout: Duration? = nil
    ) async throws(RESPConnectionError) -> RESPValue {
        try await send(Request(arguments), timeout: timeout)
    }

    /// Sends several requests in order, in one piece, and waits for all their replies.
    public func send(
        pipeline requests: [[[UInt8]]], timeout: Duration? = nil
    ) async -> [Result<RESPValue, RESPConnectionError>] {
        guard !requests.isEmpty else { return [] }
        let collector = ReplyCollector(count: requests.count)
        submit(requests.map { Request($0) }, timeout: timeout) { .collected(collector, index: $0) }
        return await collector.all()
    }

    /// Closes the connection; requests that wait fail.
    public func close() {
        let handler = handler
        channel.eventLoop.execute { handler.value.close(detail: "the connection was closed by this process") }
    }

    /// Whether new requests may go here: open, and no reply overdue.
    public var isUsable: Bool { queue.isUsable }
    /// Whether the connection has ended.
    public var isClosed: Bool { queue.isClosed }
    /// Requests handed over and not yet answered.
    public var outstanding: Int { queue.outstanding }

    func send(_ request: Request, timeout: Duration? = nil) async throws(RESPConnectionError) -> RESPValue {
        let deadline = deadline(timeout)
        let result: ReplyResult = await withCheckedContinuation { continuation in
            submit([Waiter(target: .continuation(continuation), deadline: deadline)]) { buffer in
                request.write(into: &buffer)
            }
        }
        return try result.get()
    }

    /// Hands over several requests in one piece; `target` names who waits for the one at an index.
    func submit(_ requests: [Request], timeout: Duration? = nil, target: (Int) -> ReplyTarget) {
        let deadline = deadline(timeout)
        submit(requests.indices.map { Waiter(target: target($0), deadline: deadline) }) { buffer in
            for request in requests { request.write(into: &buffer) }
        }
    }

    private func deadline(_ timeout: Duration?) -> NIODeadline {
        .now() + TimeAmount(timeout ?? options.requestTimeout)
    }

    private func submit(_ waiters: [Waiter], encode: (inout NIOCore.ByteBuffer) -> Void) {
        switch queue.submit(waiters, encode: encode) {
        case .queued: break
        case .queuedFirst:
            let handler = handler
            channel.eventLoop.execute { handler.value.drain() }
        case .refused(let error):
            for waiter in waiters { waiter.target.complete(.failure(error)) }
        }
    }
}
