internal import ClusterModel
internal import Foundation
internal import Logging
internal import MetaCore
internal import NIOCore

/// The metadata core with its requests and effects, all on one event loop.
final class MetaServer: @unchecked Sendable {
    let secret: [UInt8]?
    private let loop: any EventLoop
    private let logger: Logger
    private var node: MetaNode
    private var effects = Effects<MetaEffect>()
    private var log: MetaLog?
    private var lastRequest: UInt64 = 0
    private var asking: [RequestID: MetaConnection] = [:]
    /// Inputs that came while a step's effects were run: the core is entered again only behind them.
    private var inbox: [MetaInput] = []
    private var isStepping = false
    private let mostConnections: Int
    private(set) var connections = 0
    private(set) var rejectedConnections: UInt64 = 0
    /// Requests by command; all that is not known counts as `other`.
    private(set) var requests: [String: UInt64] = [:]
    private let roleChanged: (MetaRole) -> Void
    private let halted: (String) -> Void
    private let encoder: JSONEncoder

    /// - Parameters:
    ///   - roleChanged: told at every change of role; at `deposed` the process must begin anew.
    ///   - halted: the log is damaged.
    init(
        node: MetaNode, secret: [UInt8]?, mostConnections: Int, loop: any EventLoop, logger: Logger,
        roleChanged: @escaping (MetaRole) -> Void, halted: @escaping (String) -> Void
    ) {
        self.node = node
        self.secret = secret
        self.mostConnections = mostConnections
        self.loop = loop
        self.logger = logger
        self.roleChanged = roleChanged
        self.halted = halted
        encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    }

    /// Begins: from here on the log's answers come by `take`.
    func start(_ log: MetaLog) {
        self.log = log
        step(.tick)
        loop.scheduleRepeatedTask(initialDelay: .milliseconds(50), delay: .milliseconds(50)) { [self] _ in step(.tick) }
    }

    /// An input from another thread.
    func take(_ input: MetaInput) { loop.execute { [self] in step(input) } }

    /// The core, to look at on the loop alone.
    var core: MetaNode { node }

    // MARK: Connections, on the loop

    /// Whether one more connection may stay.
    func admit() -> Bool {
        guard connections < mostConnections else {
            rejectedConnections += 1
            return false
        }
        connections += 1
        return true
    }

    func dismiss() { connections -= 1 }

    private static let known: Set<String> = [
        "ping", "auth", "info", "command", "quit", "meta.status", "meta.routes", "meta.watch", "meta.heartbeat",
        "meta.reconfigure", "meta.admin",
    ]

    func count(_ command: String) { requests[Self.known.contains(command) ? command : "other", default: 0] += 1 }

    // MARK: Requests, on the loop

    func nextRequest() -> RequestID {
        lastRequest += 1
        return RequestID(rawValue: lastRequest)
    }

    func ask(_ id: RequestID, _ request: MetaRequest, for connection: MetaConnection) {
        asking[id] = connection
        step(.request(id, request))
    }

    /// The connection of a request or watcher is gone.
    func forget(_ id: RequestID) {
        asking[id] = nil
        step(.closed(id))
    }

    /// INFO: a few lines that tools read.
    func information() -> String {
        let role = if case .primary = node.role { "primary" } else { "standby" }
        return [
            "# Server", "ostraka_version:\(OstrakaVersion.text)", "process_id:\(getpid())", "# Meta",
            "meta_id:\(node.settings.id)", "role:\(role)", "position:\(node.state.position)",
            "route_version:\(node.state.routeVersion)", "connected_clients:\(connections)",
        ].joined(separator: "\r\n") + "\r\n"
    }

    // MARK: The core

    private func step(_ input: MetaInput) {
        inbox.append(input)
        guard !isStepping else { return }
        isStepping = true
        while !inbox.isEmpty {
            let inputs = inbox
            inbox = []
            for input in inputs {
                node.step(input, now: Clocks.tick(), effects: &effects)
                let all = effects.all
                effects.removeAll()
                for effect in all { run(effect) }
            }
        }
        isStepping = false
    }

    private func run(_ effect: MetaEffect) {
        switch effect {
        case .append(let position, let entry): log?.add(.append(position, entry))
        case .read(let from, let limit): log?.add(.read(from: from, limit: limit))
        case .fetch(let id, let from, let through): log?.add(.fetch(id, from: from, through: through))
        case .save(let snapshot): log?.add(.save(snapshot))
        case .reply(let id, let answer): reply(id, answer)
        case .push(let id, let delta):
            guard let connection = asking[id] else { return }
            connection.pushed(watched(delta))
        case .role(let role): roleChanged(role)
        case .note(let level, let text): note(level, text)
        case .halt(let text): halted(text)
        }
    }

    private func note(_ level: NoteLevel, _ text: String) {
        switch level {
        case .info: logger.info("\(text)")
        case .warning: logger.warning("\(text)")
        case .error: logger.error("\(text)")
        }
    }

    private func reply(_ id: RequestID, _ answer: MetaAnswer) {
        guard let connection = asking[id] else { return }
        var reply = ReplyBuffer()
        var isWatch = false
        switch answer {
        case .heartbeat(let document): bulk(document, &reply)
        case .reconfigure(let document): bulk(document, &reply)
        case .admin(let document): bulk(document, &reply)
        case .status(let document): bulk(document, &reply)
        case .routes(let delta):
            isWatch = node.isWatched(id)
            if isWatch { reply.bytes.append(watched(delta)) } else { bulk(delta, &reply) }
        case .notPrimary(let address): reply.error(address.map { "NOTPRIMARY \($0)" } ?? "NOTPRIMARY")
        case .unavailable(let text): reply.error("TRYAGAIN \(text)")
        }
        if !isWatch { asking[id] = nil }
        connection.answered(id, reply.bytes.view.array)
    }

    private func bulk(_ document: some Encodable, _ reply: inout ReplyBuffer) {
        guard let bytes = try? encoder.encode(document) else {
            return reply.error("ERR the answer could not be encoded")
        }
        reply.bulk(Array(bytes))
    }

    /// `["META.DELTA", json]`
    private func watched(_ delta: RouteDelta) -> [UInt8] {
        var reply = ReplyBuffer()
        reply.array(2)
        reply.bulk("META.DELTA")
        bulk(delta, &reply)
        return reply.bytes.view.array
    }
}
