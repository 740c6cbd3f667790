import ClusterModel
import DataCore
import Wire

/// One client of a run: it works through requests, follows MOVED, changes to another node when its connection breaks, and
/// writes down what it was told.
final class WorkloadClient {
    private struct Waiting {
        var request: Request
        var invoked: UInt64
        var sequence: Int
        var replies: [RESPValue] = []
        var wanted: Int
    }

    private unowned let world: World
    private unowned let workload: Workload
    private let number: Int
    private var chance: Chance
    private let port: PortKind
    /// Whether it lets secondaries answer: on the cluster port that has to be said.
    private let isReadonly: Bool
    /// Replies to READONLY that have not come.
    private var unasked = 0
    private var connection: ClientConnection?
    private var target: Address
    private var waiting: [Waiting] = []
    /// Refused with another address: to be tried there.
    private var moved: Request?
    /// To be sent on the connection that watches its key.
    private var guarded: Request?
    /// Requests sent so far.
    private var sent = 0
    private let longestPipeline: Int
    private let abandons: Double

    private let isImpatient: Bool
    /// ns a reply is waited for.
    private let patience: UInt64

    init(world: World, workload: Workload, number: Int, plan: FaultPlan) {
        self.world = world
        self.workload = workload
        self.number = number
        var chance = Chance(seed: plan.seed, stream: "client \(number)")
        port = chance.oneIn(3) ? .cluster : .gateway
        target = world.nodes[chance.below(world.nodes.count)].address(port)
        var pipelines = plan.chance(.pipelines)
        longestPipeline = plan.has(.pipelines) ? pipelines.between(2, 12) : 1
        abandons = plan.has(.abandon) ? 0.02 : 0
        var reads = Chance(seed: plan.seed, stream: "readonly \(number)")
        isReadonly = port == .cluster && reads.oneIn(2)
        isImpatient = plan.has(.impatience)
        patience =
            isImpatient
            ? chance.scaled(200_000_000, world.settings.leaseMillis * 2_000_000) : 8_000_000_000
        self.chance = chance
    }

    var isIdle: Bool { waiting.isEmpty && moved == nil && guarded == nil }

    func start() { world.after(chance.below(UInt64(20_000_000))) { [weak self] in self?.goOn() } }

    /// Begins what is to be done now, or looks again a little later.
    private func goOn() {
        guard waiting.isEmpty, guarded == nil else { return }
        var requests: [Request] = []
        if let again = moved {
            moved = nil
            requests = [again]
        } else {
            let count = longestPipeline > 1 && chance.oneIn(4) ? chance.between(2, longestPipeline) : 1
            while requests.count < count, let request = workload.next(&chance) {
                // Stock cluster clients keep a command to one slot.
                if port == .cluster, request.form == .multiple {
                    requests.append(Request(request.actions[0].key, request.actions[0].action))
                } else {
                    requests.append(request)
                }
                if request.form == .watched { break }
            }
            if requests.count > 1 { workload.count(.pipelines) }
        }
        guard !requests.isEmpty else {
            world.after(chance.between(5_000_000, 30_000_000)) { [weak self] in self?.goOn() }
            return
        }
        send(requests)
    }

    private func send(_ requests: [Request]) {
        let connection = self.connection ?? connect()
        let commands = requests.map(\.commands)
        waiting = requests.enumerated().map { index, request in
            Waiting(
                request: request, invoked: world.now, sequence: sent + index + 1, wanted: commands[index].count)
        }
        sent += requests.count
        connection.send(commands.flatMap { $0 })
        let invoked = world.now
        world.after(patience) { [weak self] in
            guard let self, let first = waiting.first, first.invoked == invoked else { return }
            if isImpatient { workload.count(.impatience) }
            lose()
        }
        if chance.hits(abandons) {
            workload.count(.abandon)
            world.after(chance.scaled(1000, 20_000_000)) { [weak self] in self?.lose() }
        }
    }

    private func connect() -> ClientConnection {
        let made = ClientConnection(world: world, from: "client", to: target)
        made.received = { [weak self] in self?.take($0) }
        made.ended = { [weak self] in self?.lose() }
        connection = made
        unasked = isReadonly ? 1 : 0
        if isReadonly { made.send([["READONLY"]]) }
        return made
    }

    /// The connection is of no more use: what was not answered may have happened or not; the next one goes elsewhere.
    private func lose() {
        connection?.close()
        connection = nil
        target = world.nodes[chance.below(world.nodes.count)].address(port)
        for entry in waiting { note(entry, nil) }
        waiting = []
        guarded = nil
        world.after(chance.between(1_000_000, 100_000_000)) { [weak self] in self?.goOn() }
    }

    private func take(_ reply: RESPValue) {
        if unasked > 0 {
            unasked -= 1
            return
        }
        guard !waiting.isEmpty else {
            return world.violate(.malformed, "client \(number) got a reply too many: \(reply)")
        }
        waiting[0].replies.append(reply)
        guard waiting[0].replies.count == waiting[0].wanted else { return }
        let entry = waiting.removeFirst()
        guard let outcomes = entry.request.outcomes(entry.replies) else {
            world.violate(.malformed, "client \(number) asked \(entry.request.actions) and got \(reply)")
            return lose()
        }
        // What a watch guards is good on its own connection alone.
        if entry.request.form != .guarded, let address = entry.replies.lazy.compactMap({ Request.moved($0) }).first {
            moved = entry.request
            target = address
        }
        note(entry, outcomes)
        guard waiting.isEmpty else { return }
        if moved == nil, entry.request.form == .watched, watch(entry) { return }
        if moved != nil {
            connection?.close()
            connection = nil
        }
        // A refusal is met again at once: a little patience.
        let isRefused = outcomes.contains(.refused)
        world.after(isRefused ? chance.between(1_000_000, 50_000_000) : 1000) { [weak self] in self?.goOn() }
    }

    /// The key's value was seen and is watched: a little later it is replaced, if nobody else did.
    private func watch(_ entry: Waiting) -> Bool {
        let key = entry.request.actions[0].key
        var seen: [UInt8]?
        if case .value(let value)? = entry.request.outcomes(entry.replies)?.first { seen = value }
        guard let next = entry.request.replacing(entry.replies, by: workload.replacement(of: key, seen: seen)) else {
            return false
        }
        guarded = next
        let watching = connection
        world.after(chance.scaled(1000, 30_000_000)) { [weak self] in
            guard let self, let next = guarded, watching === connection else { return }
            guarded = nil
            send([next])
        }
        return true
    }

    private func note(_ entry: Waiting, _ outcomes: [Operation.Outcome]?) {
        for (index, (key, action)) in entry.request.actions.enumerated() {
            var operation = Operation(
                client: number, action, invoked: entry.invoked, returned: world.now, outcomes?[index] ?? .unknown)
            operation.sequence = entry.sequence
            workload.note(operation, key: key)
            if operation.outcome == .refused, index == 0, moved == nil { workload.refused() }
            world.trace.note(world.now, 50, entry.invoked, "\(key): \(operation)")
        }
    }
}
