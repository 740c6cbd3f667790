internal import ClusterModel
internal import Foundation
internal import MetaCore
internal import NIOCore
internal import Wire

/// One connection to a metasrv: requests in RESP, replies in their order, pushes behind a META.WATCH.
///
/// What one client may cost is bounded: bytes of an incomplete request, requests that wait (above, nothing more is read
/// from it), and bytes of replies it does not take.
final class MetaConnection: ChannelInboundHandler {
    typealias InboundIn = NIOCore.ByteBuffer
    typealias OutboundOut = NIOCore.ByteBuffer

    /// Bytes of one request that is not complete: some 50,000 shards in a beat.
    private static let mostInput = 16 << 20
    /// Requests that wait for their answer.
    private static let mostRequests = 1024

    /// A reply that is not there yet holds back those behind it.
    private struct Slot {
        let id: RequestID
        var reply: [UInt8]?
    }

    private let server: MetaServer
    private var parser = RequestParser()
    private let batch = CommandBatch()
    private var input: [UInt8] = []
    private var slots = CircularBuffer<Slot>()
    private var watches: Set<RequestID> = []
    private var isAuthenticated: Bool
    private var context: ChannelHandlerContext?
    private var isClosing = false
    private var isPaused = false
    private var isTaking = false
    private var isAdmitted = false
    /// Bytes of replies that the kernel has not taken.
    private var unsent = 0

