import ClusterModel
internal import DequeModule

// Records on their way to other replicas: sent on at the end of the turn they were logged in, before they are synced here
// (chain: each hop sends on before its own sync, RULES D2), and once more from memory to who lacks them.
extension Engine {
    /// Bytes of records in one message of a resend.
    var resendBytes: Int { min(1 << 20, settings.wayBytes) }

    /// Sends what the current batch holds of shared shards on to the replicas that are in step.
    mutating func streamBatch() {
        // Not `replication.shared`: a batch may be persisted while configurations are adopted, before that list is made.
        var parts: [NodeID: [RecordStream.Part]] = [:]
        for mark in touched {
            let index = Int(mark.replica)
            guard replicas[index].isShared, numbers[index].last > numbers[index].streamed else { continue }
            let part = part(
                index, from: numbers[index].streamed, replicas[index].streamedEpoch, to: numbers[index].last)
            sendOn(part, index) { parts[$0, default: []].append(part) }
            numbers[index].streamed = numbers[index].last
            replicas[index].streamedEpoch = replicas[index].lastEpoch
        }
        for node in parts.keys.sorted() {
            guard let own = parts[node] else { continue }
            outbox(node).append(.records) { buffer in
                RecordStream.begin(own, in: &buffer)
                copyRecords(of: own, into: &buffer)
            }
        }
    }

    private func part(_ index: Int, from previous: UInt64, _ previousEpoch: Epoch, to last: UInt64) -> RecordStream.Part
    {
        RecordStream.Part(
            shard: ShardID(rawValue: numbers[index].shard), epoch: numbers[index].epoch, commit: numbers[index].commit,
            previousEpoch: previousEpoch.rawValue, previous: previous, last: last)
    }

    /// Names the nodes that a part goes to directly from here.
    private mutating func sendOn(_ part: RecordStream.Part, _ index: Int, _ body: (NodeID) -> Void) {
        let isChain = replicas[index].configuration.policy.flow == .chain
        guard replicas[index].isLeading else {
            if isChain, replicas[index].isReconciled, let next = successor(index), !isClogged(next) { body(next) }
            return
        }
        var isFirst = true
        // With ack below all a member may be away for long: the chain goes on without it, from its head.
        let isBroken =
            isChain && replicas[index].configuration.policy.ack != .all
            && replicas[index].followers.contains {
                !$0.isLearner && !($0.isReconciled && $0.grantUntil > now.monotonic)
            }
        for place in replicas[index].followers.indices {
            let follower = replicas[index].followers[place]
            // In a chain the members behind the first are fed by the one before them.
            let isDirect = !isChain || follower.isLearner || isFirst || isBroken
            if !follower.isLearner { isFirst = false }
            guard follower.isReconciled, follower.lesson == nil, follower.sent == part.previous else { continue }
            if isDirect, isClogged(follower.member.node) { continue }
            replicas[index].followers[place].sent = part.last
            replicas[index].followers[place].toldCommit = part.commit
            if isDirect { body(follower.member.node) }
        }
    }

    private func isClogged(_ node: NodeID) -> Bool {
        !replication.clogged.isEmpty && replication.clogged.contains(node) && !Mutant.i19StreamsWithoutBound.isOn
    }

    /// The host tells what waits for the way to another node. One that hangs takes nothing and breaks no connection: with ack
    /// below all the others go on, and what is kept for it has a bound (RULES I19).
    mutating func noteWay(to node: NodeID, _ bytes: Int) {
        if bytes > settings.wayBytes {
            if replication.clogged.insert(node).inserted {
                effects.emit(note(.warning, "\(node) does not take what is sent to it: \(bytes >> 10) KiB wait"))
            }
        } else if bytes <= settings.wayBytes / 2 {
            replication.clogged.remove(node)
        }
    }

