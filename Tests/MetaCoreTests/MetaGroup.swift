import ClusterModel
import MetaCore
import Testing

/// A metadata group in memory: one log, some metasrv, a clock that only the test moves.
struct MetaGroup {
    var log: [LogEntry] = []
    /// Positions below are trimmed.
    var floor = 1
    var snapshot: MetaSnapshot?
    var members: [MetaNode] = []
    var now = Tick(monotonic: 1_000_000_000, wall: 1_700_000_000_000)
    /// Appends of these metasrv are held back, as by a pause inside write(2).
    var paused: Set<Int> = []
    /// Appends of these metasrv fail for good.
    var failing: Set<Int> = []
    /// These metasrv do not run at all.
    var stopped: Set<Int> = []
    var held: [Int: [MetaEffect]] = [:]
    var replies: [RequestID: MetaAnswer] = [:]
    var pushes: [RequestID: [RouteDelta]] = [:]
    var roles: [Int: [MetaRole]] = [:]
    var halted: [Int: String] = [:]
    private var lastRequest: UInt64 = 0

    init(_ count: Int = 1, snapshotEvery: UInt64 = 1024) {
        for index in 0..<count { start(index, snapshotEvery: snapshotEvery) }
    }

    /// Starts a metasrv, in place of an earlier process if there was one.
    mutating func start(_ index: Int, snapshotEvery: UInt64 = 1024) {
        let id = UInt64(index + 1) << 32 | UInt64(log.count)
        let settings = MetaSettings(
            id: "m\(index + 1)", listen: Address(host: "127.0.0.1", port: 7410 + index),
            writer: UniqueID(high: 1, low: id), newCluster: UniqueID(high: 2, low: id), seed: id,
            snapshotEvery: snapshotEvery)
        let node = MetaNode(settings: settings, snapshot: snapshot)
        if index < members.count { members[index] = node } else { members.append(node) }
        held[index] = nil
    }

    /// Lets so many milliseconds pass, in ticks of 50.
    mutating func pass(_ millis: UInt64, only: [Int]? = nil) {
        var left = millis
        while left > 0 {
            let part = min(50, left)
            now.monotonic += part * 1_000_000
            now.wall += Int64(part)
            left -= part
            for index in only ?? Array(members.indices) { feed(index, .tick) }
        }
    }

    mutating func feed(_ index: Int, _ input: MetaInput) {
        var inputs = [input]
        while !inputs.isEmpty {
            var effects = Effects<MetaEffect>()
            members[index].step(inputs.removeFirst(), now: now, effects: &effects)
            for effect in effects.all { inputs += run(index, effect) }
        }
    }

    /// Runs what was held back.
    mutating func resume(_ index: Int) {
        paused.remove(index)
        for effect in held.removeValue(forKey: index) ?? [] {
            for input in run(index, effect) { feed(index, input) }
        }
    }

    private mutating func run(_ index: Int, _ effect: MetaEffect) -> [MetaInput] {
        switch effect {
        case .append(let position, let entry):
            if paused.contains(index) {
                held[index, default: []].append(effect)
                return []
            }
            if failing.contains(index) { return [.appendFailed(position, reason: "no space left on device")] }
            guard position.rawValue == UInt64(log.count + 1) else { return [.appended(position, .lost)] }
            log.append(entry)
            return [.appended(position, .won)]
        case .read(let from, let limit):
            if from.rawValue < UInt64(floor), let snapshot { return [.restored(snapshot)] }
            return [.tailed(Array(records(from: from).prefix(limit)))]
        case .fetch(let id, let from, let through):
            return [.fetched(id, records(from: from).filter { $0.position <= through })]
        case .reply(let id, let answer): replies[id] = answer
        case .push(let id, let delta): pushes[id, default: []].append(delta)
        case .role(let role): roles[index, default: []].append(role)
        case .save(let saved):
            if let snapshot { floor = Int(snapshot.position.rawValue) + 1 }
            snapshot = saved
        case .halt(let reason): halted[index] = reason
        case .note: break
        }
        return []
    }

    func records(from: LogPosition) -> [LogRecord] {
        log.enumerated().map { LogRecord(position: LogPosition(rawValue: UInt64($0 + 1)), entry: $1) }
            .filter { $0.position >= from }
    }

    /// Asks a metasrv; nil = not answered yet.
    @discardableResult
    mutating func ask(_ index: Int, _ request: MetaRequest) -> MetaAnswer? {
        let id = post(index, request)
        return replies[id]
    }

    mutating func post(_ index: Int, _ request: MetaRequest) -> RequestID {
        lastRequest += 1
        let id = RequestID(rawValue: lastRequest)
        feed(index, .request(id, request))
        return id
    }

