import ClusterModel
import Foundation
import Logging
import Synchronization
import Testing

@testable import NodeRuntime

@Suite(.timeLimit(.minutes(2))) struct MetaWatchTests {
    /// What a watch was told, waited for with a bound.
    private final class Told: Sendable {
        private let deltas = Mutex<[RouteDelta]>([])

        func add(_ delta: RouteDelta) { deltas.withLock { $0.append(delta) } }

        /// The next one; nil when none comes in 30 s. The test's thread is given back meanwhile: the watch needs one.
        func next() async throws -> RouteDelta? {
            for _ in 0..<3000 {
                if let delta = deltas.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) { return delta }
                try await Task.sleep(for: .milliseconds(10))  // poll: a delta has come, at most 30 s
            }
            return nil
        }
    }

    private func watch(_ addresses: [Address], secret: String? = nil, _ told: Told) -> MetaWatch {
        MetaWatch(
            addresses: addresses, secret: secret.map { Array($0.utf8) },
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), changed: { told.add($0) })
    }

    @Test func changesArriveWhoeverIsAskedFirst() async throws {
        let directory = LogDirectory()
        let primary = try RunningMeta("m1", directory, takeover: 8000, secret: "s")
        let standby = try RunningMeta("m2", directory, takeover: 8000, secret: "s")
        let told = Told()
        // Nobody listens on the first address; the second is a standby.
        let watch = watch([Address(host: "127.0.0.1", port: 1), standby.host.address], secret: "s", told)
        watch.start()
        watch.start()
        defer { watch.stop() }
        let first = try #require(try await told.next())
        #expect(first.since == .zero && first.nodes.isEmpty)
        var port = try primary.connect()
        _ = try port.ask("AUTH", "s")
        _ = try port.tell(HeartbeatAnswer.self, "META.HEARTBEAT", beat("d1", number: 1))
        let second = try #require(try await told.next())
        #expect(second.since == first.version && second.nodes.map(\.id.rawValue) == ["d1"])
        #expect(standby.stop())
        #expect(primary.stop())
    }

    @Test func aRestartIsSurvivedAndNothingIsMissed() async throws {
        let directory = LogDirectory()
        let first = try RunningMeta("m1", directory)
        let told = Told()
        let watch = watch([first.host.address], told)
        watch.start()
        defer { watch.stop() }
        #expect(try await told.next() != nil)
        var port = try first.connect()
        _ = try port.tell(HeartbeatAnswer.self, "META.HEARTBEAT", beat("d1", number: 1))
        let before = try #require(try await told.next())
        let address = first.host.address
        #expect(first.stop())
        let second = try RunningMeta("m1", directory, at: address)
        var other = try second.connect()
        _ = try other.tell(HeartbeatAnswer.self, "META.HEARTBEAT", beat("d2", number: 2))
        // Changes come in one delta or several, from where the watch was.
        var seen: Set<String> = []
        var version = before.version
        while !seen.contains("d2") {
            let delta = try #require(try await told.next())
            #expect(delta.since == version)
            version = delta.version
            seen.formUnion(delta.nodes.map(\.id.rawValue))
        }
        #expect(second.stop())
    }
}