    /// The member behind this one in the chain.
    private func successor(_ index: Int) -> NodeID? {
        let members = replicas[index].configuration.members
        guard let own = members.firstIndex(where: { $0.node == settings.id }), own + 1 < members.count else {
            return nil
        }
        return members[own + 1].node
    }

    private func copyRecords(of parts: [RecordStream.Part], into buffer: inout ByteBuffer) {
        // Most of a batch is this node's own and goes to most of the others; room that is not used costs nothing.
        buffer.reserve(min(batch.byteCount, 512 << 10))
        var records = batch.records
        while let (header, whole) = records.nextWhole() {
            guard header.kind.isNumbered,
                parts.contains(where: { $0.shard == header.shard && header.seq.rawValue > $0.previous })
            else { continue }
            buffer.append(whole)
        }
    }

    // MARK: Once more

    /// Sends a replica what it lacks, as far as memory has it, a bounded piece at a time: the next goes when this one is
    /// acknowledged.
    mutating func resend(_ index: Int, _ place: Int) {
        let follower = replicas[index].followers[place]
        guard replicas[index].hasBegun, follower.isReconciled, follower.lesson == nil, follower.search == 0,
            follower.sent < numbers[index].streamed, follower.acked >= follower.sent
        else { return }
        var records = ByteBuffer(capacity: 64 << 10)
        let last = collect(index, from: follower.sent + 1, into: &records)
        // One that has nothing yet is better off with the rows than with all that ever happened to them. A piece of that might
        // be all there is of it, and who has a piece is not taught any more.
        if follower.isLearner, follower.sent == 0, last < numbers[index].streamed { return teach(index, place) }
        guard last > follower.sent else { return searchLog(index, place) }
        replicas[index].followers[place].foundAt = nil
        send(index, place, records.view, through: last)
    }

    /// Sends a follower the records behind what it was sent last.
    mutating func send(_ index: Int, _ place: Int, _ records: ByteView, through last: UInt64) {
        let follower = replicas[index].followers[place]
        let part = part(index, from: follower.sent, replicas[index].epoch(of: follower.sent), to: last)
        outbox(follower.member.node).append(.records) { buffer in
            RecordStream.begin([part], in: &buffer)
            buffer.append(records)
        }
        replicas[index].followers[place].sent = last
        replicas[index].followers[place].toldCommit = part.commit
    }

    /// Copies a replica's records from `seq` on, without a gap, up to what was streamed or a bound of bytes.
    /// - Returns: the last one copied; `seq` - 1 if memory has not got the first.
    private func collect(_ index: Int, from seq: UInt64, into buffer: inout ByteBuffer) -> UInt64 {
        var next = seq
        let shard = ShardID(rawValue: numbers[index].shard)
        let end = numbers[index].streamed
        func take(_ note: BatchNote) -> Bool {
            var records = note.batch.records
            while let (header, whole) = records.nextWhole() {
                // A record that was cut has an older epoch than the log has at its place.
                guard header.kind.isNumbered, header.shard == shard, header.seq.rawValue == next, next <= end,
                    header.epoch == replicas[index].epoch(of: next)
                else { continue }
                buffer.append(whole)
                next += 1
            }
            return next <= end && buffer.count < resendBytes
        }
        replication.history.forEach(index, above: seq - 1, take)
        guard next <= end, buffer.count < resendBytes else { return next - 1 }
        for note in unapplied where note.touched.contains(where: { Int($0.replica) == index && $0.seq >= next }) {
            if !take(note) { break }
        }
        return next - 1
    }

    // MARK: The other end

