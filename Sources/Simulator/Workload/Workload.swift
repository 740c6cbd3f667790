import ClusterModel

/// What clients do in a run: which keys there are, what is asked of them, how fast.
final class Workload {
    private unowned let world: World
    private let plan: FaultPlan
    private var chance: Chance
    private var clients: [WorkloadClient] = []
    private let registers: [String]
    private let counters: [String]
    private let lists: [String]
    private let hotKey: String?
    private let bigValues: Bool
    private var nextValue = 0
    var history = History()

    /// Operations to begin in all, and the time in which they are spread (ns).
    private let operations: Int
    private var begin: UInt64 = 0
    private var end: UInt64 = 0
    private(set) var issued = 0
    private var isOver = false

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
    }

    var keys: [String] { registers + counters + lists }

    /// Clients begin now and are done with all operations about at `end`.
    func start(until end: UInt64) {
        begin = world.now
        self.end = end
        for number in 0..<chance.between(4, 12) {
            let client = WorkloadClient(world: world, workload: self, number: number, plan: plan)
            clients.append(client)
            client.start()
        }
    }

    /// One that was begun was refused: it is asked again in its place, within bounds.
    func refused() {
        guard history.refused < operations * 2 else { return }
        issued -= 1
    }

    /// Nothing new is begun.
    func stop() { isOver = true }

    /// Whether every client has its replies, or knows that it gets none.
    var isIdle: Bool { clients.allSatisfy(\.isIdle) }

    /// How many operations may be begun by now, ahead of which nobody runs.
    private var due: Int {
        guard world.now < end else { return operations }
        return Int(Double(operations) * Double(world.now - begin) / Double(end - begin))
    }

    /// Something to do, if it is time.
    func next(_ chance: inout Chance) -> Request? {
        guard !isOver, issued < due else { return nil }
        issued += 1
        let key = hotKey.flatMap { chance.oneIn(2) ? $0 : nil } ?? pickKey(&chance)
        switch key.utf8.first {
        case UInt8(ascii: "c"): return counterRequest(key, &chance)
        case UInt8(ascii: "a"): return listRequest(key, &chance)
        default: return registerRequest(key, &chance)
        }
    }

    private func pickKey(_ chance: inout Chance) -> String {
        switch chance.below(10) {
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
            bytes += [UInt8](repeating: 0x78, count: Int(chance.scaled(1 << 12, 1 << 20)))
        }
        return bytes
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
        // One step for each counter: then counts of unknown outcome are alike to the judge.
        default: Request(key, .increment(Int64(key.utf8.count > 1 && key.hasSuffix("1") ? 7 : 1)))
        }
    }

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
