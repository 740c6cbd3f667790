internal import CSystemCalls
internal import ClusterClient
public import ClusterModel
internal import DataCore
internal import Foundation
internal import Glibc
internal import LevelStore
public import Logging
internal import Wire

/// A running datasrv: the directory, the threads around the core, and the core's effects brought to them.
///
/// `run` gives the calling thread to the reactor until SIGTERM or `stop`.
public final class DataHost {
    private let settings: DataHostSettings
    private let logger: Logger
    private let directory: NodeDirectory
    private let mailbox: Mailbox<ReactorMessage>
    private let stores: ShardStores
    private let applier: Applier
    private let writer: LogWriter
    private let readers: Readers
    private let flusher: Flusher
    private let link: MetaLink
    private let reactor: Reactor
    private var isReady = false
    private let ready: () -> Void
    private let reserve: DiskReserve
    private let observer: ObserveServer?
    private let readiness = Readiness("not registered yet, or without routes")
    private let process = ProcessSample()
    private let end = EarlyEnd()

    /// Binds the ports, opens the directory, recovers, and listens. Every error is one line that says what and what to do.
    ///
    /// - Parameters:
    ///   - metrics: what /metrics shows beside the node itself.
    ///   - ready: called once, when the node is registered and holds routes.
    public init(
        _ settings: DataHostSettings, logger: Logger, metrics: [MetricsSource] = [], ready: @escaping () -> Void
    ) throws {
        self.settings = settings
        self.logger = logger
        self.ready = ready
        // The allocator would raise this by itself after the first long value is freed, and then keep such memory for ever.
        ostraka_map_allocations(1 << 20)
        let descriptors = Descriptors(wantedConnections: settings.maxClients)
        if let warning = descriptors.warning { logger.warning("\(warning)") }
        guard let mailbox = Mailbox<ReactorMessage>(), let poller = Poller() else {
            throw DiskError("the system has no descriptors left: raise ulimit -n")
        }
        self.mailbox = mailbox
        let ports = try Ports(settings)
        let times = StartTimes()
        directory = try NodeDirectory(path: settings.directory, node: settings.id, sync: settings.sync)
        reserve = DiskReserve(directory.path) { isLow in mailbox.post(.input(.diskLow(isLow))) }
        times.note("directory")
        let log = try LogReader(directory)
        times.note("\(log.segments) segments of the log")
        stores = ShardStores(
            directory: directory.storesPath, cacheBytes: max(settings.cacheBytes / 4, 8 << 20),
            openFiles: descriptors.files)
        let recovery = try StoreRecovery(log, stores, directory: directory, sync: settings.sync, times)
        let stop = FailStop(directory, logger)
        writer = try LogWriter(
            directory: directory, recovered: log, mode: settings.sync,
            makeRoom: { [reserve] in reserve.makeRoom() },
            durable: { ticket in mailbox.post(.input(.durable(through: ticket))) },
            failed: { stop.fail("the log could not be written", $0) })
        times.note("a new segment")
        times.tell(logger)
        applier = Applier(
            stores: stores, applied: recovery.applied, secureLog: { [writer] in try writer.syncWritten() },
            isApplied: { marks, spent in mailbox.post(.input(.applied(marks, spent: spent))) },
            isInstalled: { store, chunk in
                mailbox.post(.input(.installed(store, lesson: chunk.lesson, number: chunk.number)))
            },
            failed: { stop.fail("a write to LevelDB failed", $0) })
        for batch in recovery.node.batches { applier.add(.batch(batch)) }
        readers = Readers(
            stores: stores, log: LogSearch(directory: directory.logPath, log: directory.identity.log),
            answer: { mailbox.post(.input($0)) },
            failed: { stop.fail("LevelDB could not be read", $0) })
        flusher = Flusher(
            writer: writer, applier: applier, oldest: log.oldestGeneration,
            isDiskLow: { [reserve] in reserve.isDiskLow },
            failed: { stop.fail("LevelDB could not write its tables", $0) })
        link = MetaLink(
            addresses: settings.meta, secret: settings.secret, logger: logger,
            changed: { delta in mailbox.post(.input(.routes(delta))) },
            foreign: { [end, path = directory.path] told in
                end.note("\(path) \(told)")
                mailbox.post(.stop)
            })
        reactor = Self.makeReactor(
            settings, directory, ports, poller: poller, mailbox: mailbox, maxClients: descriptors.connections,
            logger: logger)
        observer = try settings.http.map { [writer, applier, readiness, reactor] http in
            let own = DataMetrics.source(mailbox, writer: writer, applier: applier, batchSizes: reactor.batchSizes)
            return try ObserveServer(
                http, notReady: { readiness.reason }, sources: [own, ProcessMetrics.source] + metrics)
        }
        reactor.node.noteUsage(process.take())
        try ports.listen()
        reactor.listen(ports.cluster, .cluster)
        reactor.listen(ports.gateway, .gateway)
        reactor.listen(ports.peer, nil)
        reactor.run = { [unowned self] effect in run(effect) }
        reactor.settle = { [writer] in writer.settle() }
        reactor.turned = { [unowned self] in endTurn() }
        mailbox.post(.input(.recovered(recovery.node)))
    }

