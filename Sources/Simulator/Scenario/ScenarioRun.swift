import ClusterModel
import DataCore

extension Scenario {
    /// Runs one of its orders.
    /// - Parameter sink: gets a line for each event.
    /// - Returns: what was not as it should be.
    public func run(_ order: Int, sink: ((String) -> Void)? = nil) -> [Violation] {
        let lines = prologue + (orders.isEmpty ? [] : orders[order].lines)
        return ScenarioRun(world, lines, sink).run()
    }
}

/// One order of a scenario in its world.
final class ScenarioRun {
    let world: World
    private let lines: [Scenario.Line]
    private let invariants: Invariants
    private lazy var keeper = Operator(world)
    private var clients: [String: ScenarioClient] = [:]
    private var history = History()
    /// What the parts are called.
    private var parts: [String: Machine] = [:]

    enum Machine {
        case data(Int)
        case meta(Int)
    }

    /// ns that a reply is waited for.
    private static let patience: UInt64 = 20_000_000_000
    /// How far walls may be off that are believed all the same, as of a machine alone or one of two.
    private static let walls = WallSlack(behind: 10_000, ahead: 10_000)

    init(_ settings: WorldSettings, _ lines: [Scenario.Line], _ sink: ((String) -> Void)?) {
        world = World(settings, trace: Trace(sink: sink))
        world.endsAtViolation = true
        invariants = Invariants(world: world)
        self.lines = lines
    }

    func run() -> [Violation] {
        guard keeper.createKeyspace(), nameParts() else {
            if world.violations.isEmpty {
                world.violate(.liveness, "the keyspace did not come to serve in a calm world")
            }
            return world.violations
        }
        for line in lines where !world.isOver {
            world.trace.note(world.now, 70, UInt64(line.number), "line \(line.number): \(line.text)")
            do {
                try carryOut(line)
            } catch {
                world.violate(.expectation, "\(error)")
            }
        }
        if !world.isOver { end() }
        return world.violations
    }

    /// The parts of the machines at the beginning.
    private func nameParts() -> Bool {
        for index in world.nodes.indices { parts[world.nodes[index].id.rawValue] = .data(index) }
        for index in world.metas.indices { parts[world.metas[index].name] = .meta(index) }
        guard let shard = world.map.shards.first, let primary = shard.primary else { return false }
        func index(_ node: NodeID) -> Int { world.index(of: node) ?? 0 }
        parts["P"] = .data(index(primary.node))
        for (place, member) in shard.members.dropFirst().enumerated() {
            parts["S\(place + 1)"] = .data(index(member.node))
        }
        let others = world.nodes.indices.filter { shard.replica(on: world.nodes[$0].id) == nil }
        for (place, node) in others.enumerated() { parts["X\(place + 1)"] = .data(node) }
        for index in world.metas.indices { parts[world.metas[index].isPrimary ? "M" : "N"] = .meta(index) }
        return true
    }

    // MARK: Names

    /// Why a line cannot be carried out, or what it found.
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    private func machine(_ name: String) throws(Failure) -> Machine {
        guard let machine = parts[name] else { throw Failure(description: "there is no machine \(name)") }
        return machine
    }

    func data(_ name: String) throws(Failure) -> DataMachine {
        guard case .data(let index) = try machine(name) else { throw Failure(description: "\(name) is no data node") }
        return world.nodes[index]
    }

    func meta(_ name: String) throws(Failure) -> MetaMachine {
        guard case .meta(let index) = try machine(name) else { throw Failure(description: "\(name) is no metasrv") }
        return world.metas[index]
    }

    /// Hosts that a name means.
    private func hosts(_ name: String) throws(Failure) -> [Int] {
        if name == "*" { return world.nodes.map(\.host) + world.metas.map(\.host) }
        if name == "client" { return [world.addClientHost("client")] }
        switch try machine(name) {
        case .data(let index): return [world.nodes[index].host]
        case .meta(let index): return [world.metas[index].host]
        }
    }

