import ClusterModel
import DataCore

// What the checkers are told of it.
extension DataProcess {
    /// The ledger is told in which epochs its replicas give their primaries a word.
    func noteAnswers(_ batch: ReplicaBatch) {
        guard let ledger = world.ledger else { return }
        var cursor = ReplicaCursor(batch.bytes.view)
        while let (kind, body) = cursor.next() {
            switch kind {
            case .grant:
                for shard in ReplicaGrant(decoding: body)?.shards ?? [] {
                    ledger.answered(shard.shard, shard.incarnation, node: machine.index, in: shard.epoch)
                }
            case .reconciled:
                guard let word = ReconcileAnswer(decoding: body)?.reconciled else { continue }
                ledger.answered(word.shard, word.incarnation, node: machine.index, in: word.epoch)
            default: continue
            }
        }
    }

    /// C4: who asks to take over knows that the primary does not serve, where that one needs every grant: its own has
    /// lapsed.
    func checkTakeover(_ request: ReconfigureRequest) {
        let wished = request.configuration
        guard let current = world.map.configuration(wished.id, request.expected), let former = current.primary?.node,
            current.policy.ack == .all, former != machine.id, wished.primary?.node == machine.id,
            asked.insert(wished.proposal.request).inserted,
            let other = world.nodes.first(where: { $0.id == former })?.process
        else { return }
        other.look(at: world.now + spent) { glance in
            guard glance.shard == wished.id, glance.epoch == current.epoch, glance.isServing else { return }
            world.violate(
                .invariant, "C4: \(machine.id) asks to take over shard \(wished.id) from \(former), which serves")
        }
    }

    /// Whether its log holds what is in no store, though the metadata group has accepted it: else nobody tells it what is
    /// committed.
    var hasBacklog: Bool { node.isReady && !applier.isIdle }
    /// What the oldest batch of it waits for.
    var awaited: [CommitMark] { applier.awaited }

    /// What it keeps that nobody needs any more, once all is quiet (RULES I17): the store of a copy that is none, parts of
    /// commands that were answered.
    var leak: String? {
        guard node.isReady else { return nil }
        for store in disk.storeIDs {
            let replica = world.map.shards.first { $0.id == store.shard }?.replica(on: machine.id)
            if replica?.incarnation != store.incarnation { return "store \(store), which is no copy" }
        }
        return node.underWay.first.map { "\($0.count) \($0.kind)" }
    }

    /// Bytes that wait for its stores, and at most for the way to another node.
    var backlogBytes: Int { node.backlogBytes }
    var mostOnAWay: Int { peers.mostOnAWay }

    func noteSynced(_ batch: LogBatch) { world.ledger?.synced(batch, node: machine.index) }

    /// Shows its replicas as they are at a time of the world; nil = now.
    func look(at time: UInt64? = nil, _ body: (ReplicaGlance) -> Void) {
        node.glance(now: machine.clock.tick(at: time ?? world.now + spent), body)
    }
}