    init(server: MetaServer) {
        self.server = server
        isAuthenticated = server.secret == nil
    }

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        isAdmitted = server.admit()
        if !isAdmitted {
            answerNow { $0.error("ERR max number of clients reached") }
            isClosing = true
            flush()
        }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosing else { return }
        input.append(contentsOf: unwrapInboundIn(data).readableBytesView)
        if !isPaused, !isTaking { takeInput() }
    }

    /// Takes the complete requests of the input, as many as may wait.
    ///
    /// A reply that cannot be written, since the client has reset the connection, makes NIO read what came before: then more
    /// input is added in the middle of this.
    private func takeInput() {
        isTaking = true
        defer { isTaking = false }
        var goesOn = true
        while goesOn, !isClosing, slots.count < Self.mostRequests {
            parser.isAuthenticated = isAuthenticated
            // Before AUTH one at a time: it decides what the others may hold.
            let limit = isAuthenticated ? Self.mostRequests - slots.count : 1
            let received = input
            let result = received.withByteView { view in
                let result = parser.parse(view, connection: ConnectionID(place: 0, use: 0), into: batch, limit: limit)
                for entry in batch.entries where !isClosing {
                    let first = Int(entry.first)
                    take((first..<first + Int(entry.count)).map { batch.arguments[$0].array })
                }
                batch.removeAll()
                return result
            }
            goesOn = result.isLimited || input.count > received.count
            input.removeFirst(result.consumed)
            if let error = result.error {
                if let text = error.text { answerNow { $0.error("ERR \(text)") } }
                isClosing = true
            } else if !goesOn, input.count > Self.mostInput {
                answerNow { $0.error("ERR Protocol error: a request to a metasrv has at most \(Self.mostInput) bytes") }
                isClosing = true
            }
        }
        flush()
        if slots.count >= Self.mostRequests, !isClosing { pause(true) }
    }

    private func pause(_ wanted: Bool) {
        guard wanted != isPaused, let context else { return }
        isPaused = wanted
        context.channel.setOption(.autoRead, value: !wanted).whenFailure { _ in }
    }

    func channelInactive(context: ChannelHandlerContext) {
        for slot in slots where slot.reply == nil { server.forget(slot.id) }
        for id in watches.sorted() { server.forget(id) }
        if isAdmitted { server.dismiss() }
        isAdmitted = false
        isClosing = true
        self.context = nil
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    // MARK: Requests

    private func take(_ arguments: [[UInt8]]) {
        let name = String(decoding: arguments[0], as: UTF8.self).lowercased()
        server.count(name)
        if !isAuthenticated, name != "auth", name != "quit", name != "hello" {
            return answerNow { $0.error("NOAUTH Authentication required.") }
        }
        switch name {
        case "ping": answerNow { arguments.count > 1 ? $0.bulk(arguments[1]) : $0.simple("PONG") }
        case "auth": authenticate(arguments)
        case "quit":
            answerNow { $0.ok() }
            isClosing = true
        case "command": answerNow { $0.array(0) }
        case "info": answerNow { $0.bulk(server.information()) }
        case "meta.status": ask(.status)
        case "meta.routes", "meta.watch":
            guard arguments.count == 2, let since = UInt64(String(decoding: arguments[1], as: UTF8.self)) else {
                return answerNow { $0.error("ERR \(name.uppercased()) takes one number: the route version you have") }
            }
            let version = RouteVersion(rawValue: since)
            if name == "meta.watch" {
                watches.insert(ask(.watch(since: version)))
            } else {
                ask(.routes(since: version))
            }
        case "meta.heartbeat": askJSON(arguments, Heartbeat.self) { .heartbeat($0) }
        case "meta.reconfigure": askJSON(arguments, ReconfigureRequest.self) { .reconfigure($0) }
        case "meta.admin": askJSON(arguments, AdminRequest.self) { .admin($0) }
        default:
            answerNow { $0.error("ERR unknown command '\(name.prefix(64))': this is a metasrv; data lives on datasrv") }
        }
    }

    private func authenticate(_ arguments: [[UInt8]]) {
        guard arguments.count == 2 || arguments.count == 3, let given = arguments.last else {
            return answerNow { $0.error("ERR wrong number of arguments for 'auth' command") }
        }
        guard let secret = server.secret else {
            return answerNow { $0.error("ERR AUTH was sent, but this metasrv has no --secret-file") }
        }
        guard ConstantTime.equals(given, secret) else {
            return answerNow { $0.error("WRONGPASS the secret is not this cluster's: see --secret-file") }
        }
        isAuthenticated = true
        answerNow { $0.ok() }
    }

    private func askJSON<Document: Decodable>(
        _ arguments: [[UInt8]], _ type: Document.Type, _ request: (Document) -> MetaRequest
    ) {
        let name = String(decoding: arguments[0], as: UTF8.self).uppercased()
        guard arguments.count == 2 else { return answerNow { $0.error("ERR \(name) takes one JSON document") } }
        do {
            ask(request(try JSONDecoder().decode(type, from: Data(arguments[1]))))
        } catch {
            answerNow { $0.error("ERR \(name): \(JSONFailure.text(error))") }
        }
    }

    @discardableResult
    private func ask(_ request: MetaRequest) -> RequestID {
        let id = server.nextRequest()
        slots.append(Slot(id: id, reply: nil))
        server.ask(id, request, for: self)
        return id
    }

    // MARK: Replies

    private func answerNow(_ write: (inout ReplyBuffer) -> Void) {
        var reply = ReplyBuffer()
        write(&reply)
        slots.append(Slot(id: RequestID(rawValue: 0), reply: reply.bytes.view.array))
    }

    /// The core's answer to a request.
    func answered(_ id: RequestID, _ reply: [UInt8]) {
        guard let place = slots.firstIndex(where: { $0.id == id && $0.reply == nil }) else { return }
        slots[place].reply = reply
        flush()
        guard isPaused, slots.count <= Self.mostRequests / 2, let context else { return }
        pause(false)
        // Not within the core's step.
        context.eventLoop.assumeIsolated().execute { self.takeInput() }
    }

    /// A change of the map, for a watcher; behind the replies that were promised before.
    func pushed(_ bytes: [UInt8]) {
        slots.append(Slot(id: RequestID(rawValue: 0), reply: bytes))
        flush()
    }

    private func flush() {
        var ready: [UInt8] = []
        while let reply = slots.first?.reply {
            ready.append(contentsOf: reply)
            slots.removeFirst()
        }
        if !ready.isEmpty { write(ready) }
        if isClosing, slots.isEmpty { context?.close(promise: nil) }
    }

    private func write(_ bytes: [UInt8]) {
        guard let context else { return }
        unsent += bytes.count
        guard unsent <= Limits.outputBytes else { return context.close(promise: nil) }
        context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(bytes: bytes)))
            .assumeIsolated().whenComplete { _ in self.unsent -= bytes.count }
    }
}

/// What was wrong with a JSON document, with the way to the field.
enum JSONFailure {
    static func text(_ error: any Error) -> String {
        guard let error = error as? DecodingError else { return "malformed JSON" }
        func path(_ context: DecodingError.Context, _ last: (any CodingKey)? = nil) -> String {
            let keys = context.codingPath + (last.map { [$0] } ?? [])
            return keys.isEmpty ? "the document" : keys.map(\.stringValue).joined(separator: ".")
        }
        switch error {
        case .keyNotFound(let key, let context): return "\(path(context, key)) is missing"
        case .typeMismatch(_, let context): return "\(path(context)): \(context.debugDescription)"
        case .valueNotFound(_, let context): return "\(path(context)) is null"
        case .dataCorrupted(let context):
            let cause = context.underlyingError.map { ": \($0)" } ?? ""
            return "\(path(context)): \(context.debugDescription)\(cause)"
        @unknown default: return "malformed JSON"
        }
    }
}
