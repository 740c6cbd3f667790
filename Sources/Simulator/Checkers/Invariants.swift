import ClusterModel
import DataCore
import MetaCore

/// What must hold at every moment, looked at after each turn of a data node and each entry of the shared log.
final class Invariants {
    private unowned let world: World
    private let ledger: RecordLedger
    /// Which node serves a shard, and in which epoch.
    private var serving: [ShardID: (node: Int, boot: BootNonce)] = [:]
    /// The highest epoch a replica served in: what it only promised may be lost with the power (RULES C3).
    private var epochs: [Replica: Epoch] = [:]
    private var commits: [Replica: (boot: BootNonce, seq: Seq)] = [:]

    private struct Replica: Hashable {
        var node: Int
        var shard: ShardID
        var incarnation: Incarnation
    }

    init(world: World) {
        self.world = world
        ledger = RecordLedger(world: world)
        world.watch { [unowned self] process in look(at: process) }
        world.ledger = ledger
    }

    private func look(at process: DataProcess) {
        let node = process.machine.index
        process.node.glance(now: process.now) { glance in
            let replica = Replica(node: node, shard: glance.shard, incarnation: glance.incarnation)
            checkServing(glance, process)
            if glance.epoch < epochs[replica, default: .none] {
                violate("I2: \(process.machine.id) fell to epoch \(glance.epoch) of shard \(glance.shard)")
            }
            if glance.isServing { epochs[replica] = glance.epoch }
            if glance.commit > glance.last || glance.applied > glance.commit || glance.durable > glance.last {
                violate("I8: \(process.machine.id) shard \(glance.shard): \(glance)")
            }
            checkCommit(glance, replica, process)
        }
    }

    /// I1: at most one process passes the serve check.
    private func checkServing(_ glance: ReplicaGlance, _ process: DataProcess) {
        let known = serving[glance.shard]
        let isKnown = known?.boot == process.boot
        guard glance.isServing != isKnown else { return }
        guard glance.isServing else {
            serving[glance.shard] = nil
            return
        }
        if let known, known.boot != process.boot, let other = world.nodes[known.node].process,
            other.boot == known.boot, other.serves(glance.shard)
        {
            violate("I1: \(process.machine.id) and \(other.machine.id) both serve shard \(glance.shard)")
        }
        serving[glance.shard] = (process.machine.index, process.boot)
    }

    /// I8: within a life of the process commits only rise, and what is committed is the same record everywhere.
    private func checkCommit(_ glance: ReplicaGlance, _ replica: Replica, _ process: DataProcess) {
        let known = commits[replica]
        guard known?.boot != process.boot || known?.seq != glance.commit else { return }
        if let known, known.boot == process.boot, glance.commit < known.seq {
            violate("I8: \(process.machine.id) took back commits of shard \(glance.shard) above \(glance.commit)")
        }
        let from = known?.boot == process.boot ? known?.seq ?? .zero : .zero
        commits[replica] = (process.boot, glance.commit)
        ledger.committed(glance.shard, node: replica.node, from: from, through: glance.commit)
    }

    private func violate(_ text: String) { world.violate(.invariant, text) }
}

extension DataProcess {
    func serves(_ shard: ShardID) -> Bool {
        var isServing = false
        node.glance(now: now) { if $0.shard == shard, $0.isServing { isServing = true } }
        return isServing
    }
}
