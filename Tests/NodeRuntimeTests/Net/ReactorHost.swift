import ClusterModel
import DataCore
import Foundation
import Glibc
import Logging
import Synchronization
import Wire

@testable import NodeRuntime

/// A whole data node on loopback without a disk: the real reactor and core, a host that calls every batch durable and
/// applied at once, and a route table that gives this node, or a pair of nodes, all shards of keyspace `default`.
final class ReactorHost: Sendable {
    static let cluster = UniqueID(high: 9, low: 9)

    let address: Address
    let mailbox: Mailbox<ReactorMessage>
    private let isFinished = Mutex(false)

    convenience init(maxClients: Int = 10_000, password: String? = nil) throws {
        let sockets = try Sockets()
        try self.init(sockets, of: [sockets], maxClients: maxClients, password: password)
    }

    /// Two nodes that share the keyspace: the first has its even shards, the second its odd ones.
    static func pair() throws -> [ReactorHost] {
        let sockets = [try Sockets(number: 1), try Sockets(number: 2)]
        return try sockets.map { try ReactorHost($0, of: sockets, maxClients: 100, password: nil) }
    }

    /// The first of such a pair whose second takes connections and says no word.
    static func besideHung() throws -> ReactorHost {
        let sockets = [try Sockets(number: 1), try Sockets(number: 2)]
        return try ReactorHost(sockets[0], of: sockets, maxClients: 100, password: nil, gatewayTimeoutMillis: 1500)
    }

    private init(
        _ own: Sockets, of all: [Sockets], maxClients: Int, password: String?, gatewayTimeoutMillis: UInt64 = 5000
    ) throws {
        address = own.address
        guard let poller = Poller(), let mailbox = Mailbox<ReactorMessage>() else { throw POSIXError(.EMFILE) }
        self.mailbox = mailbox
        var settings = own.settings
        settings.maxClients = maxClients
        settings.gatewayTimeoutMillis = gatewayTimeoutMillis
        settings.password = password.map { Array($0.utf8) }
        let parts = Parts(
            poller: poller, mailbox: mailbox, settings: settings, sockets: own, nodes: all.map(\.settings))
        Thread { [self] in
            parts.run()
            isFinished.withLock { $0 = true }
        }.start()
    }

    /// A node's listeners.
    private struct Sockets {
        let number: Int
        let gateway: Int32
        let peer: Int32
        var address: Address { Socket.localAddress(gateway) }

        init(number: Int = 1) throws {
            self.number = number
            gateway = try Socket.bound(to: Address(host: "127.0.0.1", port: 0))
            peer = try Socket.bound(to: Address(host: "127.0.0.1", port: 0))
            for socket in [gateway, peer] { try Socket.listen(socket) }
        }

        var settings: DataSettings {
            DataSettings(
                id: NodeID(rawValue: "d\(number)"), store: UniqueID(high: 1, low: UInt64(number)),
                boot: BootNonce(rawValue: 7), address: address, gateway: address, peer: Socket.localAddress(peer),
                seed: 99)
        }
    }

    /// Whether the loop ended after `stop`, within the bound.
    func ends(within seconds: Double = 10) -> Bool {
        let limit = Date(timeIntervalSinceNow: seconds)
        while Date() < limit {
            if isFinished.withLock({ $0 }) { return true }
            usleep(2000)  // poll: the loop has ended
        }
        return false
    }

    func stop() { mailbox.post(.stop) }

    deinit { mailbox.post(.stop) }

    /// What the reactor's thread is made of.
    private struct Parts: @unchecked Sendable {
        let poller: Poller
        let mailbox: Mailbox<ReactorMessage>
        let settings: DataSettings
        let sockets: Sockets
        let nodes: [DataSettings]

        func run() {
            var node = DataNode(settings: settings, now: Clocks.tick())
            var effects = Effects<DataEffect>()
            node.step(
                .recovered(RecoveredNode(cluster: nil, replicas: [], batches: [])), now: Clocks.tick(),
                effects: &effects)
            node.step(.beatAnswered(answer, sent: Clocks.tick().monotonic), now: Clocks.tick(), effects: &effects)
            let disk = InstantDisk(mailbox: mailbox)
            for effect in effects.all { disk.run(effect) }
            let logger = Logger(label: "reactor-test", factory: { _ in SwiftLogNoOpLogHandler() })
            let hello = PeerHello(cluster: nil, node: settings.id, store: settings.store, boot: settings.boot)
            let reactor = Reactor(
                node: node, poller: poller, mailbox: mailbox, hello: hello,
                requiresPassword: settings.password != nil, logger: logger)
            reactor.run = disk.run
            reactor.listen(sockets.gateway, .gateway)
            reactor.listen(sockets.peer, nil)
            reactor.loop()
        }

        private func shard(_ index: Int, of keyspace: Keyspace) -> ShardConfiguration {
            let range = ShardRange.slots(from: UInt16(index * 4096), to: UInt16((index + 1) * 4096))
            return ShardConfiguration(
                id: ShardID(rawValue: UInt64(index + 1)), keyspace: keyspace.id, epoch: Epoch(rawValue: 1),
                range: range, policy: keyspace.policy,
                members: [Member(node: nodes[index % nodes.count].id, incarnation: .first)],
                proposal: Proposal(proposer: "test", request: 1), primaryBoot: settings.boot)
        }

        private var answer: HeartbeatAnswer {
            let keyspace = Keyspace(
                id: KeyspaceID(rawValue: 1), name: "default", scheme: SchemeParameters(kind: .hash, shards: 4),
                policy: ReplicationPolicy(replicas: 1))
            let shards = (0..<4).map { shard($0, of: keyspace) }
            let delta = RouteDelta(
                cluster: ReactorHost.cluster, since: .zero, version: RouteVersion(rawValue: 1), keyspaces: [keyspace],
                shards: shards, nodes: nodes.map(\.node))
            return HeartbeatAnswer(cluster: ReactorHost.cluster, term: Term(rawValue: 1), delta: delta)
        }
    }
}

/// Answers the core's effects at once: every batch is durable, every record applied, every row not in memory absent.
private final class InstantDisk {
    let mailbox: Mailbox<ReactorMessage>
    private var open = ApplyQueue()

    init(mailbox: Mailbox<ReactorMessage>) { self.mailbox = mailbox }

    func run(_ effect: DataEffect) {
        switch effect {
        case .openStore(let store, _): open.open(store)
        case .persist(let batch):
            open.add(batch)
            mailbox.post(.input(.durable(through: batch.ticket)))
        case .apply(let committed, let ticket):
            var marks: [StoreID: DataInput.Applied] = [:]
            open.commit(committed, durable: ticket)
            let taken = open.take(bytes: .max) { store, header, _ in
                marks[store] = DataInput.Applied(store: store, epoch: header.epoch, seq: header.seq, bytes: 0)
            }
            mailbox.post(.input(.applied(marks.values.sorted { $0.store < $1.store }, spent: taken.spent)))
        case .read(let rows):
            for index in rows.items.indices { rows.answer(index, .absent) }
            mailbox.post(.input(.rows(rows)))
        case .beat(_, let sent):
            let answer = HeartbeatAnswer(cluster: ReactorHost.cluster, term: Term(rawValue: 1), delta: nil)
            mailbox.post(.input(.beatAnswered(answer, sent: sent)))
        default: break
        }
    }
}