    private static func makeReactor(
        _ settings: DataHostSettings, _ directory: NodeDirectory, _ ports: Ports, poller: Poller,
        mailbox: Mailbox<ReactorMessage>, maxClients: Int, logger: Logger
    ) -> Reactor {
        var core = DataSettings(
            id: settings.id, store: directory.identity.store, boot: directory.boot,
            address: ports.address, gateway: ports.gatewayAddress, peer: ports.peerAddress,
            seed: .random(in: 1...(.max)))
        core.starts = directory.starts
        core.zone = settings.zone
        core.host = settings.host
        core.weight = settings.weight
        core.cacheBytes = settings.cacheBytes
        core.gatewayTimeoutMillis = UInt64(max(settings.gatewayTimeoutMillis, 1))
        core.leaseMillis = UInt64(max(settings.leaseMillis, 1))
        core.maxClients = maxClients
        core.password = settings.password
        core.shown = settings.shown
        let hello = PeerHello(
            cluster: directory.identity.cluster, node: settings.id, store: core.store, boot: core.boot,
            secret: settings.secret ?? [])
        return Reactor(
            node: DataNode(settings: core, now: Clocks.tick()), poller: poller, mailbox: mailbox, hello: hello,
            requiresPassword: settings.password != nil, logger: logger)
    }

    /// Runs until SIGTERM, SIGINT or `stop`. The caller's thread is the reactor.
    ///
    /// - Throws: when it stopped by itself, though cleanly: one line that says why and what to do.
    public func run() throws {
        signal(SIGPIPE, SIG_IGN)
        let signals = StopSignals { [readiness, mailbox] in Self.stop(readiness, mailbox) }
        runUntilStopped()
        signals.cancel()
        if let reason = end.reason { throw DiskError(reason) }
    }

    /// Where /healthz, /readyz and /metrics are served.
    public var http: Address? { observer?.address }

    /// Runs until a clean stop; signals are the caller's.
    func runUntilStopped() {
        reactor.loop()
        observer?.close()
        link.stop()
        writer.stop()
        applier.stop()
        readers.stop()
        flusher.stop()
        reserve.stop()
        stores.close()
        do {
            try directory.noteCleanStop()
        } catch {
            logger.error("the clean stop could not be noted, so that the copies here will learn from others: \(error)")
        }
        logger.info("stopped")
    }

    /// Begins a clean stop from any thread.
    public func stop() { Self.stop(readiness, mailbox) }

    private static func stop(_ readiness: Readiness, _ mailbox: Mailbox<ReactorMessage>) {
        readiness.end("stopping")
        mailbox.post(.stop)
    }

    // MARK: Effects

    private func run(_ effect: DataEffect) {
        switch effect {
        case .persist(let batch):
            applier.add(.batch(batch))
            writer.submit(batch)
        case .apply(let marks, let ticket): applier.add(.apply(marks, durable: ticket))
        case .openStore(let store, let usesSlots):
            applier.add(.open(store, usesSlots: usesSlots, isNew: stores.database(openNow: store) == nil))
        case .dropStore(let store): applier.add(.drop(store))
        case .forgetHints(let store, let through): applier.add(.forgetHints(store, through: through))
        case .read(let batch): readers.read(batch)
        case .scan(let scan): readers.scan(scan)
        case .readLog(let read): readers.readLog(read)
        case .beat(let beat, let sent):
            link.send(beat) { [mailbox] in
                mailbox.post(.input($0.map { .beatAnswered($0, sent: sent) } ?? .beatFailed))
            }
        case .note(let line): note(line)
        case .cut(let store, let above, let through): applier.add(.cut(store, above: above, through: through))
        case .install(let store, let chunk): applier.add(.install(store, chunk))
        case .reconfigure(let request):
            let wished = request.configuration
            link.send(request) { [mailbox] in
                mailbox.post(.input(.reconfigured(wished.id, wished.proposal, $0)))
            }
        case .setting(let name, _): logger.debug("setting \(name) is held by the core")
        case .forward, .answer, .release, .replicate, .close, .resumeReading: break
        }
    }

    private func note(_ line: DataEffect.Note) {
        let level: Logger.Level =
            switch line.level {
            case .debug: .debug
            case .info: .info
            case .warning: .warning
            case .error: .error
            }
        var metadata: Logger.Metadata = [:]
        if let shard = line.shard { metadata["shard"] = "\(shard)" }
        if let epoch = line.epoch { metadata["epoch"] = "\(epoch)" }
        logger.log(level: level, "\(line.text)", metadata: metadata)
    }

    private var lastUsage: UInt64 = 0

    private func endTurn() {
        if !isReady, reactor.node.isReady, let cluster = reactor.node.cluster {
            isReady = true
            _ = readiness.begin()
            do {
                try directory.join(cluster)
            } catch {
                logger.critical("\(error)")
                exit(1)
            }
            directory.forgetFormerStarts()
            ready()
        }
        if reactor.node.awaitsApplied { applier.hurry() }
        let now = Clocks.monotonic()
        if now - lastUsage > 1_000_000_000 {
            lastUsage = now
            reactor.node.noteUsage(process.take())
        }
    }
}
