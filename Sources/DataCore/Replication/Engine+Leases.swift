import ClusterModel

// Leases between replicas: a primary serves only while every member counted has promised not to follow another one
// (RULES A). The lease runs from the send time of the beat that was answered; the grantor is bound a quarter longer, from
// its own answer.
extension Engine {
    private var leaseNanos: UInt64 { settings.leaseMillis * 1_000_000 }

    /// ns of the shortest lease in use here: where nodes have leases of different lengths a grantor's may end before the
    /// holder's own would be asked for anew (RULES A11).
    private var leastLease: UInt64 {
        if Mutant.a11BeatsByOwnLength.isOn { return leaseNanos }
        let granted = replication.beats.values.map(\.grantedMillis).min() ?? .max  // order-free: a minimum
        return max(1, min(settings.leaseMillis, granted)) * 1_000_000
    }

    /// ns for which a grantor is bound by a lease of so many ms (RULES A3).
    func binding(_ leaseMillis: UInt64) -> UInt64 {
        let quarters: UInt64 = Mutant.a3NoMarginForDrift.isOn ? 4 : Limits.grantorQuarters
        let bound = leaseMillis.multipliedReportingOverflow(by: 1_000_000 / 4 * quarters)
        return bound.overflow ? UInt64.max / 4 : bound.partialValue
    }

    /// The periodic work of shared replicas.
    mutating func tickReplicas() {
        guard !replication.shared.isEmpty else { return }
        startLapsed()
        commitWithoutReaders()
        if now.monotonic >= replication.nextBeat {
            replication.nextBeat = now.monotonic + leastLease / 4
            beatReplicas()
            watchWall()
        }
        tellCommits()
        considerProposals()
        if !replication.held.isEmpty { sendHeld() }
    }

    /// Asks every node with followers for leases, all shards in one beat; who has not reconciled yet is asked to.
    mutating func beatReplicas() {
        var shards: [NodeID: [ReplicaBeat.Shard]] = [:]
        // One that waits in vain for a release binds nobody: any member may seal the others.
        for index in replication.shared where replicas[index].isLeading && !waitsInVain(index) {
            comparePaces(index)
            for place in replicas[index].followers.indices {
                let node = replicas[index].followers[place].member.node
                let heardAt = replication.beats[node]?.heardAt ?? 0
                shards[node, default: []].append(
                    ReplicaBeat.Shard(
                        shard: ShardID(rawValue: numbers[index].shard), epoch: Epoch(rawValue: numbers[index].epoch),
                        commit: Seq(rawValue: numbers[index].commit),
                        mayRead: givesReads(index, place, heardAt: heardAt)))
                askToReconcile(index, place)
            }
        }
        for node in shards.keys.sorted() {
            guard let own = shards[node] else { continue }
            let nonce = entropy.next()
            var line = replication.beats[node] ?? ReplicationState.BeatLine()
            line.sent.append((nonce, now.monotonic))
            if line.sent.count > 16 { line.sent.removeFirst() }
            replication.beats[node] = line
            outbox(node).append(
                ReplicaBeat(
                    nonce: nonce, heard: line.heard, leaseMillis: settings.leaseMillis, wall: ownWall, shards: own))
        }
    }

    // MARK: The grantor

    mutating func noteBeat(_ beat: ReplicaBeat, from node: NodeID) {
        let lease = min(beat.leaseMillis, settings.leaseMillis)
        var line = replication.beats[node] ?? ReplicationState.BeatLine()
        let answered = line.granted.first { $0.nonce == beat.heard }?.at
        if let answered { hearWall(beat.wall, from: .node(node), sent: answered) }
        line.granted.append((entropy.next(), now.monotonic))
        if line.granted.count > 16 { line.granted.removeFirst() }
        replication.beats[node] = line
        var grant = ReplicaGrant(
            nonce: beat.nonce, own: line.granted.last?.nonce ?? 0, leaseMillis: lease, pace: ownPace(), wall: ownWall,
            shards: [], newer: [])
        var isAdvanced = false
        for shard in beat.shards {
            guard let index = replicaIndex[shard.shard] else {
                if let known = routes.shard(shard.shard), known.epoch > shard.epoch { grant.newer.append(known) }
                continue
            }
            if numbers[index].epoch > shard.epoch.rawValue, !Mutant.a12GrantsAnyEpoch.isOn {
                grant.newer.append(replicas[index].configuration)
            } else if replicas[index].isSealed {
                if numbers[index].epoch == shard.epoch.rawValue { tellSealed(index, to: node) }
            } else if grants(index, shard, node) {
                replicas[index].boundUntil = max(replicas[index].boundUntil, now.monotonic + binding(lease))
                replicas[index].candidacy = nil
                grant.shards.append(
                    ReplicaGrant.Shard(
                        shard: shard.shard, epoch: shard.epoch,
                        incarnation: Incarnation(rawValue: numbers[index].incarnation),
                        last: Seq(rawValue: numbers[index].last),
                        durable: replicas[index].isReconciled ? reconciled(index).last : .zero))
                isAdvanced = adoptCommit(shard.commit.rawValue, index) || isAdvanced
                replicas[index].heardAt = now.monotonic
                replicas[index].saidCommit = shard.commit.rawValue
                if shard.mayRead, let answered {
                    let start = Mutant.a9ReadLeaseFromReceipt.isOn ? now.monotonic : answered
                    noteReadLease(index, until: start + lease * 1_000_000)
                }
                updateReading(index)
            }
        }
        findEarliestLease()
        outbox(node).append(grant)
        if isAdvanced { commitAdvanced() }
    }