    /// The host of a name; nil = any.
    func end(_ name: String) throws(Failure) -> Int? { name == "*" ? nil : try hosts(name).first }

    func shard() throws(Failure) -> ShardConfiguration {
        guard let shard = world.map.shards.first else { throw Failure(description: "there is no shard") }
        return shard
    }

    // MARK: Statements

    private func carryOut(_ line: Scenario.Line) throws(Failure) {
        do {
            try carryOut(line.statement)
        } catch {
            throw Failure(description: "line \(line.number), '\(line.text)': \(error)")
        }
    }

    private func carryOut(_ statement: Scenario.Statement) throws(Failure) {
        switch statement {
        case .send(let name, let node, let words): client(name).send(words, to: try data(node).index)
        case .reply(let name, let wanted): try awaitReply(name, wanted)
        case .silent(let name, let time):
            if world.run(for: time, until: { self.client(name).hasReply }) {
                throw Failure(description: "\(name) got \(client(name).reply()?.plain ?? "")")
            }
        case .hold, .deliver, .cut, .open: try network(statement)
        case .pause, .stall, .clock, .wall, .kill, .leave, .power, .start: try process(statement)
        case .rot, .save, .restore, .copy, .fill, .failSync, .mend, .sync, .store: try disk(statement)
        case .handOver(let name): try handOver(name)
        case .set(let key, let value): try set(key, value)
        case .run(let time): world.run(until: world.now + time)
        case .await(let condition, let limit):
            var problem: Failure?
            let isMet = world.run(for: limit) {
                do throws(Failure) {
                    return try self.holds(condition)
                } catch {
                    problem = error
                    return true
                }
            }
            if let problem { throw problem }
            guard isMet || world.isOver else { throw Failure(description: "it did not come to that in time") }
        case .expect(let condition):
            guard try holds(condition) else { throw Failure(description: "it is not so") }
        }
    }

    private func client(_ name: String) -> ScenarioClient {
        if let known = clients[name] { return known }
        let made = ScenarioClient(world: world, name: name, number: clients.count) { [unowned self] key, operation in
            history.add(operation, key: key)
            world.trace.note(world.now, 50, operation.invoked, "\(key): \(operation)")
        }
        clients[name] = made
        return made
    }

    private func awaitReply(_ name: String, _ wanted: String) throws(Failure) {
        let client = client(name)
        let isThere = world.run(for: Self.patience) { client.hasReply || client.isClosed }
        guard !world.isOver else { return }
        guard isThere else { throw Failure(description: "no reply came") }
        guard let reply = client.reply() else {
            guard wanted == "closed" else { throw Failure(description: "the connection broke") }
            return
        }
        let isAsWanted =
            wanted.hasSuffix("*") ? reply.plain.hasPrefix(wanted.dropLast()) : reply.plain == wanted
        if !isAsWanted { throw Failure(description: "the reply was \(reply.plain)") }
    }

    private func network(_ statement: Scenario.Statement) throws(Failure) {
        switch statement {
        case .hold(let way, let message, let isLost):
            world.network.hold(Hold(from: try end(way.from), to: try end(way.to), message: message, isLost: isLost))
        case .deliver(let way): world.network.endHolds(try end(way.from), try end(way.to))
        case .cut(let way): try set(way, isCut: true)
        case .open(let way?): try set(way, isCut: false)
        case .open(nil): world.network.openAll()
        default: break
        }
    }

    private func set(_ way: Scenario.Way, isCut: Bool) throws(Failure) {
        for from in try hosts(way.from) {
            for to in try hosts(way.to) where from != to {
                world.network.setCut(from, to, isCut)
                if way.isBoth { world.network.setCut(to, from, isCut) }
            }
        }
    }

