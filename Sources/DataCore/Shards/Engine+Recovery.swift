import ClusterModel

// A replica's life goes on behind a start: from what the directory holds, up to its own next epoch or its primary's word.
extension Engine {
    /// What the directory holds: replicas wait for a new epoch, since a restarted primary never resumes its own (C11).
    mutating func recover(_ node: RecoveredNode) {
        cluster = node.cluster
        dropped = node.dropped
        distrustsMap = node.isDamaged
        for lost in node.lost { endLost(lost) }
        for found in node.replicas {
            let store = StoreID(shard: found.shard, incarnation: found.incarnation)
            let index = addReplica(
                Replica(
                    store: store, configuration: found.configuration, state: .stopped,
                    keyspace: UInt32(truncatingIfNeeded: found.configuration.keyspace.rawValue), active: .none,
                    lastEpoch: found.lastEpoch, epochs: found.epochs), usesSlots: found.configuration.range.isSlots)
            numbers[index].last = found.last.rawValue
            numbers[index].durable = found.last.rawValue
            numbers[index].applied = found.applied.rawValue
            numbers[index].commit = Mutant.c9ReplayIsCommitted.isOn ? found.last.rawValue : found.applied.rawValue
            numbers[index].time = found.time
            numbers[index].streamed = found.last.rawValue
            numbers[index].hasData = true
            replicas[index].streamedEpoch = found.lastEpoch
            if found.promised > found.configuration.epoch { replicas[index].sealedBelow = found.promised }
            effects.emit(.openStore(store, usesSlots: found.configuration.range.isSlots))
            resumeFollowing(index)
        }
        for batch in node.batches { replay(batch) }
        replication.durableTicket = nextTicket - 1
        listTicking()
        beats.isDue = true
    }

    /// A restarted secondary goes on in its epoch, metasrv or not. Any replica has forgotten what it granted, be it in an
    /// earlier epoch than its last: until every lease that it may have given just before has lapsed it is bound by one
    /// (RULES A6, C11).
    private mutating func resumeFollowing(_ index: Int) {
        let shard = replicas[index].configuration
        numbers[index].isWritable = shard.members.count >= shard.policy.minInSync
        if !Mutant.a6ForgetsGrantsAtStart.isOn {
            replicas[index].boundUntil = now.monotonic + binding(settings.leaseMillis)
        }
        guard replicas[index].isShared else { return }
        guard let own = shard.replica(on: settings.id), own.incarnation == replicas[index].store.incarnation,
            own != shard.primary
        else {
            if Mutant.c11ResumesEpoch.isOn { takeRole(index, former: nil) }
            return
        }
        replicas[index].state = .following
    }

    /// Refills the overlay from a batch that is in the log and not, or not all, in the stores.
    private mutating func replay(_ batch: LogBatch) {
        var marks: [Touched] = []
        batch.forEachRecord { header, payload in
            guard let index = replicaIndex[header.shard], replicas[index].store.incarnation == header.incarnation else {
                return
            }
            if header.kind == .truncate, !Mutant.c15ReplaysCutRecords.isOn {
                return replayCut(index, above: header.seq.rawValue - 1, marks: &marks)
            }
            if header.kind.isNumbered, header.seq.rawValue > numbers[index].applied {
                if header.kind == .data { replay(payload, replica: index, seq: header.seq.rawValue) }
                marks.removeAll { Int($0.replica) == index }
                marks.append(Touched(replica: Int32(truncatingIfNeeded: index), seq: header.seq.rawValue))
            }
        }
        keepUnapplied(BatchNote(batch: batch, touched: marks))
        durableBatches += 1
        nextTicket = max(nextTicket, batch.ticket + 1)
    }

    /// Records before it in the log are void: rows of theirs go, and those they had replaced come back.
    private mutating func replayCut(_ index: Int, above seq: UInt64, marks: inout [Touched]) {
        let (last, durable, epochs, lastEpoch) = (
            numbers[index].last, numbers[index].durable, replicas[index].epochs, replicas[index].lastEpoch
        )
        forget(index, above: seq)
        marks.removeAll { Int($0.replica) == index && $0.seq > seq }
        // What the log came to in the end is known already.
        (numbers[index].last, numbers[index].durable) = (last, durable)
        (replicas[index].epochs, replicas[index].lastEpoch) = (epochs, lastEpoch)
    }

    mutating func replay(_ payload: ByteView, replica: Int, seq: UInt64) {
        let keyspace = replicas[replica].keyspace
        var ops = OpCursor(payload)
        while let op = ops.next() {
            switch op {
            case .put(let key, let value, let deadline):
                rows.put(
                    hash(key, keyspace: keyspace), keyspace: keyspace, replica: Int32(truncatingIfNeeded: replica),
                    key: key, value: value, deadline: deadline, seq: seq, seconds: 0)
            case .delete(let key):
                rows.put(
                    hash(key, keyspace: keyspace), keyspace: keyspace, replica: Int32(truncatingIfNeeded: replica),
                    key: key, value: .empty, deadline: 0, seq: seq, seconds: 0, flags: Row.Flag.absent)
            case .flush: numbers[replica].flushed = seq
            case .time(let wall): numbers[replica].time = max(numbers[replica].time, wall)
            }
        }
    }
}
