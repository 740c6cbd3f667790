public import ClusterModel
internal import Dispatch
internal import Foundation
internal import Glibc
public import Logging
internal import MetaCore
internal import NIOCore
internal import NIOPosix
internal import SharedLog

/// A running metasrv: the metadata core, its log and its port.
public final class MetaHost: @unchecked Sendable {
    private let settings: MetaHostSettings
    private let logger: Logger
    private let group: MultiThreadedEventLoopGroup
    private let channel: any Channel
    private let server: MetaServer
    private let log: MetaLog
    /// Where it listens, the port that was given out included.
    public let address: Address
    private let finished = DispatchSemaphore(value: 0)

    /// Opens the log and binds the port. Every error is one line that says what and what to do.
    /// - Parameter ready: called once, when it is decided whether this is the primary or a standby.
    public init(_ settings: MetaHostSettings, logger: Logger, ready: @escaping @Sendable () -> Void) throws {
        self.settings = settings
        self.logger = logger
        let writer = UniqueID(high: .random(in: 1...(.max)), low: .random(in: 1...(.max)))
        let store = try FileLog(directory: settings.log, writer: writer)
        let snapshot = try MetaLog.snapshot(in: store)
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let box = ServerBox()
        do {
            channel = try ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: 256)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        guard let server = box.server else { throw ChannelError.inputClosed }
                        try channel.pipeline.syncOperations.addHandler(MetaConnection(server: server))
                    }
                }
                .bind(host: settings.listen.host, port: settings.listen.port).wait()
        } catch {
            throw DiskError("cannot listen on \(settings.listen): \(error); is another process using the port?")
        }
        address = Address(host: settings.listen.host, port: channel.localAddress?.port ?? settings.listen.port)
        var core = MetaSettings(
            id: settings.id, listen: settings.announce ?? address, writer: writer,
            newCluster: UniqueID(high: .random(in: 1...(.max)), low: .random(in: 1...(.max))),
            seed: .random(in: 1...(.max)))
        core.takeover = UInt64(settings.takeoverMillis)
        core.downAfter = UInt64(settings.downAfterMillis)
        var isReady = false
        let server = MetaServer(
            node: MetaNode(settings: core, snapshot: snapshot), secret: settings.secret, loop: loop, logger: logger,
            roleChanged: { role in
                switch role {
                case .joining: return
                case .deposed: ProcessEnd.executeAnew(logger)
                case .primary(let term): logger.info("primary", metadata: ["term": "\(term)"])
                case .standby(let primary): logger.info("standby of \(primary.map { "\($0)" } ?? "nobody known")")
                }
                if !isReady {
                    isReady = true
                    ready()
                }
            }, halted: { ProcessEnd.stop($0, logger) })
        self.server = server
        let log = MetaLog(
            store, logger: logger, answer: { server.take($0) }, damaged: { ProcessEnd.stop($0, logger) })
        self.log = log
        try loop.submit {
            box.server = server
            server.start(log)
        }.wait()
    }

    /// Runs until SIGTERM or `stop`.
    public func run() {
        let signals = [SIGTERM, SIGINT].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { [finished] in finished.signal() }
            source.resume()
            return source
        }
        finished.wait()
        for source in signals { source.cancel() }
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

/// Ends of a process that are not a clean stop.
enum ProcessEnd {
    /// A deposed primary begins anew with empty memory: same pid, same arguments (RULES B7).
    static func executeAnew(_ logger: Logger) {
        logger.warning("deposed: another metasrv is primary; starting anew as a standby")
        var arguments = unsafe CommandLine.arguments.map { unsafe strdup($0) }
        unsafe arguments.append(nil)
        let program =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        // Descriptors but the standard ones are closed, or the port would stay taken.
        for descriptor in 3..<Int32(1024) { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        unsafe execv(program, arguments)
        stop("cannot execute \(program) anew: \(SocketError.text(errno))", logger)
    }

    static func stop(_ why: String, _ logger: Logger) {
        logger.critical("\(why)")
        exit(1)
    }
}
