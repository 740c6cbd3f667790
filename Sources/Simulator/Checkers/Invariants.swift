import ClusterModel
import DataCore
import MetaCore

/// What must hold at every moment, looked at after each turn of a data node and each entry of the shared log.
final class Invariants {
    private unowned let world: World
    private let ledger: RecordLedger
    private let bounds: MemoryBounds
    /// Which node serves a shard, and in which epoch.
    private var serving: [ShardID: (node: Int, boot: BootNonce, epoch: Epoch)] = [:]
    /// The epoch each replica was seen in last.
    private var seen: [Replica: Epoch] = [:]
    /// The highest epoch a replica served in: what it only promised may be lost with the power (RULES C3).
    private var epochs: [Replica: Epoch] = [:]
    private var commits: [Replica: (boot: BootNonce, seq: Seq, ledIn: Epoch)] = [:]
    /// What the last look at each node showed: the same again says nothing new.
    private var looks: [Look]
    /// How often another replica began to serve a shard, and how many laws were broken.
    private var handovers = 0
    private var broken = 0

    private struct Look {
        var boot: BootNonce?
        var rewinds = 0
        var handovers = 0
        /// By their place in the look; nil = to be judged again.
        var glances: [ReplicaGlance?] = []
    }

    private struct Replica: Hashable {
        var node: Int
        var shard: ShardID
        var incarnation: Incarnation
        /// A node with an older directory knows nothing of what it was since.
        var rewinds: Int
    }

    init(world: World) {
        self.world = world
        ledger = RecordLedger(world: world)
        bounds = MemoryBounds(world: world)
        looks = [Look](repeating: Look(), count: world.nodes.count)
        world.watch { [unowned self] process in
            look(at: process)
            bounds.look(at: process)
        }
        world.ledger = ledger
    }

    private func look(at process: DataProcess) {
        let node = process.machine.index
        let rewinds = ledger.rewinds[node, default: 0]
        if looks[node].boot != process.boot || looks[node].rewinds != rewinds || looks[node].handovers != handovers {
            looks[node] = Look(boot: process.boot, rewinds: rewinds, handovers: handovers)
        }
        var place = 0
        process.look { glance in
            // All that is judged follows from the glance, from what it was before, and from who serves.
            if !isKnown(glance, node, place) {
                let before = broken
                judge(glance, process, rewinds)
                looks[node].glances[place] = broken == before ? glance : nil
            }
            place += 1
        }
        if place < looks[node].glances.count { looks[node].glances.removeSubrange(place...) }
    }

    /// Whether the last look at a node showed this at the same place, and no law was broken then.
    private func isKnown(_ glance: ReplicaGlance, _ node: Int, _ place: Int) -> Bool {
        if place < looks[node].glances.count { return looks[node].glances[place] == glance }
        looks[node].glances.append(nil)
        return false
    }

    private func judge(_ glance: ReplicaGlance, _ process: DataProcess, _ rewinds: Int) {
        let replica = Replica(
            node: process.machine.index, shard: glance.shard, incarnation: glance.incarnation, rewinds: rewinds)
        checkServing(glance, process)
        checkKnown(glance, replica, process)
        if glance.epoch < epochs[replica, default: .none] {
            violate("I2: \(process.machine.id) fell to epoch \(glance.epoch) of shard \(glance.shard)")
        }
        if glance.isServing { epochs[replica] = glance.epoch }
        if glance.commit > glance.last || glance.applied > glance.commit || glance.durable > glance.last {
            violate("I8: \(process.machine.id) shard \(glance.shard): \(glance)")
        }
        checkCommit(glance, replica, process)
    }

