import ClusterModel
internal import DequeModule

// A new epoch makes its primary's whole log the shard's log: every replica cuts its own where the two part, never below
// what it knows committed, and is sent the rest (RULES C1, C2).
extension Engine {
    /// ns before a follower is asked again.
    private static let askPause: UInt64 = 300_000_000

    mutating func askToReconcile(_ index: Int, _ place: Int) {
        let follower = replicas[index].followers[place]
        guard replicas[index].hasBegun, !follower.isReconciled,
            follower.asked == 0 || now.monotonic - follower.asked > Engine.askPause
        else { return }
        replicas[index].followers[place].asked = now.monotonic
        if follower.nonce == 0 { replicas[index].followers[place].nonce = entropy.next() | 1 }
        outbox(follower.member.node).append(
            Reconcile(
                configuration: replicas[index].configuration, epochs: replicas[index].epochs,
                last: Seq(rawValue: numbers[index].last), nonce: replicas[index].followers[place].nonce))
    }

    mutating func askToReconcile(_ index: Int) {
        for place in replicas[index].followers.indices { askToReconcile(index, place) }
        replication.nextBeat = 0
    }

    // MARK: The follower

    mutating func noteReconcile(_ message: Reconcile, from node: NodeID) {
        let shard = message.configuration
        if routes.shard(shard.id).map({ $0.epoch < shard.epoch }) ?? true { noteCorrection(shard) }
        guard let index = replicaIndex[shard.id], replicas[index].state == .following, !replicas[index].isSealed,
            numbers[index].epoch == shard.epoch.rawValue, shard.primary?.node == node
        else { return }
        // Records of this very epoch are the primary's, and it takes none back: the question may be older than they are.
        let isAhead = replicas[index].lastEpoch == shard.epoch
        var common =
            isAhead
            ? numbers[index].last
            : Engine.commonEnd(replicas[index].epochs, numbers[index].last, message.epochs, message.last.rawValue)
        if Mutant.c1CutsAtCommit.isOn { common = min(common, numbers[index].commit) }
        if Mutant.c1ComparesLengthsAlone.isOn { common = min(numbers[index].last, message.last.rawValue) }
        guard common >= numbers[index].commit else {
            if shard.policy.ack == .one { return forsake(index, above: common, primary: node) }
            return effects.emit(
                note(
                    .error,
                    "its log and the primary's part at \(common), below the commit point \(numbers[index].commit): "
                        + "one of the two has lost acknowledged records; nothing is cut", replica: index))
        }
        if common < numbers[index].last { cut(index, above: common) }
        replicas[index].isReconciled = true
        if !isAhead {
            numbers[index].streamed = numbers[index].last
            replicas[index].streamedEpoch = replicas[index].lastEpoch
        }
        // The answer waits for the promise, and for the cut, to be durable (RULES C3).
        let ticket = batch.isEmpty ? nextTicket - 1 : nextTicket
        replication.held.append(
            HeldAnswer(
                ticket: ticket, node: node, replica: index, epoch: numbers[index].epoch, nonce: message.nonce))
        sendHeld()
    }

    /// With ack=one this node committed what the new primary never had: its copy is no state of the shard, goes, and is made
    /// anew by learning (RULES A10).
    private mutating func forsake(_ index: Int, above common: UInt64, primary: NodeID) {
        let lost = numbers[index].commit - common
        stats.lostRecords += lost
        effects.emit(
            note(
                .error,
                "\(lost) records above \(common) were acknowledged with ack=one and are lost: this copy is made anew",
                replica: index))
        outbox(primary).append(
            Relearn(
                shard: ShardID(rawValue: numbers[index].shard), epoch: Epoch(rawValue: numbers[index].epoch),
                incarnation: Incarnation(rawValue: numbers[index].incarnation)))
        drop(index)
    }

    /// The last record that two logs certainly share, by their vectors (RULES C1).
    static func commonEnd(_ mine: [EpochStart], _ myLast: UInt64, _ theirs: [EpochStart], _ theirLast: UInt64) -> UInt64
    {
        for place in mine.indices.reversed() {
            guard let match = theirs.firstIndex(of: mine[place]) else { continue }
            let myEnd = place + 1 < mine.count ? mine[place + 1].first.rawValue - 1 : myLast
            let theirEnd = match + 1 < theirs.count ? theirs[match + 1].first.rawValue - 1 : theirLast
            return min(myEnd, theirEnd)
        }
        return 0
    }

