import ClusterModel

/// What clients do in a run: which keys there are, what is asked of them, how fast.
final class Workload {
    private unowned let world: World
    private let plan: FaultPlan
    private var chance: Chance
    private var clients: [WorkloadClient] = []
    private lazy var walker = KeyspaceWalker(world: world, workload: self, seed: plan.seed)
    private let registers: [String]
    private let counters: [String]
    private let lists: [String]
    private let timers: [String]
    private let hotKey: String?
    private let bigValues: Bool
    private var nextValue = 0
    var history = History()
    /// How often there was trouble of each kind that clients make.
    private(set) var counts: [FaultClass: Int] = [:]

    /// Operations to begin in all, and the time in which they are spread (ns).
    private let operations: Int
    private var begin: UInt64 = 0
    private var end: UInt64 = 0
    private(set) var issued = 0
    /// When an operation was done last, ns; neither refused nor of unknown outcome.
    private(set) var lastDone: UInt64 = 0
    private(set) var isOver = false

    init(world: World, plan: FaultPlan, operations: Int) {
        self.world = world
        self.plan = plan
        self.operations = operations
        chance = Chance(seed: plan.seed, stream: "workload")
        registers = (0..<chance.between(4, 24)).map { "r\($0)" }
        counters = (0..<chance.between(2, 6)).map { "c\($0)" }
        lists = (0..<chance.between(2, 6)).map { "a\($0)" }
        var hot = plan.chance(.hotKey)
        hotKey = plan.has(.hotKey) ? hot.pick([registers[0], counters[0]]) : nil
        bigValues = plan.has(.bigValues)
        var timed = plan.chance(.deadlines)
        timers = plan.has(.deadlines) ? (0..<timed.between(1, 4)).map { "t\($0)" } : []
    }

    var keys: [String] { registers + counters + lists + timers }

    func count(_ fault: FaultClass) { counts[fault, default: 0] += 1 }

    /// Clients begin now and are done with all operations about at `end`.
    func start(until end: UInt64) {
        begin = world.now
        lastDone = world.now
        self.end = end
        for number in 0..<chance.between(4, 12) {
            let client = WorkloadClient(world: world, workload: self, number: number, plan: plan)
            clients.append(client)
            client.start()
        }
        walker.start()
    }

    /// One that was begun was refused: it is asked again in its place, within bounds.
    func refused() {
        guard history.refused < operations * 2 else { return }
        issued -= 1
    }

    /// The outcome of an operation is known, or never will be.
    func note(_ operation: Operation, key: String) {
        let known = history.done
        history.add(operation, key: key)
        if history.done > known { lastDone = world.now }
    }

    /// Nothing new is begun.
    func stop() { isOver = true }

    /// Whether every client has its replies, or knows that it gets none.
    var isIdle: Bool { clients.allSatisfy(\.isIdle) && walker.isIdle }

    /// Looks at the whole keyspace that came to their end.
    var walks: [KeyspaceWalk] { walker.walks }

    /// How many operations may be begun by now, ahead of which nobody runs.
    private var due: Int {
        guard world.now < end else { return operations }
        return Int(Double(operations) * Double(world.now - begin) / Double(end - begin))
    }

    /// Something to do, if it is time.
    func next(_ chance: inout Chance) -> Request? {
        guard !isOver, issued < due else { return nil }
        issued += 1
        let isHot = hotKey != nil && chance.oneIn(2)
        if isHot { count(.hotKey) }
        let key = isHot ? hotKey ?? registers[0] : pickKey(&chance)
        if plan.has(.watches), key.utf8.first != UInt8(ascii: "a"), chance.oneIn(6) {
            return watchingRequest(key, &chance)
        }
        switch key.utf8.first {
        case UInt8(ascii: "c"): return counterRequest(key, &chance)
        case UInt8(ascii: "a"): return listRequest(key, &chance)
        case UInt8(ascii: "t"): return timedRequest(key, &chance)
        default: return registerRequest(key, &chance)
        }
    }

