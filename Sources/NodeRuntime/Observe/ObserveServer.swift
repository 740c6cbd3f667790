public import ClusterModel
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// A port that is bound to show how a server does: /healthz, /readyz and /metrics. Nothing secret is shown.
public final class ObserveServer: Sendable {
    /// Why the port cannot be had; says what to do.
    public struct BindError: Error, CustomStringConvertible, Sendable {
        public let description: String
    }

    /// Where it listens, the port that was given out included.
    public let address: Address
    private let channel: any Channel

    /// Binds and serves, on threads of its own.
    ///
    /// - Parameters:
    ///   - notReady: nil while the process serves, else why it does not; asked from any thread, answers at once.
    ///   - sources: what /metrics shows.
    public init(
        _ wanted: Address, notReady: @escaping @Sendable () -> String?, sources: [MetricsSource]
    ) throws(BindError) {
        do {
            channel = try ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .serverChannelOption(.backlog, value: 64)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let pipeline = channel.pipeline.syncOperations
                        try pipeline.configureHTTPServerPipeline(withErrorHandling: true)
                        try pipeline.addHandler(IdleStateHandler(allTimeout: .seconds(60)))
                        try pipeline.addHandler(ObserveHandler(notReady: notReady, sources: sources))
                    }
                }
                .bind(host: wanted.host, port: wanted.port).wait()
        } catch {
            throw BindError(description: ListenFailure("--http", wanted, error).description)
        }
        address = Address(host: wanted.host, port: channel.localAddress?.port ?? wanted.port)
    }

    /// Stops listening.
    public func close() { channel.close(promise: nil) }
}

/// Answers one connection's requests, one at a time.
private final class ObserveHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private struct Answer {
        var status: HTTPResponseStatus
        var text: String
        var type = "text/plain; charset=utf-8"
        var allow: String?
    }

    /// Bytes of a body that are read over before the connection is closed: no request here has one.
    private static let mostBody = 1 << 20
    /// How long sources may take for one scrape.
    private static let patience = TimeAmount.seconds(2)

    private let notReady: @Sendable () -> String?
    private let sources: [MetricsSource]
    private var head: HTTPRequestHead?
    private var body = 0

    init(notReady: @escaping @Sendable () -> String?, sources: [MetricsSource]) {
        self.notReady = notReady
        self.sources = sources
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = 0
        case .body(let bytes):
            body += bytes.readableBytes
            if body > Self.mostBody { context.close(promise: nil) }
        case .end:
            guard let head else { return }
            self.head = nil
            answer(head, context)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent { return context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let path = head.uri.prefix { $0 != "?" }
        guard ["/healthz", "/readyz", "/metrics"].contains(path) else {
            return send(
                Answer(status: .notFound, text: "not here: /healthz, /readyz and /metrics are\n"), head, context)
        }
        guard head.method == .GET || head.method == .HEAD else {
            return send(
                Answer(status: .methodNotAllowed, text: "only GET and HEAD\n", allow: "GET, HEAD"), head, context)
        }
        switch path {
        case "/healthz": send(Answer(status: .ok, text: "ok\n"), head, context)
        case "/readyz":
            if let why = notReady() {
                send(Answer(status: .serviceUnavailable, text: "not ready: \(why)\n"), head, context)
            } else {
                send(Answer(status: .ok, text: "ready\n"), head, context)
            }
        default: scrape(head, context)
        }
    }

    private func scrape(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let loop = context.eventLoop
        let collected = sources.map { source in
            let promise = loop.makePromise(of: [MetricFamily].self)
            // Whichever comes first: a source that hangs costs its own numbers alone.
            let once = Once(promise)
            loop.scheduleTask(in: Self.patience) { once.give([]) }
            source.collect { once.give($0) }
            return promise.futureResult
        }
        let bound = NIOLoopBound((self, context), eventLoop: loop)
        EventLoopFuture.whenAllSucceed(collected, on: loop).whenSuccess { families in
            let (handler, context) = bound.value
            guard context.channel.isActive else { return }
            let text = Exposition.text(families.flatMap { $0 })
            handler.send(Answer(status: .ok, text: text, type: Exposition.contentType), head, context)
        }
    }

    private func send(_ answer: Answer, _ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        var headers = HTTPHeaders([
            ("Content-Type", answer.type), ("Content-Length", "\(answer.text.utf8.count)"),
            ("Cache-Control", "no-store"),
        ])
        if let allow = answer.allow { headers.add(name: "Allow", value: allow) }
        if !head.isKeepAlive { headers.add(name: "Connection", value: "close") }
        let responseHead = HTTPResponseHead(version: head.version, status: answer.status, headers: headers)
        context.write(wrapOutboundOut(.head(responseHead)), promise: nil)
        if head.method != .HEAD {
            let body = context.channel.allocator.buffer(string: answer.text)
            context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        }
        let done = context.writeAndFlush(wrapOutboundOut(.end(nil)))
        if !head.isKeepAlive {
            let channel = context.channel
            done.whenComplete { _ in channel.close(promise: nil) }
        }
    }
}
