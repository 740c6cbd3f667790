import ClusterModel
internal import DequeModule

// From a record in the batch to a committed one: persist, durable, commit, apply, and the batch back again.
extension Engine {
    /// Hands the batch of this step to the log writer.
    mutating func persistBatch() {
        guard !batch.isEmpty else { return }
        batch.ticket = nextTicket
        nextTicket += 1
        batch.finish()
        for index in touched.indices { touched[index].seq = numbers[Int(touched[index].replica)].last }
        streamBatch()
        keepUnapplied(BatchNote(batch: batch, touched: touched, handedOver: now.monotonic))
        touched.removeAll(keepingCapacity: true)
        effects.emit(.persist(batch))
        let size = batch.byteCount
        batch = spentBatches.popLast() ?? LogBatch(capacity: min(max(size + size / 4, Self.leastBatch), 512 << 10))
    }

    mutating func keepUnapplied(_ note: BatchNote) {
        backlog += note.bytes
        unapplied.append(note)
    }

    /// Bytes a batch begins with at least.
    private static let leastBatch = 4 << 10

    /// Batches up to `ticket` are durable here: their replicas' records count as this member's.
    mutating func noteDurable(through ticket: UInt64) {
        var isAdvanced = false
        while durableBatches < unapplied.count, unapplied[durableBatches].batch.ticket <= ticket {
            noteSynced(unapplied[durableBatches])
            for mark in unapplied[durableBatches].touched {
                let replica = Int(mark.replica)
                numbers[replica].durable = max(numbers[replica].durable, mark.seq)
                if replicas[replica].state == .following {
                    acknowledge(replica)
                    if numbers[replica].commit > numbers[replica].told { raised.append(replica) }
                } else {
                    isAdvanced = advanceCommit(replica) || isAdvanced
                }
            }
            durableBatches += 1
        }
        replication.durableTicket = max(replication.durableTicket, ticket)
        if !replication.held.isEmpty { sendHeld() }
        applyCommitted(isDurable: true)
        if isAdvanced { commitAdvanced() }
    }

    /// Recounts the commit point by the policy. Records of earlier epochs commit only with this epoch's start record
    /// (RULES C8). Returns whether it rose.
    mutating func advanceCommit(_ replica: Int) -> Bool {
        guard replicas[replica].hasBegun, !replicas[replica].isSealed, replicas[replica].readersGone <= now.monotonic
        else { return false }
        let agreed = agreed(replica)
        guard agreed >= numbers[replica].start || Mutant.c8CommitsOlderEpochs.isOn, agreed > numbers[replica].commit,
            !numbers[replica].isLost
        else {
            return false
        }
        numbers[replica].commit = agreed
        raised.append(replica)
        if replicas[replica].state == .starting, numbers[replica].start > 0, agreed >= numbers[replica].start {
            beginServing(replica)
        }
        return true
    }

    /// After commit points rose: apply what is covered, release what waited.
    mutating func commitAdvanced() {
        applyCommitted()
        releaseWaiting()
        answerWaits()
    }

    /// Lets the applier go as far as records are committed and durable here.
    /// - Parameter isDurable: more batches are durable, too.
    private mutating func applyCommitted(isDurable: Bool = false) {
        var marks: [CommitMark] = []
        for index in raised {
            let seq = min(numbers[index].commit, numbers[index].durable)
            guard seq > numbers[index].told else { continue }
            numbers[index].told = seq
            marks.append(CommitMark(store: replicas[index].store, seq: Seq(rawValue: seq)))
        }
        raised.removeAll(keepingCapacity: true)
        if !marks.isEmpty || isDurable { effects.emit(.apply(marks, durable: replication.durableTicket)) }
    }

    /// Stores hold more; batches come back.
    mutating func noteApplied(_ marks: [DataInput.Applied], spent: [LogBatch]) {
        evictionRests = false
        for mark in marks {
            guard let index = replicaIndex[mark.store.shard], replicas[index].store == mark.store else { continue }
            numbers[index].applied = max(numbers[index].applied, mark.seq.rawValue)
            replicas[index].bytes = mark.bytes
        }
        takeBack(spent)
        startWalks()
        if backlog < settings.backlogBytes { resumeParked { if case .backlog = $0 { true } else { false } } }
    }

    /// Both are in the order of their tickets. Where a shard stands still many batches stay in front of those that come back,
    /// and a start has very many: they are gone through once.
    private mutating func takeBack(_ spent: [LogBatch]) {
        var rest = spent[...]
        guard let first = rest.first else { return }
        var place = firstUnapplied(from: first.ticket)
        var kept = place
        while place < unapplied.count, let next = rest.first {
            let note = unapplied[place]
            if note.batch === next {
                rest.removeFirst()
                noteSpent(note)
            } else if next.ticket < note.batch.ticket {
                rest.removeFirst()
                continue
            } else {
                unapplied.swapAt(kept, place)
                kept += 1
            }
            place += 1
        }
        unapplied.removeSubrange(kept..<place)
    }

    /// The place of the first batch with this ticket or a later one.
    private func firstUnapplied(from ticket: UInt64) -> Int {
        var (low, high) = (0, unapplied.count)
        while low < high {
            let middle = (low + high) / 2
            if unapplied[middle].batch.ticket < ticket { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private mutating func noteSpent(_ note: BatchNote) {
        durableBatches -= 1
        backlog -= note.bytes
        if replication.shared.isEmpty {
            recycle(note.batch)
        } else {
            for free in replication.history.keep(note, limit: settings.historyBytes) { recycle(free) }
        }
    }

    private mutating func recycle(_ batch: LogBatch) {
        guard batch.footprint >= Self.leastBatch, spentBatches.count < 64 else { return }
        // What was grown for a rare large one would count as backlog with each small one.
        let limit = min(max(4 * batch.byteCount, 64 << 10), 4 << 20)
        batch.removeAll()
        batch.shrink(above: limit)
        spentBatches.append(batch)
    }
}