    /// Records of a primary, or of the member before in a chain.
    mutating func noteRecords(_ body: ByteView) {
        guard let (parts, records) = RecordStream.read(body) else { return noteMalformed("records") }
        var accepted: [ShardID: Int] = [:]
        for part in parts {
            guard let index = replicaIndex[part.shard], takesRecords(part, index) else { continue }
            accepted[part.shard] = index
        }
        var cursor = RecordCursor(records)
        var ahead = cursor
        var window: [Int] = []
        while look(&ahead, accepted, &window) {
            for index in window {
                guard let (header, payload) = cursor.next() else { break }
                guard index >= 0, continues(index, header) else { continue }
                follow(header, payload, index)
            }
        }
        if ahead.isDamaged { noteMalformed("records") }
        var isAdvanced = false
        for part in parts {
            guard let index = accepted[part.shard], numbers[index].epoch == part.epoch else { continue }
            isAdvanced = adoptCommit(part.commit, index) || isAdvanced
        }
        if isAdvanced { commitAdvanced() }
    }

    /// Says for each of the next records which replica takes it, -1 = none, and loads the cache lines that its row will
    /// need, so that the processor fetches many at a time. Returns whether there are any.
    private func look(_ ahead: inout RecordCursor, _ accepted: [ShardID: Int], _ window: inout [Int]) -> Bool {
        window.removeAll(keepingCapacity: true)
        unsafe withUnsafeTemporaryAllocation(of: UInt64.self, capacity: Engine.window) { hashes in
            var filled = 0
            while window.count < Engine.window, let (header, payload) = ahead.next() {
                guard header.kind.isNumbered, let index = accepted[header.shard] else {
                    window.append(-1)
                    continue
                }
                window.append(index)
                guard header.kind == .data, let hash = firstHash(payload, keyspace: replicas[index].keyspace) else {
                    continue
                }
                rows.prefetch(hash)
                unsafe hashes[filled] = hash
                filled += 1
            }
            for index in 0..<filled { unsafe rows.prefetchRow(hashes[index]) }
        }
        return !window.isEmpty
    }

    /// Of the first key that a record writes.
    private func firstHash(_ payload: ByteView, keyspace: UInt32) -> UInt64? {
        var ops = OpCursor(payload)
        switch ops.next() {
        case .put(let key, _, _), .delete(let key): return hash(key, keyspace: keyspace)
        case .flush, .time, nil: return nil
        }
    }

    /// Whether a part goes on where the log here ends, or where it certainly is the same.
    private func takesRecords(_ part: RecordStream.Part, _ index: Int) -> Bool {
        guard replicas[index].isReconciled, !replicas[index].isSealed, !isStoreBehind(index),
            part.previous <= numbers[index].last || Mutant.d1LogsBehindGap.isOn
        else { return false }
        if part.epoch == numbers[index].epoch { return replicas[index].state == .following }
        // The next primary takes what the former one still sends in its own epoch until that one lets go (RULES C13).
        return replicas[index].awaitsRelease && part.epoch == replicas[index].formerEpoch.rawValue
    }

    /// Whether a record is the next one; epochs never fall in a log, and each begins once.
    private func continues(_ index: Int, _ header: RecordHeader) -> Bool {
        let last = replicas[index].lastEpoch
        let isInOrder = header.kind == .epochStart ? header.epoch > last : header.epoch == last
        return isInOrder && header.seq.rawValue == numbers[index].last + 1
            || Mutant.d1LogsBehindGap.isOn && header.seq.rawValue > numbers[index].last
    }

    /// Whether the stores here lag so far that no more can be kept for them: what comes is dropped, as if it had been lost, and
    /// is sent once more. What is not committed yet is no reason: it may need more to be committed, and its primary bounds it
    /// (RULES I19).
    private func isStoreBehind(_ index: Int) -> Bool {
        backlog >= 2 * settings.backlogBytes && numbers[index].applied < numbers[index].commit
            && !Mutant.i19KeepsWithoutBound.isOn
    }

    /// Logs a record of the primary as it is.
    private mutating func follow(_ header: RecordHeader, _ payload: ByteView, _ index: Int) {
        let seq = header.seq.rawValue
        numbers[index].last = seq
        numbers[index].hasData = true
        touch(replica: index, seq: seq)
        batch.beginRecord(
            shard: header.shard, incarnation: Incarnation(rawValue: numbers[index].incarnation), epoch: header.epoch,
            seq: header.seq, kind: header.kind)
        batch.append(payload)
        batch.endRecord()
        replicas[index].lastEpoch = header.epoch
        if header.kind == .epochStart {
            replicas[index].epochs.append(EpochStart(epoch: header.epoch, first: header.seq))
        } else {
            replay(payload, replica: index, seq: seq)
        }
    }

