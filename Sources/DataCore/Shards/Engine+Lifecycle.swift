import ClusterModel

// A replica's life here: promised, started by its epoch-start record, serving, stopped by a newer epoch, dropped.
extension Engine {
    /// Obeys every configuration of the map that concerns this node.
    mutating func adoptConfigurations() {
        for shard in routes.sortedShards {
            if let held = replicaIndex[shard.id] {
                guard shard.epoch > replicas[held].configuration.epoch else { continue }
                adopt(shard, held)
            } else if let member = shard.primary, member.node == settings.id, shard.primaryBoot == settings.boot {
                create(shard, member)
            }
        }
        for held in replicas.indices where replicas[held].state != .dropped {
            let shard = replicas[held].configuration
            if routes.shard(shard.id) == nil, routes.version > .zero { drop(held) }
        }
    }

    /// A shard that is new here.
    private mutating func create(_ shard: ShardConfiguration, _ member: Member) {
        let usesSlots = routes.keyspace(shard.keyspace)?.scheme.kind.usesSlots ?? true
        let store = StoreID(shard: shard.id, incarnation: member.incarnation)
        let index = addReplica(
            Replica(
                store: store, configuration: shard, state: .starting,
                keyspace: UInt32(truncatingIfNeeded: shard.keyspace.rawValue), active: .none, lastEpoch: .none),
            usesSlots: usesSlots)
        effects.emit(.openStore(store, usesSlots: usesSlots))
        promise(index)
        // A shard whose role was handed over starts only at the former primary's word (RULES C13).
        if shard.handedOverFrom == nil || releases[shard.id] == shard.epoch {
            startEpoch(index)
        } else {
            replicas[index].awaitsRelease = true
        }
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
        let former = replicas[held].configuration
        replicas[held].configuration = shard
        guard let member = shard.primary, member.node == settings.id,
            member.incarnation == replicas[held].store.incarnation
        else { return leave(held, to: shard, former: former) }
        guard shard.primaryBoot == settings.boot else { return }
        let wasServing = numbers[held].isServing
        numbers[held].epoch = shard.epoch.rawValue
        numbers[held].isServing = false
        promise(held)
        if former.primary?.node == settings.id, wasServing || replicas[held].state != .stopped {
            // This process itself was primary of the former epoch, or comes back as its only member: nobody to wait for.
            startEpoch(held)
        } else if shard.handedOverFrom == nil || releases[shard.id] == shard.epoch {
            startEpoch(held)
        } else {
            replicas[held].state = .starting
            replicas[held].awaitsRelease = true
        }
    }

    /// Logs the promise: the highest epoch and configuration this replica acts in (RULES C3).
    private mutating func promise(_ index: Int) {
        appendControl(index, kind: .promise, seq: numbers[index].last)
    }

    /// Logs the epoch-start record; the shard serves when it commits (RULES C2).
    mutating func startEpoch(_ index: Int) {
        replicas[index].state = .starting
        replicas[index].awaitsRelease = false
        numbers[index].last += 1
        numbers[index].start = numbers[index].last
        appendControl(index, kind: .epochStart, seq: numbers[index].last)
    }

    private mutating func appendControl(_ index: Int, kind: RecordKind, seq: UInt64) {
        touch(replica: index, seq: seq)
        scratch.removeAll()
        replicas[index].configuration.encode(into: &scratch)
        batch.beginRecord(
            shard: ShardID(rawValue: numbers[index].shard),
            incarnation: Incarnation(rawValue: numbers[index].incarnation),
            epoch: Epoch(rawValue: numbers[index].epoch), seq: Seq(rawValue: seq), kind: kind)
        batch.append(scratch.view)
        batch.endRecord()
    }

    /// The epoch-start record committed.
    mutating func beginServing(_ index: Int) {
        replicas[index].state = .serving
        replicas[index].active = replicas[index].configuration.epoch
        replicas[index].lastEpoch = replicas[index].configuration.epoch
        numbers[index].isServing = true
        effects.emit(note(.info, "serving", replica: index))
        beats.isDue = true
        servingChanged = true
    }