    /// Cuts everything above a seq off the log: it was never committed (RULES C15).
    mutating func cut(_ index: Int, above seq: UInt64) {
        // The void records end in a batch of their own, so that "batches up to a ticket" names exactly them.
        if !batch.isEmpty { persistBatch() }
        touch(replica: index, seq: seq)
        batch.beginRecord(
            shard: ShardID(rawValue: numbers[index].shard),
            incarnation: Incarnation(rawValue: numbers[index].incarnation),
            epoch: Epoch(rawValue: numbers[index].epoch),
            seq: Seq(rawValue: seq + 1), kind: .truncate)
        batch.endRecord()
        effects.emit(
            note(.info, "records \(seq + 1) to \(numbers[index].last) were never committed: cut", replica: index))
        forget(index, above: seq)
        loseReplies(index, above: seq)
    }

    /// What the core knows of records that are void.
    mutating func forget(_ index: Int, above seq: UInt64) {
        numbers[index].last = seq
        numbers[index].durable = min(numbers[index].durable, seq)
        numbers[index].streamed = min(numbers[index].streamed, seq)
        replicas[index].epochs.removeAll { $0.first.rawValue > seq }
        replicas[index].lastEpoch = replicas[index].epochs.last?.epoch ?? .none
        for place in unapplied.indices {
            for mark in unapplied[place].touched.indices
            where Int(unapplied[place].touched[mark].replica) == index && unapplied[place].touched[mark].seq > seq {
                unapplied[place].touched[mark].seq = seq
            }
        }
        effects.emit(.cut(replicas[index].store, above: Seq(rawValue: seq), through: nextTicket - 1))
        rebuildOverlay(index)
    }

    /// Makes the rows that LevelDB lacks anew from the batches: a row has one version in memory, and that of a cut record
    /// has taken the place of the one before it.
    private mutating func rebuildOverlay(_ index: Int) {
        let replica = Int32(truncatingIfNeeded: index)
        let applied = numbers[index].applied
        rows.removeAll { $0.replica == replica && !$0.isUnknown && $0.seq > applied }
        numbers[index].flushed = min(numbers[index].flushed, applied)
        for note in unapplied {
            note.batch.forEachRecord { header, payload in
                guard header.kind == .data, header.shard.rawValue == numbers[index].shard,
                    header.seq.rawValue > applied, header.seq.rawValue <= numbers[index].last,
                    header.epoch == replicas[index].epoch(of: header.seq.rawValue)
                else { return }
                replay(payload, replica: index, seq: header.seq.rawValue)
            }
        }
    }

    /// Replies that waited for records that are void: UNCERTAIN if they logged, definite if not (RULES C18).
    mutating func loseReplies(_ index: Int, above seq: UInt64) {
        loseReplies { Int($0.replica) == index && $0.seq > seq }
        releaseWaiting()
    }

    // MARK: The primary

    mutating func noteReconciled(_ answer: ReconcileAnswer, from node: NodeID) {
        let message = answer.reconciled
        guard let (index, place) = follower(message, node), !replicas[index].followers[place].isReconciled,
            replicas[index].followers[place].nonce == answer.nonce, answer.nonce != 0,
            message.last.rawValue <= numbers[index].last
        else { return }
        replicas[index].followers[place].isReconciled = true
        replicas[index].followers[place].sent = message.last.rawValue
        replicas[index].followers[place].acked = message.last.rawValue
        replicas[index].followers[place].toldCommit = 0
        resend(index, place)
        if advanceCommit(index) { commitAdvanced() }
    }

    // MARK: Answers that wait for the disk

    /// Tells primaries that their followers here are reconciled, where that is durable.
    mutating func sendHeld() {
        while let first = replication.held.first,
            first.ticket <= replication.durableTicket || Mutant.c3AnswersBeforePromise.isOn
        {
            replication.held.removeFirst()
            if let poll = first.sealedFor {
                answerSealed(first.replica, poll, to: first.node)
                continue
            }
            guard replicas[first.replica].state == .following, !replicas[first.replica].isSealed,
                replicas[first.replica].isReconciled,
                numbers[first.replica].epoch == first.epoch
            else { continue }
            if let chunk = first.chunk {
                sayTaken(first.replica, lesson: first.nonce, chunk, to: first.node)
            } else {
                outbox(first.node).append(ReconcileAnswer(nonce: first.nonce, reconciled(first.replica)))
            }
        }
    }

    // MARK: Links

    /// The way to a node broke: what was sent may be lost, so its followers are asked anew where they are.
    mutating func noteFollowersLost(_ node: NodeID) {
        for index in replication.shared where replicas[index].isLeading {
            for place in replicas[index].followers.indices where replicas[index].followers[place].member.node == node {
                endWalks(index, place)
                replicas[index].followers[place].isReconciled = false
                replicas[index].followers[place].asked = 0
                replicas[index].followers[place].nonce = 0
            }
        }
    }
}