    /// Takes over what the primary says is committed (RULES C9): only once this epoch's start record is in a log that was
    /// reconciled. Returns whether the commit point rose.
    mutating func adoptCommit(_ commit: UInt64, _ index: Int) -> Bool {
        guard replicas[index].isReconciled || Mutant.c9AdoptsBeforeReconciled.isOn,
            replicas[index].state == .following, let start = replicas[index].epochs.last,
            start.epoch.rawValue == numbers[index].epoch || Mutant.c9AdoptsBeforeReconciled.isOn
        else { return false }
        let known = min(commit, numbers[index].last)
        // After a restart that may be known of the store already.
        if known >= start.first.rawValue, replicas[index].active < start.epoch { replicas[index].active = start.epoch }
        guard known > numbers[index].commit else { return false }
        numbers[index].commit = known
        raised.append(index)
        return true
    }

    // MARK: Messages

    /// The turn's messages for a node.
    mutating func outbox(_ node: NodeID) -> ReplicaBatch {
        if let batch = replication.outbox[node] {
            guard batch.bytes.count > ForwardBatch.framePayload / 2 else { return batch }
            effects.emit(.replicate(to: node, batch))
        }
        let batch = ReplicaBatch()
        replication.outbox[node] = batch
        return batch
    }

    mutating func noteReplicated(from node: NodeID, _ payload: ByteView) {
        var cursor = ReplicaCursor(payload)
        while let (kind, body) = cursor.next() { note(kind, body, from: node) }
        if cursor.isDamaged { noteMalformed("messages of \(node)") }
    }

    private mutating func note(_ kind: ReplicaMessageKind, _ body: ByteView, from node: NodeID) {
        func read<Message: ReplicaMessage>(_: Message.Type, _ take: (Message) -> Void) {
            if let message = Message(decoding: body) { take(message) } else { noteMalformed("\(kind) of \(node)") }
        }
        switch kind {
        case .records: noteRecords(body)
        case .beat: read(ReplicaBeat.self) { noteBeat($0, from: node) }
        case .grant: read(ReplicaGrant.self) { noteGrant($0, from: node) }
        case .reconcile: read(Reconcile.self) { noteReconcile($0, from: node) }
        case .reconciled: read(ReconcileAnswer.self) { noteReconciled($0, from: node) }
        case .acks: read(ReplicaAcks.self) { noteAcks($0, from: node) }
        case .poll: read(TakeoverPoll.self) { notePoll($0, from: node) }
        case .vote: read(TakeoverVote.self) { noteVote($0, from: node) }
        case .snapshot: read(SnapshotChunk.self) { noteChunk($0, from: node) }
        case .snapshotTaken: read(SnapshotTaken.self) { noteTaken($0, from: node) }
        case .relearn: read(Relearn.self) { noteRelearn($0, from: node) }
        }
    }

    mutating func noteMalformed(_ what: String) {
        effects.emit(note(.error, "malformed \(what) between replicas: dropped"))
    }

    /// Hands the turn's messages to the host.
    mutating func emitReplication() {
        if replication.acks.isEmpty, replication.outbox.isEmpty { return }
        for node in replication.acks.keys.sorted() {
            if let acks = replication.acks.removeValue(forKey: node) { outbox(node).append(ReplicaAcks(acks: acks)) }
        }
        guard !replication.outbox.isEmpty else { return }
        for node in replication.outbox.keys.sorted() {
            if let batch = replication.outbox.removeValue(forKey: node) { effects.emit(.replicate(to: node, batch)) }
        }
    }
}
