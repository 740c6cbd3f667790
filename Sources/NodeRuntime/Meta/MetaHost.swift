public import ClusterModel
internal import Dispatch
internal import Foundation
public import Logging
internal import MetaCore
internal import NIOCore
internal import NIOPosix
internal import SharedLog

/// A running metasrv: the metadata core, its log and its ports.
public final class MetaHost: @unchecked Sendable {
    private let logger: Logger
    private let group: MultiThreadedEventLoopGroup
    private let channel: any Channel
    private let log: MetaLog
    private let observer: ObserveServer?
    /// Where it listens, the port that was given out included.
    public let address: Address
    private let finished = DispatchSemaphore(value: 0)

    /// Most connections: data nodes, their watches, tools.
    private static let mostConnections = 4096

    /// Opens the log and binds the ports. Every error is one line that says what and what to do.
    ///
    /// - Parameters:
    ///   - metrics: what /metrics shows beside the metadata group itself.
    ///   - ready: called once, when it is decided whether this is the primary or a standby.
    public init(
        _ settings: MetaHostSettings, logger: Logger, metrics: [MetricsSource] = [],
        ready: @escaping @Sendable () -> Void
    ) throws {
        self.logger = logger
        let descriptors = Descriptors(wantedConnections: Self.mostConnections)
        if let warning = descriptors.warning { logger.warning("\(warning)") }
        let writer = UniqueID(high: .random(in: 1...(.max)), low: .random(in: 1...(.max)))
        let store = try FileLog(directory: settings.log, writer: writer)
        let snapshot = try MetaLog.snapshot(in: store)
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let box = ServerBox()
        channel = try Self.listen(settings.listen, group, box)
        address = Address(host: settings.listen.host, port: channel.localAddress?.port ?? settings.listen.port)
        let readiness = Readiness("it is not decided yet whether this is the primary or a standby")
        do {
            observer = try settings.http.map { http in
                let own = MetricsSource { done in loop.execute { done(box.server?.families ?? []) } }
                return try ObserveServer(
                    http, notReady: { readiness.reason }, sources: [own, ProcessMetrics.source] + metrics)
            }
        } catch {
            channel.close(promise: nil)
            throw error
        }
        let server = MetaServer(
            node: MetaNode(settings: Self.core(settings, address, writer), snapshot: snapshot),
            secret: settings.secret, mostConnections: descriptors.connections, loop: loop, logger: logger,
            roleChanged: { role in
                switch role {
                case .joining: return
                case .deposed: ProcessEnd.executeAnew(logger)
                // The core notes it.
                case .primary: break
                case .standby(let primary):
                    logger.info("standby", metadata: ["primary": "\(primary.map { "\($0)" } ?? "unknown")"])
                }
                if readiness.begin() { ready() }
            }, halted: { ProcessEnd.stop($0, logger) })
        let log = MetaLog(
            store, logger: logger, answer: { server.take($0) }, damaged: { ProcessEnd.stop($0, logger) })
        self.log = log
        try loop.submit {
            box.server = server
            server.start(log)
        }.wait()
        logger.info("listening", metadata: ["address": "\(address)", "log": "file:\(settings.log)"])
    }

    /// Where /healthz, /readyz and /metrics are served.
    public var http: Address? { observer?.address }

    private static func core(_ settings: MetaHostSettings, _ address: Address, _ writer: UniqueID) -> MetaSettings {
        var core = MetaSettings(
            id: settings.id, listen: settings.announce ?? address, writer: writer,
            newCluster: UniqueID(high: .random(in: 1...(.max)), low: .random(in: 1...(.max))),
            seed: .random(in: 1...(.max)))
        core.takeover = UInt64(settings.takeoverMillis)
        core.downAfter = UInt64(settings.downAfterMillis)
        return core
    }

    private static func listen(
        _ address: Address, _ group: MultiThreadedEventLoopGroup, _ box: ServerBox
    ) throws -> any Channel {
        do {
            return try ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: 256)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelOption(.socketOption(.so_keepalive), value: 1)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        guard let server = box.server else { throw ChannelError.inputClosed }
                        try channel.pipeline.syncOperations.addHandler(MetaConnection(server: server))
                    }
                }
                .bind(host: address.host, port: address.port).wait()
        } catch {
            throw ListenFailure("--listen", address, error)
        }
    }

    /// Runs until SIGTERM, SIGINT or `stop`.
    public func run() {
        let signals = StopSignals { [finished] in finished.signal() }
        runUntilStopped()
        signals.cancel()
    }

    /// Runs until `stop`; signals are the caller's.
    func runUntilStopped() {
        finished.wait()
        observer?.close()
        try? channel.close().wait()
        log.stop()
        try? group.syncShutdownGracefully()
        logger.info("stopped")
    }

    /// Ends `run`, from any thread.
    public func stop() { finished.signal() }
}

/// Set on the event loop before a connection can come to it.
private final class ServerBox: @unchecked Sendable {
    var server: MetaServer?
}