    private func pickKey(_ chance: inout Chance) -> String {
        if !timers.isEmpty, chance.oneIn(5) { return chance.pick(timers) }
        return switch chance.below(10) {
        case 0, 1: chance.pick(counters)
        case 2: chance.pick(lists)
        default: chance.pick(registers)
        }
    }

    /// A value that nobody else writes.
    private func value(_ chance: inout Chance) -> [UInt8] {
        nextValue += 1
        var bytes = Array("v\(nextValue)".utf8)
        if bigValues, chance.oneIn(200) {
            count(.bigValues)
            bytes += [UInt8](repeating: 0x78, count: Int(chance.scaled(1 << 12, 1 << 20)))
        }
        return bytes
    }

    /// What a client that watched a key sets it to.
    func replacement(of key: String, seen: [UInt8]?) -> [UInt8] {
        guard key.utf8.first == UInt8(ascii: "c") else {
            nextValue += 1
            return Array("v\(nextValue)".utf8)
        }
        return Array("\((Int64(String(decoding: seen ?? [48], as: UTF8.self)) ?? 0) + 100)".utf8)
    }

    private func watchingRequest(_ key: String, _ chance: inout Chance) -> Request {
        count(.watches)
        if key.utf8.first == UInt8(ascii: "c"), chance.oneIn(2) {
            return Request(key, .increment(2 * Self.step(of: key)), form: .twice)
        }
        return Request(key, .get, form: .watched)
    }

    /// Deadlines from soon to never within the run, in ms since 1970.
    private func timedRequest(_ key: String, _ chance: inout Chance) -> Request {
        func deadline() -> Int64 {
            count(.deadlines)
            return MachineClock.epoch + Int64(world.now / 1_000_000 + chance.scaled(20, 20_000))
        }
        switch chance.below(12) {
        case 0..<4: return Request(key, .get)
        case 4, 5: return Request(key, .setUntil(value(&chance), deadline()))
        case 6: return Request(key, .set(value(&chance)))
        case 7: return Request(key, .expire(at: deadline()))
        case 8: return Request(key, .persist)
        case 9: return Request(key, .deadline)
        case 10: return Request(key, .setIfAbsent(value(&chance)))
        default: return chance.oneIn(2) ? Request(key, .delete) : Request(key, .exists)
        }
    }

    private func registerRequest(_ key: String, _ chance: inout Chance) -> Request {
        switch chance.below(20) {
        case 0..<8: return Request(key, .get)
        case 8..<14: return Request(key, .set(value(&chance)))
        case 14: return Request(key, .delete)
        case 15: return Request(key, .setIfAbsent(value(&chance)))
        case 16: return Request(key, .exchange(value(&chance)))
        case 17: return Request(key, .exchange(value(&chance)), form: .transaction)
        case 18: return chance.oneIn(2) ? Request(key, .getAndDelete) : Request(key, .exists)
        default:
            let others = registers.filter { $0 != key }
            let isWrite = chance.oneIn(2)
            var keys = [key]
            if !others.isEmpty { keys.append(chance.pick(others)) }
            return Request(multiple: keys.map { ($0, isWrite ? .set(value(&chance)) : .get) })
        }
    }

    private func counterRequest(_ key: String, _ chance: inout Chance) -> Request {
        switch chance.below(10) {
        case 0..<4: Request(key, .get)
        case 9: chance.oneIn(4) ? Request(key, .delete) : Request(key, .exists)
        default: Request(key, .increment(Self.step(of: key)))
        }
    }

    /// One for each counter: then counts of unknown outcome are alike to the judge.
    private static func step(of key: String) -> Int64 { key.hasSuffix("1") ? 7 : 1 }

    private func listRequest(_ key: String, _ chance: inout Chance) -> Request {
        switch chance.below(10) {
        case 0..<5: return Request(key, .get)
        case 5: return Request(key, .getAndDelete)
        default:
            nextValue += 1
            return Request(key, .append(Array("\(nextValue),".utf8)))
        }
    }
}
