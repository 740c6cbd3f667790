internal import ClusterClient
internal import ClusterModel
internal import DataCore
internal import Logging

/// A data node's way to the metadata group: one beat at a time goes out, its answer comes back as an input of the core.
final class MetaLink: Sendable {
    private let client: MetaClient
    private let answer: @Sendable (HeartbeatAnswer?) -> Void
    private let logger: Logger

    /// - Parameter answer: told from any thread; nil = no metasrv answered in time.
    init(
        addresses: [Address], secret: [UInt8]?, logger: Logger, answer: @escaping @Sendable (HeartbeatAnswer?) -> Void
    ) {
        client = MetaClient(
            options: MetaOptions(
                addresses: addresses, secret: secret, connectTimeout: .seconds(1), requestTimeout: .seconds(2),
                deadline: .milliseconds(2500), rounds: 1))
        self.answer = answer
        self.logger = logger
    }

    func send(_ beat: Heartbeat) {
        // One task per beat, some two a second: no command's way.
        Task {
            do {
                let answered = try await client.heartbeat(beat)
                answer(answered)
            } catch {
                logger.debug("no metasrv took the beat: \(error)")
                answer(nil)
            }
        }
    }
}