    /// Only to the primary of the very epoch that is promised durably here.
    private func grants(_ index: Int, _ shard: ReplicaBeat.Shard, _ node: NodeID) -> Bool {
        let isOwn =
            numbers[index].epoch == shard.epoch.rawValue && replicas[index].configuration.primary?.node == node
        return replicas[index].state == .following && (isOwn || Mutant.a12GrantsAnyEpoch.isOn)
            && (replicas[index].promiseTicket <= replication.durableTicket || Mutant.c3AnswersBeforePromise.isOn)
    }

    // MARK: The holder

    mutating func noteGrant(_ grant: ReplicaGrant, from node: NodeID) {
        let beats = replication.beats[node]?.sent ?? []
        guard var sent = beats.first(where: { $0.nonce == grant.nonce })?.at else { return }
        hearWall(grant.wall, from: .node(node), sent: sent)
        if Mutant.a2AnswersNewestBeat.isOn { sent = beats.last?.at ?? sent }
        if Mutant.a2CountsFromReceipt.isOn { sent = now.monotonic }
        let granted = Mutant.a11OwnLengthOfLease.isOn ? settings.leaseMillis : grant.leaseMillis
        let until = sent + min(granted, settings.leaseMillis) * 1_000_000
        replication.beats[node]?.heard = grant.own
        replication.beats[node]?.heardAt = now.monotonic
        replication.beats[node]?.grantedMillis = grant.leaseMillis
        replication.beats[node]?.pace = grant.pace
        if grant.leaseMillis < settings.leaseMillis {
            // The next beat may have been put off for longer than this grant lasts.
            replication.nextBeat = min(replication.nextBeat, now.monotonic + leastLease / 4)
        }
        var isAdvanced = false
        for shard in grant.shards {
            let ack = Reconciled(
                shard: shard.shard, epoch: shard.epoch, incarnation: shard.incarnation, last: shard.durable)
            guard let (index, place) = follower(ack, node) else { continue }
            replicas[index].followers[place].grantUntil = max(replicas[index].followers[place].grantUntil, until)
            if replicas[index].followers[place].isReconciled {
                isAdvanced = raise(index, place, durable: shard.durable.rawValue) || isAdvanced
                noteProgress(index, place, last: shard.last.rawValue)
            }
            updateServing(index)
        }
        findEarliestLease()
        for newer in grant.newer { noteCorrection(newer) }
        if isAdvanced { commitAdvanced() }
    }

    /// A follower that has not got further between two beats lacks something that was sent: from there on once more.
    private mutating func noteProgress(_ index: Int, _ place: Int, last: UInt64) {
        let follower = replicas[index].followers[place]
        replicas[index].followers[place].saidLast = last
        guard follower.lesson == nil else { return }
        if last < follower.sent, follower.saidLast == last, follower.acked <= last, !Mutant.d1SendsOnce.isOn {
            replicas[index].followers[place].sent = last
            replicas[index].followers[place].acked = min(follower.acked, last)
        }
        resend(index, place)
    }

    /// Whether the replica may answer now.
    mutating func updateServing(_ index: Int) {
        guard replicas[index].state == .serving else { return }
        let isServing = leaseEnd(index) > now.monotonic && !replicas[index].isSealed
        if replicas[index].configuration.policy.ack != .all { countInSync(index) }
        if isServing != numbers[index].isServing {
            numbers[index].isServing = isServing
            servingChanged = true
            beats.isDue = true
        }
        // One that begins to serve, or that needs one grant more, is looked at from now on, not from its next grant on.
        if !Mutant.a1LeaseBeginsUnseen.isOn {
            replication.earliestLease = min(replication.earliestLease, answersUntil(index))
        }
    }

