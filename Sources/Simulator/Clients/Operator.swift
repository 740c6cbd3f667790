public import ClusterModel
import Wire

/// What a person does with shardctl: requests to the metadata group, from a machine of its own.
public final class Operator {
    private unowned let world: World
    private let caller: MetaCaller
    private var requests: UInt64 = 0

    public init(_ world: World, name: String = "operator") {
        self.world = world
        caller = MetaCaller(
            world: world, host: world.addClientHost(name), addresses: world.metas.map(\.address))
    }

    public var isBusy: Bool { caller.isBusy }

    /// Asks the primary; nil when none answers in time.
    public func ask(_ request: AdminRequest, _ done: @escaping (AdminAnswer?) -> Void) {
        guard let document = world.documents.encode(request) else { return done(nil) }
        caller.send([Array("META.ADMIN".utf8), document]) { [documents = world.documents] reply in
            guard let reply, case .bulkString(let bytes) = reply else { return done(nil) }
            done(documents.decode(AdminAnswer.self, bytes))
        }
    }

    /// Proposes other members for a shard, on what the primary metasrv knows of it.
    public func reconfigure(
        _ shard: ShardConfiguration, members: [Member], learners: [Member]? = nil,
        _ done: @escaping (ReconfigureAnswer?) -> Void
    ) {
        guard let epoch = shard.epoch.successor else { return done(nil) }
        requests += 1
        var wished = shard
        wished.epoch = epoch
        wished.members = members
        wished.learners = (learners ?? shard.learners).filter { learner in
            !members.contains { $0.node == learner.node }
        }
        wished.proposal = Proposal(proposer: "operator", request: requests)
        let request = ReconfigureRequest(expected: shard.epoch, configuration: wished)
        guard let document = world.documents.encode(request) else { return done(nil) }
        caller.send([Array("META.RECONFIGURE".utf8), document]) { [world] reply in
            guard let reply, case .bulkString(let bytes) = reply else { return done(nil) }
            let answer = world.documents.decode(ReconfigureAnswer.self, bytes)
            if let answer { world.map.checkRefusal(request, answer, to: "operator") }
            done(answer)
        }
    }

    /// Creates the world's keyspace once its nodes are there, and waits until every shard serves. Whether it does.
    public func createKeyspace(_ wish: KeyspaceWish? = nil) -> Bool {
        let wish = wish ?? world.settings.keyspace
        var isCreated = false
        let limit = world.now + 20_000_000_000
        while !isCreated, world.now < limit {
            guard upNodes() == world.nodes.count else {
                world.run(until: world.now + 100_000_000)
                continue
            }
            switch wait({ self.ask(.createKeyspace(wish, plan: false), $0) }) {
            case .keyspaceCreated: isCreated = true
            case .failed(let code, let message) where code != .unavailable:
                world.violate(.expectation, "the keyspace is not created: \(message)")
                return false
            default: world.run(until: world.now + 100_000_000)
            }
        }
        while world.now < limit {
            if case .keyspaces(let items) = wait({ self.ask(.listKeyspaces, $0) }),
                items.first(where: { $0.name == wish.name })?.state == .serving
            {
                return true
            }
            world.run(until: world.now + 100_000_000)
        }
        return false
    }

    private func upNodes() -> Int {
        guard case .nodes(let items) = wait({ self.ask(.listNodes, $0) }) else { return 0 }
        return items.count { $0.state == .up }
    }

    /// Runs until a request is answered.
    public func wait(_ begin: (@escaping (AdminAnswer?) -> Void) -> Void) -> AdminAnswer? {
        var outcome: AdminAnswer??
        begin { outcome = .some($0) }
        _ = world.run(for: 10_000_000_000) { outcome != nil }
        return outcome ?? nil
    }
}
