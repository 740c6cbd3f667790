import ClusterModel

// Learners whose log memory cannot continue are taught: the primary's store is walked as it is, chunk by chunk, and the log
// from before the walk is sent after it. A row may already be newer than the log's place; records are effects, so that
// applying them again ends at the same rows (RULES C5). Until it has reached the walk's end the copy is no state of the
// shard, and it is not promoted before.
extension Engine {
    private static let lessonRows = 4096
    private static let lessonBytes = 1 << 20

    /// Begins to teach a learner from its first row on.
    mutating func teach(_ index: Int, _ place: Int) {
        let follower = replicas[index].followers[place]
        guard follower.lesson == nil, replicas[index].state == .serving else { return }
        guard follower.isLearner else { return }
        guard follower.acked == 0 else {
            // It has a part of the log that does not reach what memory has: it begins anew under another name (RULES C14).
            outbox(follower.member.node).append(
                Relearn(
                    shard: ShardID(rawValue: numbers[index].shard), epoch: Epoch(rawValue: numbers[index].epoch),
                    incarnation: follower.member.incarnation))
            return giveUp(index, follower.member)
        }
        let base = Mutant.d5SnapshotOfUnapplied.isOn ? numbers[index].commit : numbers[index].applied
        let epochs = replicas[index].epochs.filter { $0.first.rawValue <= base }
        var lesson = Lesson(
            lesson: nextWalk, walk: 0, base: base, baseEpoch: epochs.last?.epoch.rawValue ?? 0, epochs: epochs,
            next: [RowKey.dataKind])
        walkOn(index, follower.member.node, &lesson)
        replicas[index].followers[place].lesson = lesson
        effects.emit(note(.info, "teaches \(follower.member) from record \(base) on", replica: index))
    }

    private mutating func walkOn(_ index: Int, _ node: NodeID, _ lesson: inout Lesson) {
        guard let from = lesson.next else { return }
        lesson.walk = nextWalk
        nextWalk += 1
        replication.lessons[lesson.walk] = LessonWalk(replica: index, node: node)
        effects.emit(
            .scan(
                Scan(
                    id: lesson.walk, store: replicas[index].store, usesSlots: numbers[index].usesSlots, from: from,
                    to: nil, limit: Engine.lessonRows, wantsValues: true, isRaw: true, byteLimit: Engine.lessonBytes,
                    now: 0)))
    }

    /// A chunk of a lesson's walk came. Returns whether the walk was one.
    mutating func noteLesson(_ scan: Scan) -> Bool {
        guard let walk = replication.lessons.removeValue(forKey: scan.id) else { return false }
        let index = walk.replica
        guard replicas[index].state == .serving,
            let place = replicas[index].followers.firstIndex(where: { $0.member.node == walk.node }),
            var lesson = replicas[index].followers[place].lesson, lesson.walk == scan.id
        else { return true }
        guard !scan.isFailed else {
            replicas[index].followers[place].lesson = nil
            return true
        }
        var rows: [SnapshotChunk.Row] = []
        rows.reserveCapacity(scan.rows)
        for row in 0..<scan.rows {
            rows.append(SnapshotChunk.Row(key: scan.key(row).array, value: scan.value(row).array))
        }
        // LevelDB holds nothing above the commit point.
        let end = numbers[index].commit
        outbox(walk.node).append(
            SnapshotChunk(
                shard: ShardID(rawValue: numbers[index].shard), epoch: Epoch(rawValue: numbers[index].epoch),
                baseEpoch: Epoch(rawValue: lesson.baseEpoch), base: Seq(rawValue: lesson.base), epochs: lesson.epochs,
                lesson: lesson.lesson, number: lesson.number, isLast: scan.isComplete, end: Seq(rawValue: end),
                rows: rows))
        lesson.walk = 0
        lesson.next = scan.isComplete ? nil : scan.next
        lesson.number += 1
        replicas[index].followers[place].lesson = lesson
        replicas[index].followers[place].mustReach = end
        return true
    }

    mutating func noteTaken(_ taken: SnapshotTaken, from node: NodeID) {
        let speaker = Reconciled(shard: taken.shard, epoch: taken.epoch, incarnation: taken.incarnation, last: .zero)
        guard let (index, place) = follower(speaker, node), var lesson = replicas[index].followers[place].lesson,
            lesson.walk == 0, taken.lesson == lesson.lesson, taken.number &+ 1 == lesson.number
        else { return }
        if lesson.next != nil {
            walkOn(index, node, &lesson)
            replicas[index].followers[place].lesson = lesson
            return
        }
        replicas[index].followers[place].lesson = nil
        replicas[index].followers[place].sent = lesson.base
        replicas[index].followers[place].acked = lesson.base
        resend(index, place)
    }