    mutating func admin(_ request: AdminRequest, at index: Int = 0) -> AdminAnswer? {
        guard case .admin(let answer)? = ask(index, .admin(request)) else { return nil }
        return answer
    }

    mutating func beat(_ beat: Heartbeat, at index: Int = 0) -> HeartbeatAnswer? {
        guard case .heartbeat(let answer)? = ask(index, .heartbeat(beat)) else { return nil }
        return answer
    }

    /// A configuration is asked for in the place of another, with the epoch behind its.
    mutating func propose(
        after current: ShardConfiguration, by proposer: NodeID, request: UInt64 = 9, at index: Int = 0,
        leavesBehind: Bool? = nil, _ change: (inout ShardConfiguration) -> Void
    ) throws -> ReconfigureAnswer {
        var wished = current
        wished.epoch = try #require(current.epoch.successor)
        wished.proposal = Proposal(proposer: proposer.rawValue, request: request)
        change(&wished)
        let asked = ReconfigureRequest(
            expected: current.epoch, configuration: wished, leavesBehind: leavesBehind)
        guard case .reconfigure(let answer)? = ask(index, .reconfigure(asked)) else { throw Unanswered() }
        return answer
    }

    /// The primary of a shard makes its learners members.
    mutating func promoteLearners(of shard: ShardConfiguration) throws -> ReconfigureAnswer {
        try propose(after: shard, by: shard.members[0].node) { wished in
            wished.members += shard.learners
            wished.learners = []
        }
    }

    struct Unanswered: Error {}

    /// A group of one primary and `nodes` registered data nodes.
    static func serving(nodes: Int) -> MetaGroup {
        var group = MetaGroup()
        group.feed(0, .tick)
        for number in 1...nodes { _ = group.beat(dataBeat(number)) }
        return group
    }

    var state: ClusterState { members[0].state }
}

/// A data node's beat.
func dataBeat(
    _ number: Int, boot: UInt64 = 1, store: UInt64? = nil, id: String? = nil, cluster: UniqueID? = nil,
    since: UInt64 = 0,
    shards: [ShardReport] = [], leaving: Bool? = nil, weight: Double = 1, host: String? = nil, zone: String? = nil,
    knows: [UInt64]? = nil
) -> Heartbeat {
    func address(_ port: Int) -> Address { Address(host: "127.0.0.1", port: port + number * 10) }
    let node = Node(
        id: NodeID(rawValue: id ?? "d\(number)"), store: UniqueID(high: 3, low: store ?? UInt64(number.magnitude)),
        boot: BootNonce(rawValue: UInt64(number.magnitude) * 1000 + boot), address: address(7501),
        gateway: address(7502),
        peer: address(7503), zone: zone ?? "z\(number)", host: host ?? "h\(number)", weight: weight)
    return Heartbeat(
        cluster: cluster, node: node, routeVersion: RouteVersion(rawValue: since), shards: shards, leaving: leaving,
        starts: knows.map { $0.map { BootNonce(rawValue: UInt64(number.magnitude) * 1000 + $0) } })
}

/// What a primary reports of a shard that it serves.
func servingReport(_ shard: ShardConfiguration) -> ShardReport {
    ShardReport(
        id: shard.id, epoch: shard.epoch, incarnation: shard.members[0].incarnation, role: .primary, serving: true,
        active: shard.epoch, last: Seq(rawValue: 1), commit: Seq(rawValue: 1), applied: .zero, bytes: 10)
}

/// What a replica reports that serves no more: it is kept for the rows it holds.
func stoppedReport(_ shard: ShardConfiguration) -> ShardReport {
    var report = servingReport(shard)
    report.serving = false
    return report
}

extension MetaGroup {
    /// All beats that say what the map wants is so.
    mutating func beatAll(boots: [Int: UInt64] = [:]) {
        for node in state.members {
            guard let number = Int(node.id.rawValue.dropFirst()) else { continue }
            let reports = state.shards.values.map(\.value).compactMap { shard -> ShardReport? in
                guard let own = shard.replica(on: node.id) else { return nil }
                var report = servingReport(shard)
                report.incarnation = own.incarnation
                if own != shard.primary { report.role = .secondary }
                return report
            }
            _ = beat(
                dataBeat(
                    number, boot: boots[number] ?? 1, since: state.routeVersion.rawValue, shards: reports))
        }
    }

    mutating func create(
        _ name: String = "default", _ scheme: SchemeParameters = SchemeParameters(kind: .hash), replicas: Int? = 1,
        minInSync: Int? = nil, ack: Ack? = nil
    ) -> AdminAnswer? {
        let wish = KeyspaceWish(name: name, scheme: scheme, replicas: replicas, ack: ack, minInSync: minInSync)
        return admin(.createKeyspace(wish, plan: false))
    }
}
