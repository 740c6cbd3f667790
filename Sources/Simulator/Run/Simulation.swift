import ClusterModel
import DataCore

/// One seed from its first event to its verdict: calm, trouble, healing, calm, and the judgement of what clients saw.
public final class Simulation {
    /// What a run is asked to do.
    public struct Wish: Sendable {
        public var seed: UInt64
        public var disabled: Set<FaultClass> = []
        /// What the run is to be, whatever the seed says.
        public var favour = Favour()
        /// Whether the run ends as soon as a law was broken.
        public var endsAtViolation = false
        /// Operations that clients begin.
        public var operations = 2000
        /// ns of trouble.
        public var trouble: UInt64 = 42_000_000_000
        /// ns that clients go on behind it.
        public var calm: UInt64 = 10_000_000_000

        public init(seed: UInt64) { self.seed = seed }

        /// Operations with an outcome that a run has at least which means something.
        fileprivate var least: Double { Double(operations) * 0.075 }
    }

    private let wish: Wish
    private let plan: FaultPlan
    private let world: World
    private let invariants: Invariants
    private let workload: Workload
    private let nemesis: Nemesis
    private var report: RunReport

    /// ns within which everything must work again once all trouble has ended (RULES I18).
    private static let healing: UInt64 = 20_000_000_000

    private init(_ wish: Wish, _ sink: ((String) -> Void)?) {
        self.wish = wish
        plan = FaultPlan(
            seed: wish.seed, disabled: wish.disabled.union(wish.favour.without), forced: Set(wish.favour.faults))
        var settings = WorldSettings(plan: plan)
        wish.favour.apply(to: &settings)
        world = World(settings, trace: Trace(sink: sink))
        world.endsAtViolation = wish.endsAtViolation
        invariants = Invariants(world: world)
        workload = Workload(world: world, plan: plan, operations: wish.operations)
        nemesis = Nemesis(world: world, plan: plan) { [world, workload] in
            Self.isSpent(wish, workload, now: world.now)
        }
        report = RunReport(seed: wish.seed)
    }

    /// ns without a single operation done, after which nothing new is begun until there is one: a cluster that never comes
    /// to its feet again has no protocol to be looked at.
    private static let breath: UInt64 = 5_000_000_000

    /// Whether clients get so little done that the run will mean nothing: for some time nothing at all, or, two thirds of
    /// the way on, less than the least share of it.
    private static func isSpent(_ wish: Wish, _ workload: Workload, now: UInt64) -> Bool {
        if now - workload.lastDone >= breath { return true }
        guard now > wish.trouble / 3 * 2 else { return false }
        let least = wish.least * Double(now) / Double(wish.trouble)
        return Double(min(workload.history.done, workload.history.reads * 4)) < least
    }

    /// Runs a seed.
    /// - Parameter sink: gets a line for each event.
    public static func run(_ wish: Wish, sink: ((String) -> Void)? = nil) -> RunReport {
        Simulation(wish, sink).run()
    }

    private func run() -> RunReport {
        if Operator(world).createKeyspace() {
            workload.start(until: world.now + wish.trouble + wish.calm)
            nemesis.begin()
            world.run(until: world.now + wish.trouble)
            nemesis.heal()
            world.run(until: world.now + wish.calm)
            workload.stop()
            if !world.isOver { settle() }
            if !world.isOver { judge() }
            if !world.isOver { judgeWalks() }
        } else {
            world.violate(.liveness, "the keyspace did not come to serve in a calm world")
        }
        fill()
        return report
    }

    /// All operations end, then every key is read.
    private func settle() {
        defer { if world.violations.contains(where: { $0.kind == .liveness }) { describeShards() } }
        if !world.run(for: Self.healing, until: { workload.isIdle }) {
            world.violate(.liveness, "operations do not end after all trouble ended")
        }
        Aftermath(world: world, healing: Self.healing).settle(keys: workload.keys) { key, operation in
            workload.history.add(operation, key: key)
        }
    }

    /// For whoever reads the trace: what became of each shard.
    private func describeShards() {
        for shard in world.map.shards {
            let members = shard.members.map(\.description).joined(separator: " ")
            let learners =
                shard.learners.isEmpty ? "" : " learners \(shard.learners.map(\.description).joined(separator: " "))"
            note("  shard \(shard.id) epoch \(shard.epoch): \(members)\(learners)")
            for node in world.nodes {
                node.process?.look { glance in
                    guard glance.shard == shard.id else { return }
                    note(
                        "    \(node.id)/\(glance.incarnation): epoch \(glance.epoch)\(glance.isPrimary ? " primary" : "")"
                            + "\(glance.isServing ? " serving" : "") last \(glance.last) durable \(glance.durable) commit "
                            + "\(glance.commit) applied \(glance.applied)")
                }
            }
        }
    }

    private func note(_ line: @autoclosure () -> String) { world.trace.note(world.now, 2, 0, line()) }

    /// I10 and I21, and with the last reads that nothing acknowledged is lost.
    private func judge() {
        let slack = plan.wallSlack
        for key in workload.history.keys {
            switch Linearizability.judge(workload.history.operations[key] ?? [], walls: slack) {
            case .linearizable: break
            case .undecided: report.undecided.append(key)
            case .violated(let operation):
                world.violate(.linearizability, "key \(key): no order explains \(operation)")
                for line in context(of: operation, key) { note(line) }
            }
        }
    }

    /// I13 and I14: of walks over the keyspace.
    private func judgeWalks() {
        for walk in workload.walks {
            if let problem = walk.problem(workload.history.operations) { world.violate(.walk, problem) }
        }
    }

    /// What happened to the key before and during an operation.
    private func context(of operation: Operation, _ key: String) -> [String] {
        let all = (workload.history.operations[key] ?? []).filter {
            $0.invoked <= operation.returned && $0.outcome != .refused
        }.sorted { ($0.invoked, $0.client) < ($1.invoked, $1.client) }
        return all.suffix(24).map { "  \(key): \($0)" }
    }

    private func fill() {
        let history = workload.history
        report.violations = world.violations
        report.faults = plan.classes
        report.hash = world.trace.hash
        report.events = world.trace.events
        report.done = history.done
        report.refused = history.refused
        report.unknown = history.unknown
        report.reads = history.reads
        report.walks = workload.walks.count
        report.troubles = nemesis.total
        report.fired = nemesis.counts.merging(workload.counts) { $0 + $1 }
        report.time = world.now
        let least = Int(wish.least)
        if history.done < least { report.vacuous.append("operations with an outcome (\(history.done) of \(least))") }
        if history.reads < least / 4 { report.vacuous.append("reads (\(history.reads) of \(least / 4))") }
        if workload.walks.isEmpty { report.vacuous.append("walks over the keyspace") }
        if world.now < wish.trouble + wish.calm { report.vacuous.append("seconds") }
        if nemesis.total * 2 < plan.classes.count { report.vacuous.append("troubles (\(nemesis.total))") }
    }
}
