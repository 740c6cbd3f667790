internal import ClusterClient
internal import ClusterModel
internal import DataCore
internal import Logging
internal import Synchronization

/// A data node's way to the metadata group: one beat at a time goes out, its answer comes back as an input of the core, and
/// once the node is taken in, changes of the map are pushed.
final class MetaLink: Sendable {
    private let client: MetaClient
    private let logger: Logger
    private let foreign: @Sendable (String) -> Void
    private let watch: MetaWatch
    /// Why the last beat was not taken; said when it changes, not twice a second.
    private let complaint = Mutex<String?>(nil)
    /// Whether this process is one of the cluster's: from then on it serves, whoever answers its beats.
    private let wasAccepted = Atomic<Bool>(false)

    /// - Parameters:
    ///   - changed: told from any thread, of changes of the map.
    ///   - foreign: told from any thread, before any beat was taken, that the metadata group is another cluster's than the
    ///     beats come from: nothing but another command line helps. Says what to do.
    init(
        addresses: [Address], secret: [UInt8]?, logger: Logger, changed: @escaping @Sendable (RouteDelta) -> Void,
        foreign: @escaping @Sendable (String) -> Void
    ) {
        watch = MetaWatch(addresses: addresses, secret: secret, logger: logger, changed: changed)
        client = MetaClient(
            options: MetaOptions(
                addresses: addresses, secret: secret, connectTimeout: .seconds(1), requestTimeout: .seconds(2),
                deadline: .milliseconds(2500), rounds: 1))
        self.foreign = foreign
        self.logger = logger
    }

    /// Sends a beat; `told` gets nil, from any thread, when no metasrv answered in time.
    func send(_ beat: Heartbeat, _ told: @escaping @Sendable (HeartbeatAnswer?) -> Void) {
        // One task per beat, some two a second: no command's way.
        Task {
            do {
                let answered = try await client.heartbeat(beat)
                note(nil)
                if let why = foreignness(of: answered, to: beat) { return foreign(why) }
                told(answered)
                if answered.refusal == nil {
                    wasAccepted.store(true, ordering: .relaxed)
                    watch.start()
                }
            } catch {
                note("\(error)")
                told(nil)
            }
        }
    }

    private func foreignness(of answer: HeartbeatAnswer, to beat: Heartbeat) -> String? {
        guard !wasAccepted.load(ordering: .relaxed), let own = beat.cluster, own != answer.cluster else { return nil }
        let addresses = client.addresses.map(\.description).joined(separator: ",")
        return
            "belongs to cluster \(own), metasrv at \(addresses) to cluster \(answer.cluster): start it with the --meta "
            + "of its own cluster, or with an empty --dir"
    }

    /// Asks for a configuration; `told` gets nil when no metasrv answered in time.
    func send(_ request: ReconfigureRequest, _ told: @escaping @Sendable (ReconfigureAnswer?) -> Void) {
        Task {
            do {
                told(try await client.reconfigure(request))
            } catch {
                logger.debug("no metasrv answers a proposal: \(error)")
                told(nil)
            }
        }
    }

    private func note(_ trouble: String?) {
        let last = complaint.withLock { last in
            defer { last = trouble }
            return last
        }
        guard last != trouble else { return }
        if let trouble {
            logger.warning("no metasrv takes this node's beats: \(trouble)")
        } else {
            logger.info("a metasrv takes this node's beats again")
        }
    }

    /// Ends the watch; beats may go on.
    func stop() { watch.stop() }
}
