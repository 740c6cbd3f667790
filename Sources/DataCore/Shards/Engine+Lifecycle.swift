import ClusterModel

// A replica's life here: promised, started by its epoch-start record, serving, stopped by a newer epoch, dropped.
extension Engine {
    /// Obeys every configuration of the map that concerns this node.
    mutating func adoptConfigurations() {
        if distrustsMap, routes.version > .zero { endUnknownReplicas() }
        for shard in routes.sortedShards {
            if let held = replicaIndex[shard.id] {
                if shard.epoch > replicas[held].configuration.epoch {
                    adopt(shard, held)
                    replaceIfOutlived(held, shard)
                }
                endIfLeftOut(held)
            } else if !distrustsMap, let own = shard.replica(on: settings.id), isNew(own, of: shard) {
                create(shard, own)
            }
        }
        for held in replicas.indices where replicas[held].state != .dropped {
            let shard = replicas[held].configuration
            if routes.shard(shard.id) == nil, routes.version > .zero { drop(held) }
        }
        listTicking()
        findEarliestLease()
    }

    /// A copy of this node is wanted under a new number: the one from its earlier life goes, and that one is made. Where it
    /// may be the only copy it stays.
    private mutating func replaceIfOutlived(_ held: Int, _ shard: ShardConfiguration) {
        guard shard.isCopied, let own = shard.replica(on: settings.id),
            own.incarnation > replicas[held].store.incarnation, !shard.members.contains(own)
        else { return }
        drop(held)
        create(shard, own)
    }

    /// Whether a replica that is not here is to be made: not one that was dropped before, whose number is never used again
    /// (RULES C14), and no primary's that the configuration gives to another boot.
    private func isNew(_ own: Member, of shard: ShardConfiguration) -> Bool {
        if let dropped = dropped[shard.id], own.incarnation <= dropped.incarnation { return false }
        return shard.primary != own || shard.primaryBoot == settings.boot
    }

    /// A shard that is new here.
    private mutating func create(_ shard: ShardConfiguration, _ own: Member) {
        let usesSlots = routes.keyspace(shard.keyspace)?.scheme.kind.usesSlots ?? true
        let store = StoreID(shard: shard.id, incarnation: own.incarnation)
        let index = addReplica(
            Replica(
                store: store, configuration: shard, state: .stopped,
                keyspace: UInt32(truncatingIfNeeded: shard.keyspace.rawValue), active: .none, lastEpoch: .none),
            usesSlots: usesSlots)
        effects.emit(.openStore(store, usesSlots: usesSlots))
        takeRole(index, former: nil)
    }

    /// By what name the configurations of its shard know a replica that is here.
    func ownMember(_ index: Int) -> Member {
        Member(node: settings.id, incarnation: replicas[index].store.incarnation)
    }

    mutating func addReplica(_ replica: Replica, usesSlots: Bool) -> Int {
        let index = replicas.count
        replicas.append(replica)
        numbers.append(
            ReplicaNumbers(
                shard: replica.configuration.id.rawValue, incarnation: replica.store.incarnation.rawValue,
                epoch: replica.configuration.epoch.rawValue, last: 0, durable: 0, commit: 0, applied: 0, flushed: 0,
                start: 0, time: 0, isServing: false, isLost: false, usesSlots: usesSlots, hasData: false, ticket: 0))
        replicaIndex[replica.configuration.id] = index
        return index
    }

    /// A newer configuration of a shard held here.
    private mutating func adopt(_ shard: ShardConfiguration, _ held: Int) {
        for place in replicas[held].followers.indices { endWalks(held, place) }
        let former = Former(
            configuration: replicas[held].configuration, state: replicas[held].state,
            hasServed: numbers[held].isServing, followers: replicas[held].followers)
        replicas[held].configuration = shard
        takeRole(held, former: former)
    }

    /// What a replica was before it adopted a configuration.
    struct Former {
        var configuration: ShardConfiguration
        var state: Replica.State
        var hasServed: Bool
        var followers: [Follower]

        func wasLed(by node: NodeID) -> Bool { configuration.primary?.node == node }
    }