    /// Another member is primary now: this one stops, says so, and releases at its last record (RULES C13).
    private mutating func leave(_ held: Int, to shard: ShardConfiguration, former: ShardConfiguration) {
        numbers[held].isServing = false
        replicas[held].state = .stopped
        beats.isDue = true
        guard former.primary?.node == settings.id, let target = shard.primary?.node else { return }
        let isEmpty = !numbers[held].hasData
        let release = Release(
            shard: shard.id, epoch: shard.epoch, target: target, boot: settings.boot,
            lastEpoch: replicas[held].lastEpoch, lastSeq: Seq(rawValue: numbers[held].last), isEmpty: isEmpty)
        guard isEmpty else {
            effects.emit(
                note(
                    .error,
                    "the shard was given to \(target), which has no copy: it stays closed here, "
                        + "its data is kept; give it back by META.RECONFIGURE", replica: held))
            return
        }
        effects.emit(note(.info, "released to \(target)", replica: held))
        effects.emit(.release(to: target, release))
        drop(held)
    }

    /// A former primary's word. It may come before or after the configuration it is about.
    mutating func noteRelease(_ release: Release) {
        guard release.target == settings.id else { return }
        releases[release.shard] = release.epoch
        guard let held = replicaIndex[release.shard], replicas[held].awaitsRelease,
            replicas[held].configuration.epoch == release.epoch, release.isEmpty
        else { return }
        startEpoch(held)
    }

    /// Forgets a replica and its store.
    mutating func drop(_ held: Int) {
        guard replicas[held].state != .dropped else { return }
        touch(replica: held, seq: numbers[held].last)
        batch.beginRecord(
            shard: ShardID(rawValue: numbers[held].shard),
            incarnation: Incarnation(rawValue: numbers[held].incarnation),
            epoch: Epoch(rawValue: numbers[held].epoch), seq: Seq(rawValue: numbers[held].last), kind: .drop)
        batch.endRecord()
        replicas[held].state = .dropped
        numbers[held].isServing = false
        numbers[held].isLost = true
        replicaIndex[replicas[held].configuration.id] = nil
        let replica = Int32(truncatingIfNeeded: held)
        rows.removeAll { $0.replica == replica && !$0.isLoading }
        effects.emit(.dropStore(replicas[held].store))
        releaseWaiting()
    }

    // MARK: Start

    /// What the directory holds: replicas wait for a new epoch, since a restarted primary never resumes its own (C11).
    mutating func recover(_ node: RecoveredNode) {
        cluster = node.cluster
        for found in node.replicas {
            let store = StoreID(shard: found.shard, incarnation: found.incarnation)
            let index = addReplica(
                Replica(
                    store: store, configuration: found.configuration, state: .stopped,
                    keyspace: UInt32(truncatingIfNeeded: found.configuration.keyspace.rawValue), active: .none,
                    lastEpoch: found.lastEpoch), usesSlots: found.configuration.range.isSlots)
            numbers[index].last = found.last.rawValue
            numbers[index].durable = found.last.rawValue
            numbers[index].applied = found.applied.rawValue
            numbers[index].commit = found.applied.rawValue
            numbers[index].time = found.time
            numbers[index].hasData = true
            effects.emit(.openStore(store, usesSlots: found.configuration.range.isSlots))
        }
        for batch in node.batches { replay(batch) }
        beats.isDue = true
    }

    /// Refills the overlay from a batch that is in the log and not, or not all, in the stores.
    private mutating func replay(_ batch: LogBatch) {
        var marks: [Touched] = []
        batch.forEachRecord { header, payload in
            guard let index = replicaIndex[header.shard], replicas[index].store.incarnation == header.incarnation else {
                return
            }
            if header.kind.isNumbered, header.seq.rawValue > numbers[index].applied {
                if header.kind == .data { replay(payload, replica: index, seq: header.seq.rawValue) }
                marks.removeAll { Int($0.replica) == index }
                marks.append(Touched(replica: Int32(truncatingIfNeeded: index), seq: header.seq.rawValue))
            }
        }
        backlog += batch.byteCount
        unapplied.append(BatchNote(batch: batch, touched: marks))
        durableBatches += 1
        nextTicket = max(nextTicket, batch.ticket + 1)
    }

    private mutating func replay(_ payload: ByteView, replica: Int, seq: UInt64) {
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

extension ShardRange {
    /// Whether it is an interval of slots, so that its rows lie in the store by slot.
    var isSlots: Bool {
        if case .slots = self { return true }
        return false
    }
}