    private func process(_ statement: Scenario.Statement) throws(Failure) {
        switch statement {
        case .pause(let name, let time):
            switch try machine(name) {
            case .data(let index): world.nodes[index].pause(time, inTurn: false)
            case .meta(let index): world.metas[index].pausedUntil = world.now + time
            }
        case .stall(let name, let time): try data(name).stall(time)
        case .clock(let name, let rate): try data(name).clock.setRate(rate, at: world.now)
        case .wall(let name, let offset): try data(name).clock.wallOffset = offset
        case .kill(let name): try stop(name, byPower: false)
        case .leave(let name): try data(name).leave()
        case .power(let name): try stop(name, byPower: true)
        case .start(let name):
            switch try machine(name) {
            case .data(let index): world.nodes[index].powerUp()
            case .meta(let index): world.metas[index].powerUp()
            }
        default: break
        }
    }

    private func disk(_ statement: Scenario.Statement) throws(Failure) {
        switch statement {
        case .save(let name): try halted(name).disk.save()
        case .copy(let name, let twin): try halted(twin).becomeTwin(of: data(name))
        case .restore(let name):
            let node = try halted(name)
            guard node.comeBackOld() else { throw Failure(description: "nothing of \(name) was saved") }
        case .rot(let name, let isFirstAlone):
            guard try halted(name).disk.log.rot(of: try shard().id, firstAlone: isFirstAlone) > 0 else {
                throw Failure(description: "nothing that a later batch vouches for tells of the shard")
            }
        case .fill(let name, let bytes): try data(name).disk.space.fill(leaving: bytes)
        case .failSync(let name): try data(name).disk.failsNextSync = true
        case .mend(let name): try data(name).disk.mend()
        case .sync(let name, let time): try data(name).syncDelay = time...time
        case .store(let name, let time): try data(name).storeDelay = time...time
        default: break
        }
    }

    /// A machine whose disk can be touched.
    private func halted(_ name: String) throws(Failure) -> DataMachine {
        let node = try data(name)
        guard !node.isUp else { throw Failure(description: "\(name) runs") }
        return node
    }

    private func stop(_ name: String, byPower: Bool) throws(Failure) {
        switch try machine(name) {
        case .data(let index): world.nodes[index].stop(byPower: byPower, keeps: false)
        case .meta(let index): world.metas[index].stop(byPower: byPower)
        }
    }

    /// What an operator asks; its answer is not waited for.
    private func handOver(_ name: String) throws(Failure) {
        let shard = try shard()
        let id = try data(name).id
        guard let target = shard.member(on: id) else { throw Failure(description: "\(name) is no member") }
        keeper.reconfigure(shard, members: [target] + shard.members.filter { $0 != target }) { _ in }
    }

    private func set(_ key: String, _ value: String) throws(Failure) {
        let name = world.settings.keyspace.name
        let answer = keeper.wait { self.keeper.ask(.setKeyspace(name: name, settings: [key: value], plan: false), $0) }
        guard case .done = answer else {
            throw Failure(description: "the answer was \(answer.map { "\($0)" } ?? "none")")
        }
    }

    // MARK: The end

    /// Everything is healed; what clients wait for ends; then it is judged.
    private func end() {
        world.trace.note(world.now, 60, 0, "the script has ended")
        world.network.endAllHolds()
        world.network.openAll()
        for meta in world.metas {
            meta.pausedUntil = min(meta.pausedUntil, world.now)
            meta.powerUp()
        }
        for node in world.nodes {
            node.pausedUntil = min(node.pausedUntil, world.now)
            node.syncDelay = world.settings.syncDelay
            node.storeDelay = world.settings.storeDelay
            node.disk.mend()
            node.powerUp()
        }
        world.run(until: world.now + 1_000_000_000)
        for name in clients.keys.sorted() { clients[name]?.end() }
        Aftermath(world: world, healing: Self.patience).settle(keys: history.keys) { [unowned self] key, operation in
            history.add(operation, key: key)
        }
        for key in history.keys where !world.isOver {
            if case .violated(let operation) = Linearizability.judge(history.operations[key] ?? [], walls: Self.walls) {
                world.violate(.linearizability, "key \(key): no order explains \(operation)")
            }
        }
    }
}