    /// Begins to act in the configuration the replica has now.
    mutating func takeRole(_ index: Int, former: Former?) {
        let shard = replicas[index].configuration
        numbers[index].epoch = shard.epoch.rawValue
        numbers[index].isServing = false
        numbers[index].mayRead = false
        replicas[index].readUntil = 0
        replicas[index].heardAt = 0
        numbers[index].isWritable =
            shard.members.count >= shard.policy.minInSync || Mutant.c10WritesBelowMinInSync.isOn
        if Mutant.a7GrantsEndWithEpoch.isOn { replicas[index].boundUntil = 0 }
        replicas[index].followers = []
        replicas[index].hasBegun = false
        replicas[index].awaitsRelease = false
        replicas[index].isReconciled = false
        replicas[index].proposal = nil
        replicas[index].slowSince = 0
        replicas[index].candidacy = nil
        replicas[index].lesson = nil
        replicas[index].learned = Learned()
        // Writes of another primary are not seen here as they are logged (RULES G4).
        if !watchers.isEmpty { dirtyWatchers(replica: index) }
        replicas[index].adopted = now.monotonic
        beats.isDue = true
        guard let own = shard.replica(on: settings.id), own.incarnation == replicas[index].store.incarnation else {
            return leave(index, former)
        }
        guard shard.primary != own || shard.primaryBoot == settings.boot || Mutant.c11ResumesEpoch.isOn else {
            // Another boot of this node was meant; the metadata group will make an epoch for this one (RULES C11).
            replicas[index].state = .stopped
            return
        }
        promise(index)
        if shard.primary == own { lead(index, former) } else { follow(index, former) }
    }

    /// Primary of a new epoch: begins now, or when nobody can be misled by it any more (RULES A7, C13).
    private mutating func lead(_ index: Int, _ former: Former?) {
        let shard = replicas[index].configuration
        replicas[index].state = .starting
        replicas[index].followers =
            shard.members.dropFirst().map { Follower(member: $0, isLearner: false) }
            + shard.learners.map { Follower(member: $0, isLearner: true) }
        let ledBefore = former.map { $0.wasLed(by: settings.id) && ($0.hasServed || $0.state != .stopped) } ?? false
        if let former, shard.handedOverFrom != nil, !ledBefore {
            replicas[index].awaitsRelease = !Mutant.c13BeginsUnreleased.isOn
            replicas[index].formerEpoch = former.configuration.epoch
            // What the former primary still sends is taken, so that its last record is here when it lets go.
            replicas[index].isReconciled = former.state == .following
        } else if former == nil, shard.handedOverFrom != nil {
            replicas[index].awaitsRelease = true
        }
        if let former {
            let gone = readersGone(
                index, former.configuration, former.followers,
                wasLeader: former.wasLed(by: settings.id) && former.state != .stopped)
            replicas[index].readersGone = max(replicas[index].readersGone, gone)
        }
        if mayBegin(index) { startEpoch(index) }
    }

    /// Which replicas the clock has work for: those with other replicas elsewhere, and those that wait to begin.
    mutating func listTicking() {
        replication.shared = replicas.indices.filter { index in
            let replica = replicas[index]
            return replica.isShared
                ? replica.isLeading || replica.state == .following
                : replica.state == .starting && (!replica.hasBegun || replica.readersGone > 0)
        }
    }

    /// Secondary or learner of a new epoch: waits for its primary's word. A primary that handed over lets go first, at its
    /// last record.
    private mutating func follow(_ index: Int, _ former: Former?) {
        replicas[index].state = .following
        replicas[index].patientUntil = now.monotonic + 2 * settings.leaseMillis * 1_000_000
        if let former, former.wasLed(by: settings.id) { letGo(index) }
    }

    /// Says to the primary of the new epoch that nothing more comes from here (RULES C13).
    private mutating func letGo(_ index: Int) {
        guard let target = replicas[index].configuration.primary?.node else { return }
        // What was logged and not yet sent goes first.
        persistBatch()
        emitReplication()
        let release = Release(
            shard: replicas[index].configuration.id, epoch: replicas[index].configuration.epoch, target: target,
            boot: settings.boot, lastEpoch: replicas[index].lastEpoch, lastSeq: Seq(rawValue: numbers[index].last),
            isEmpty: !numbers[index].hasData)
        effects.emit(note(.info, "released to \(target)", replica: index))
        effects.emit(.release(to: target, release))
    }

    /// Logs the promise: the highest epoch and configuration this replica acts in (RULES C3).
    private mutating func promise(_ index: Int) {
        replicas[index].promiseTicket = nextTicket
        appendControl(index, kind: .promise, seq: numbers[index].last)
    }

    /// Logs the epoch-start record; the shard serves when it commits (RULES C2).
    mutating func startEpoch(_ index: Int) {
        replicas[index].state = .starting
        replicas[index].awaitsRelease = false
        replicas[index].isReconciled = false
        replicas[index].hasBegun = true
        numbers[index].last += 1
        numbers[index].start = numbers[index].last
        replicas[index].lastEpoch = replicas[index].configuration.epoch
        replicas[index].epochs.append(
            EpochStart(epoch: replicas[index].configuration.epoch, first: Seq(rawValue: numbers[index].last)))
        appendControl(index, kind: .epochStart, seq: numbers[index].last)
        askToReconcile(index)
        if Mutant.c2ServesBeforeStart.isOn { beginServing(index) }
    }

