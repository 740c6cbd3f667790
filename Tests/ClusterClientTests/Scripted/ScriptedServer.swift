import ClusterModel
import NIOCore
import NIOPosix
import Synchronization
import Wire

/// A RESP server on a free port whose every answer the test decides. It notes each request and asks the script what to do.
final class ScriptedServer: Sendable {
    struct Request: Hashable, Sendable {
        /// Counts connections from 0.
        var connection: Int
        var words: [String]

        /// The command behind a stamp, if there is one.
        var command: [String] { words.first == "SHARD.STAMP" ? Array(words.dropFirst(4)) : words }
        /// The stamp's epoch; nil without a stamp.
        var epoch: UInt64? { words.first == "SHARD.STAMP" ? UInt64(words[3]) : nil }
    }

    enum Step: Sendable {
        /// These bytes, as they are.
        case say(String)
        /// The reply stays owed.
        case keepSilent
        case hangUp

        static func bulk(_ text: String) -> Step { .say("$\(text.utf8.count)\r\n\(text)\r\n") }
    }

    typealias Script = @Sendable (Request) -> Step

    private struct State {
        var requests: [Request] = []
        var channels: [any Channel] = []
        var waiters: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
        var script: Script
    }

    let address: Address
    private let listener: any Channel
    private let state: Mutex<State>

    /// Listens; a server that is not closed ends with the test process.
    init(_ script: @escaping Script) async throws {
        let box = Box()
        listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let server = box.server.withLock({ $0 }) else { throw ChannelError.inputClosed }
                    try channel.pipeline.syncOperations.addHandler(Handler(server, server.accept(channel)))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        address = Address(host: "127.0.0.1", port: listener.localAddress?.port ?? 0)
        state = Mutex(State(script: script))
        box.server.withLock { $0 = self }
    }

    /// Changes what is answered from the next request on.
    func follow(_ script: @escaping Script) { state.withLock { $0.script = script } }

    /// All requests so far, in the order they came.
    var requests: [Request] { state.withLock { $0.requests } }
    /// Connections so far.
    var connections: Int { state.withLock { $0.channels.count } }

    /// Waits until so many requests have come, or the test's time limit.
    func received(_ count: Int) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    let isOver = state.requests.count >= count || Task.isCancelled
                    if !isOver { state.waiters.append((count, continuation)) }
                    return isOver
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            release { _ in true }
        }
    }

    private func release(_ isDue: (Int) -> Bool) {
        let due = state.withLock { state in
            let due = state.waiters.filter { isDue($0.count) }
            state.waiters.removeAll { isDue($0.count) }
            return due
        }
        for waiter in due { waiter.continuation.resume() }
    }

    /// Sends bytes to a connection, in pieces of so many bytes each.
    func say(_ text: String, to connection: Int = 0, pieces: Int = .max) {
        let channel = state.withLock { $0.channels[connection] }
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            channel.writeAndFlush(NIOCore.ByteBuffer(bytes: bytes.prefix(pieces)), promise: nil)
            bytes = bytes.dropFirst(pieces)
        }
    }

    /// Ends the listener and all connections, as the death of a process does.
    func close() async throws {
        try await listener.close()
        for channel in state.withLock({ $0.channels }) where channel.isActive { try? await channel.close() }
    }

    private func accept(_ channel: any Channel) -> Int {
        state.withLock { state in
            state.channels.append(channel)
            return state.channels.count - 1
        }
    }

    private func take(_ request: Request) -> Step {
        let (script, count) = state.withLock { state in
            state.requests.append(request)
            return (state.script, state.requests.count)
        }
        release { $0 <= count }
        return script(request)
    }

    private final class Box: Sendable {
        let server = Mutex<ScriptedServer?>(nil)
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = NIOCore.ByteBuffer
        typealias OutboundOut = NIOCore.ByteBuffer

        private let server: ScriptedServer
        private let connection: Int
        /// Requests have the form of a reply: an array of strings.
        private var parser = ReplyParser()

        init(_ server: ScriptedServer, _ connection: Int) {
            self.server = server
            self.connection = connection
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            parser.append(unwrapInboundIn(data).readableBytesView)
            while let value = try? parser.next() {
                guard case .array(let items) = value else { continue }
                let words = items.map { item in
                    if case .bulkString(let bytes) = item { String(decoding: bytes, as: UTF8.self) } else { "?" }
                }
                switch server.take(Request(connection: connection, words: words)) {
                case .say(let text):
                    context.writeAndFlush(wrapOutboundOut(NIOCore.ByteBuffer(string: text)), promise: nil)
                case .keepSilent: break
                case .hangUp: return context.close(promise: nil)
                }
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