    /// I1: at most one process passes the serve check.
    private func checkServing(_ glance: ReplicaGlance, _ process: DataProcess) {
        guard glance.isServing else { return }
        let known = serving[glance.shard]
        guard known?.boot != process.boot || known?.epoch != glance.epoch else { return }
        if let start = ledger.start(glance.shard, glance.epoch), glance.commit < start {
            violate(
                "C2: \(process.machine.id) serves shard \(glance.shard) in epoch \(glance.epoch), whose first record is "
                    + "not committed")
        }
        if let known, let other = world.nodes[known.node].process, other.boot == known.boot, other !== process,
            other.serves(glance.shard, at: world.now + process.spent)
        {
            violate("I1: \(process.machine.id) and \(other.machine.id) both serve shard \(glance.shard)")
        }
        serving[glance.shard] = (process.machine.index, process.boot, glance.epoch)
        handovers += 1
    }

    /// I5: nobody acts in a configuration that no entry of the shared log has.
    private func checkKnown(_ glance: ReplicaGlance, _ replica: Replica, _ process: DataProcess) {
        guard seen[replica] != glance.epoch else { return }
        seen[replica] = glance.epoch
        if world.map.configuration(glance.shard, glance.epoch) == nil {
            violate(
                "I5: \(process.machine.id) acts in epoch \(glance.epoch) of shard \(glance.shard), of which the shared log "
                    + "knows nothing")
        }
    }

    /// I8: within a life of the process commits only rise, and what is committed is the same record everywhere.
    private func checkCommit(_ glance: ReplicaGlance, _ replica: Replica, _ process: DataProcess) {
        let known = commits[replica]
        let leads = glance.isPrimary ? glance.epoch : Epoch.none
        let isNew = known?.boot != process.boot || known?.seq != glance.commit
        guard isNew || known?.ledIn != leads else { return }
        if let known, known.boot == process.boot, glance.commit < known.seq {
            violate("I8: \(process.machine.id) took back commits of shard \(glance.shard) above \(glance.commit)")
        }
        let from = known?.boot == process.boot ? known?.seq ?? .zero : .zero
        // C8: a primary commits records of earlier epochs with the first one of its own.
        if let known, known.boot == process.boot, known.ledIn == glance.epoch, glance.isPrimary,
            let start = ledger.start(glance.shard, glance.epoch), glance.commit < start
        {
            violate(
                "C8: \(process.machine.id) commits record \(glance.commit) of shard \(glance.shard) in epoch "
                    + "\(glance.epoch), whose first record \(start) is not committed")
        }
        commits[replica] = (process.boot, glance.commit, leads)
        guard isNew else { return }
        ledger.committed(glance.shard, node: replica.node, from: from, through: glance.commit)
        if glance.isPrimary { checkDurable(glance, process) }
    }

    /// I6, I9: what the primary calls committed is on the disk of every member that its policy counts.
    private func checkDurable(_ glance: ReplicaGlance, _ process: DataProcess) {
        // What came before the first record of an epoch was committed by the policy of the one before, in this very turn.
        let isOfEpoch = ledger.start(glance.shard, glance.epoch).map { glance.commit >= $0 } ?? false
        let epoch = isOfEpoch ? glance.epoch : Epoch(rawValue: max(glance.epoch.rawValue, 1) - 1)
        guard let configuration = world.map.configuration(glance.shard, epoch) else { return }
        let holders = configuration.members.count { member in
            guard let node = world.index(of: member.node) else { return false }
            // One whose life has ended since had it when it said so.
            return ledger.hasEnded(glance.shard, member)
                || ledger.holds(glance.shard, glance.commit, node: node, as: process.machine.index)
        }
        let needed = configuration.policy.ack.needed(of: configuration.members.count)
        if holders < needed {
            violate(
                "I9: \(process.machine.id) commits record \(glance.commit) of shard \(glance.shard) in epoch "
                    + "\(glance.epoch), which \(holders) of \(configuration.members.count) members hold durably")
        }
    }

    private func violate(_ text: String) {
        broken += 1
        world.violate(.invariant, text)
    }
}

extension DataProcess {
    func serves(_ shard: ShardID, at time: UInt64) -> Bool {
        var isServing = false
        look(at: time) { if $0.shard == shard, $0.isServing { isServing = true } }
        return isServing
    }
}