    /// Logs the promise to act in no epoch below one, with the configuration the replica has (RULES C7).
    mutating func logSeal(_ index: Int, _ epoch: Epoch) {
        replicas[index].promiseTicket = nextTicket
        appendControl(index, kind: .promise, epoch: epoch, seq: numbers[index].last)
    }

    private mutating func appendControl(_ index: Int, kind: RecordKind, epoch: Epoch? = nil, seq: UInt64) {
        touch(replica: index, seq: seq)
        scratch.removeAll()
        replicas[index].configuration.encode(into: &scratch)
        batch.beginRecord(
            shard: ShardID(rawValue: numbers[index].shard),
            incarnation: Incarnation(rawValue: numbers[index].incarnation),
            epoch: epoch ?? Epoch(rawValue: numbers[index].epoch), seq: Seq(rawValue: seq), kind: kind)
        batch.append(scratch.view)
        batch.endRecord()
    }

    /// The epoch-start record committed.
    mutating func beginServing(_ index: Int) {
        replicas[index].state = .serving
        replicas[index].active = replicas[index].configuration.epoch
        if replicas[index].isShared { updateServing(index) } else { numbers[index].isServing = true }
        effects.emit(note(.info, "serving", replica: index))
        beats.isDue = true
        servingChanged = true
    }

    /// No replica of the new configuration: it stops.
    private mutating func leave(_ held: Int, _ former: Former?) {
        replicas[held].state = .stopped
        let shard = replicas[held].configuration
        guard let former else { return }
        let own = ownMember(held)
        if shard.isCopied || former.configuration.isCopied || former.configuration.mayAsk(own) {
            promise(held)
            if former.wasLed(by: settings.id) { letGo(held) }
            // What is not known to be committed stays in the log, undecided: this copy may be needed again.
            loseReplies(held, above: numbers[held].commit)
            // As many others hold the data as there should be: each of them has all of it. With ack below all that is so
            // only once nobody need be asked any more who was left out.
            let isNeeded = shard.policy.ack != .all && shard.electorates.contains { $0.members.contains(own) }
            if shard.members.count >= shard.policy.replicas, !isNeeded { drop(held) }
            return
        }
        guard former.wasLed(by: settings.id), let target = shard.primary?.node else { return }
        guard !numbers[held].hasData else {
            return effects.emit(
                note(
                    .error,
                    "the shard was given to \(target), which has no copy: it stays closed here, "
                        + "its data is kept; give it back by META.RECONFIGURE", replica: held))
        }
        letGo(held)
        drop(held)
    }

    /// A copy that was left out goes when it leaves; if the process ended between its promise and its end, it goes now. What
    /// was committed is held by a configuration that was active without it.
    private mutating func endIfLeftOut(_ held: Int) {
        guard replicas[held].state == .stopped, !Mutant.e8KeepsLeftCopies.isOn else { return }
        let shard = replicas[held].configuration
        let own = ownMember(held)
        guard shard.replica(on: settings.id) != own, !shard.unsettled.contains(where: { $0.members.contains(own) }),
            shard.members.count >= shard.policy.replicas
        else { return }
        drop(held)
    }

    /// A former primary's word. It may come before or after the configuration it is about.
    mutating func noteRelease(_ release: Release) {
        guard release.target == settings.id else { return }
        releases[release.shard] = release
        guard let held = replicaIndex[release.shard], replicas[held].awaitsRelease,
            replicas[held].configuration.epoch == release.epoch
        else { return }
        if mayBegin(held) { startEpoch(held) }
    }

    /// Forgets a replica and its store.
    mutating func drop(_ held: Int) {
        guard replicas[held].state != .dropped else { return }
        touch(replica: held, seq: numbers[held].last)
        let store = replicas[held].store
        let promised = max(Epoch(rawValue: numbers[held].epoch), replicas[held].sealedBelow)
        noteDropped(store.shard, ReplicaEnd(store.incarnation, promised: promised))
        replicas[held].state = .dropped
        numbers[held].isServing = false
        numbers[held].isLost = true
        evictionRests = false
        replicaIndex[replicas[held].configuration.id] = nil
        let replica = Int32(truncatingIfNeeded: held)
        rows.removeAll { $0.replica == replica && !$0.isLoading }
        effects.emit(.dropStore(replicas[held].store))
        releaseWaiting()
    }
}