    /// The learner has records of its own: it takes no rows then. They came by a link that was given up, behind its word
    /// that it had none; it goes on from there by the log.
    mutating func endLesson(_ index: Int, _ place: Int) {
        guard let lesson = replicas[index].followers[place].lesson else { return }
        replication.lessons[lesson.walk] = nil
        replicas[index].followers[place].lesson = nil
    }

    /// What is under way for a follower leads nowhere any more.
    mutating func endWalks(_ index: Int, _ place: Int) {
        endLesson(index, place)
        replication.lessons[replicas[index].followers[place].search] = nil
        replicas[index].followers[place].search = 0
    }

    // MARK: The learner

    mutating func noteChunk(_ chunk: SnapshotChunk, from node: NodeID) {
        guard let index = replicaIndex[chunk.shard], replicas[index].state == .following,
            replicas[index].isReconciled, numbers[index].epoch == chunk.epoch.rawValue, numbers[index].last == 0,
            replicas[index].configuration.primary?.node == node, replicas[index].learned.continues(with: chunk)
        else { return }
        replicas[index].learned = Learned(lesson: chunk.lesson, chunks: chunk.number + 1)
        replicas[index].lesson = chunk.isLast ? chunk : nil
        effects.emit(.install(replicas[index].store, chunk))
    }

    /// The store holds a chunk.
    mutating func noteInstalled(_ store: StoreID, lesson: UInt64, _ number: UInt64) {
        guard let index = replicaIndex[store.shard], replicas[index].store == store,
            replicas[index].state == .following,
            replicas[index].learned == Learned(lesson: lesson, chunks: number + 1),
            numbers[index].last == 0, let primary = replicas[index].configuration.primary
        else { return }
        guard let last = replicas[index].lesson, last.number == number else {
            return sayTaken(index, lesson: lesson, number, to: primary.node)
        }
        // The primary counts what the snapshot stands for as durable here: the log has to begin behind it durably.
        adoptSnapshot(last, index)
        replication.held.append(
            HeldAnswer(
                ticket: nextTicket, chunk: number, node: primary.node, replica: index, epoch: numbers[index].epoch,
                nonce: lesson))
    }

    /// Tells the primary that a chunk is in the store here.
    mutating func sayTaken(_ index: Int, lesson: UInt64, _ number: UInt64, to node: NodeID) {
        outbox(node).append(
            SnapshotTaken(
                shard: ShardID(rawValue: numbers[index].shard), epoch: Epoch(rawValue: numbers[index].epoch),
                incarnation: Incarnation(rawValue: numbers[index].incarnation), lesson: lesson, number: number))
    }

    /// The log begins behind the snapshot; a checkpoint record says so (RULES E8).
    private mutating func adoptSnapshot(_ chunk: SnapshotChunk, _ index: Int) {
        replicas[index].lesson = nil
        let base = chunk.base.rawValue
        // Durable is what the log says, not before the record below is.
        numbers[index].last = base
        numbers[index].commit = base
        numbers[index].applied = base
        numbers[index].streamed = base
        numbers[index].hasData = true
        replicas[index].lastEpoch = chunk.baseEpoch
        replicas[index].streamedEpoch = chunk.baseEpoch
        replicas[index].epochs = chunk.epochs
        var control = ShardControl(
            shard: chunk.shard, incarnation: Incarnation(rawValue: numbers[index].incarnation))
        control.promised = Epoch(rawValue: numbers[index].epoch)
        scratch.removeAll()
        replicas[index].configuration.encode(into: &scratch)
        control.configuration = scratch.view.array
        control.epochs = chunk.epochs
        scratch.removeAll()
        control.encode(into: &scratch)
        touch(replica: index, seq: base)
        batch.beginRecord(
            shard: chunk.shard, incarnation: control.incarnation, epoch: chunk.baseEpoch, seq: chunk.base,
            kind: .checkpoint)
        batch.append(scratch.view)
        batch.endRecord()
    }

    /// The primary cannot continue this copy's log: it goes, and comes again under a new incarnation.
    mutating func noteRelearn(_ message: Relearn, from node: NodeID) {
        if let index = replicaIndex[message.shard], replicas[index].isLeading {
            // A member that has dropped its copy says so.
            let gone = Member(node: node, incarnation: message.incarnation)
            guard numbers[index].epoch == message.epoch.rawValue,
                replicas[index].configuration.members.contains(gone)
            else { return }
            return giveUp(index, gone)
        }
        guard let index = replicaIndex[message.shard], replicas[index].state == .following,
            numbers[index].epoch == message.epoch.rawValue,
            numbers[index].incarnation == message.incarnation.rawValue,
            replicas[index].configuration.primary?.node == node,
            replicas[index].configuration.learners.contains(where: { $0.node == settings.id })
        else { return }
        effects.emit(note(.warning, "too far behind for the primary's log: it learns anew", replica: index))
        drop(index)
    }
}