    /// With ack below all members stay members while they are away: writes need as many that are here (RULES C10). In a new
    /// epoch they have a lease's time to be heard.
    private mutating func countInSync(_ index: Int) {
        let isNew = now.monotonic - replicas[index].adopted < leaseNanos
        let here = replicas[index].followers.count { !$0.isLearner && (isNew || $0.grantUntil > now.monotonic) }
        numbers[index].isWritable = 1 + here >= replicas[index].configuration.policy.minInSync
    }

    /// Until when the replica holds grants of as many members as it needs: all, or with ack below all so many that any
    /// quorum that is sealed has one of them (RULES A10). A learner whose promotion is asked for is needed, too (C6).
    func leaseEnd(_ index: Int) -> UInt64 {
        let shard = replicas[index].configuration
        var end = UInt64.max
        guard shard.policy.ack != .all else {
            for follower in replicas[index].followers where follower.counts { end = min(end, follower.grantUntil) }
            return end
        }
        var grants: [UInt64] = []
        for follower in replicas[index].followers {
            if !follower.isLearner { grants.append(follower.grantUntil) }
            if follower.isPromoting { end = min(end, follower.grantUntil) }
        }
        let needed = Mutant.a10LivesAlone.isOn ? 0 : shard.electorate.leaseQuorum - 1
        return needed <= 0 ? end : min(end, grants.sorted(by: >)[needed - 1])
    }

    mutating func findEarliestLease() {
        var earliest = UInt64.max
        for index in replication.shared { earliest = min(earliest, answersUntil(index)) }
        replication.earliestLease = earliest
    }

    /// Ends the serving of replicas whose lease is over by the clock. Returns whether there was one.
    @discardableResult
    mutating func expireLeases() -> Bool {
        var isExpired = false
        for index in replication.shared where answersUntil(index) <= now.monotonic {
            numbers[index].isServing = false
            numbers[index].mayRead = false
            isExpired = true
            effects.emit(note(.debug, "its leases have lapsed: it waits for new ones", replica: index))
        }
        findEarliestLease()
        return isExpired
    }

    /// A lease ran out between the start of the turn and its end: what was read in it may be old (RULES A1). Nobody is told:
    /// the connections are closed, forwarded commands get no answer.
    mutating func distrustReplies() {
        for place in dirty where connections[place].isOpen && !connections[place].isSession {
            guard !connections[place].out.bytes.isEmpty else { continue }
            connections[place].out.bytes.removeAll()
            connections[place].isClosing = true
            // At once: a reply that still waits for its commit would be taken for the one that was thrown away.
            effects.emit(.close(id(place)))
        }
        gateway.answers.removeAll()
        // What was read and waits behind a write, of its own connection or session, is refused when its turn comes. Some was
        // read long ago, while the lease held; nobody is harmed if that is asked for once more.
        if !Mutant.a1TrustsHeldReplies.isOn { loseReplies { !$0.isLogged && $0.replica >= 0 } }
    }

    // MARK: A primary that has not begun yet

    /// Begins epochs whose primary had to wait for grants of its own to lapse, or for a release (RULES A7, C13).
    private mutating func startLapsed() {
        var isStarted = false
        for index in replication.shared
        where replicas[index].state == .starting && !replicas[index].hasBegun && mayBegin(index) {
            startEpoch(index)
            isStarted = true
        }
        if isStarted { listTicking() }
    }

    /// Whether every grant it gave in earlier epochs has lapsed, or the former primary released it. One that took over alone
    /// is bound like any other: between its request and the new epoch it may have granted once more (RULES A7).
    func mayBegin(_ index: Int) -> Bool {
        let shard = replicas[index].configuration
        guard !replicas[index].isSealed else { return false }
        if Mutant.a7BeginsAtOnce.isOn || Mutant.c13BeginsUnreleased.isOn && shard.handedOverFrom != nil { return true }
        if let release = releases[shard.id], release.epoch == shard.epoch {
            if isReleased(index, release) { return true }
            // A shard of one copy is handed over while it is empty: there is no log to wait for.
            if release.isEmpty, replicas[index].awaitsRelease, !shard.isCopied { return true }
        }
        guard now.monotonic >= replicas[index].boundUntil else { return false }
        // Without a release, with ack below all, the log here may lack what was committed: see `waitsInVain`.
        return !replicas[index].awaitsRelease || shard.isCopied && electorates(index).isEmpty
    }

    /// Whether a release is for this epoch, and its log here is durable up to the very record it names.
    func isReleased(_ index: Int, _ release: Release) -> Bool {
        release.epoch.rawValue == numbers[index].epoch && release.lastSeq.rawValue == numbers[index].last
            && release.lastEpoch == replicas[index].lastEpoch && numbers[index].durable >= numbers[index].last
    }
}
