import ClusterModel

// WATCH: a key is dirty from the logging of a write to it, or once its deadline has passed (RULES G4).
extension Engine {
    mutating func watch(_ call: inout Call, _ spec: CommandSpec) -> Attempt {
        let place = call.connection
        let index = connections[place].keyspace
        switch locate(call, spec) {
        case .refused(let text): return refuseWatch(call, text)
        case .blocked(let block): return .blocked(block)
        case .forward(let entry):
            if connections[place].isSession { return refuseSession(call, keyspaces[index].entries[entry].shard) }
            return watchElsewhere(&call, entry)
        case .here(let replica):
            let shard = replicas[replica].configuration.id
            if let known = connections[place].transaction.watchShard, known != shard {
                return refuseWatch(call, Self.crossSlot)
            }
            if isOrdered(place, shard, behind: nil) { return .blocked(.order) }
            call.replica = replica
            let missing = ensureRows(call, spec)
            if missing > 0 { return .blocked(.rows(missing)) }
            connections[place].transaction.watchShard = shard
            connections[place].transaction.shardKeyspace = connections[place].keyspace
            for position in 1..<call.count { watch(call[position], &call) }
            call.reply.ok()
            return .done
        }
    }

    private func refuseWatch(_ call: Call, _ text: String) -> Attempt {
        call.reply.error(text)
        return .done
    }

    private mutating func watch(_ key: ByteView, _ call: inout Call) {
        let place = call.connection
        // A deadline that has passed is logged now, so that it does not count as a change later.
        _ = row(&call, key)
        endRecordEarly(&call)
        let watched = Transaction.WatchedKey(keyspace: call.keyspace, key: Key(key.array))
        guard !connections[place].transaction.watched.contains(watched) else { return }
        connections[place].transaction.watched.append(watched)
        watchers[watched, default: []].append(id(place))
    }

    /// Ends a record that a look-up began, so that the next look-up may begin its own.
    private mutating func endRecordEarly(_ call: inout Call) {
        endRecord(call)
        call.seq = 0
    }

    mutating func dirtyWatchers(keyspace: UInt32, key: ByteView) {
        if Mutant.g4WritesUnseen.isOn { return }
        let watched = Transaction.WatchedKey(keyspace: keyspace, key: Key(key.array))
        for watcher in watchers[watched] ?? [] {  // order-free: each is marked
            if let place = place(watcher) { connections[place].transaction.isDirty = true }
        }
    }

    /// Everything in the shard was flushed.
    mutating func dirtyWatchers(replica: Int) {
        let shard = replicas[replica].configuration.id
        for place in connections.indices where connections[place].transaction.watchShard == shard {
            connections[place].transaction.isDirty = true
        }
    }

    /// Sees to it that the rows of watched keys are in memory: one that was evicted may have a deadline that has come. Returns
    /// how many loads the connection has to wait for.
    mutating func loadWatched(_ place: Int, replica: Int) -> Int {
        var missing = 0
        for watched in connections[place].transaction.watched {
            missing += watched.key.bytes.withByteView {
                awaitRow($0, replica: replica, keyspace: watched.keyspace, place: place)
            }
        }
        return missing > 0 && isShortOfMemory ? missing + pinWatched(place) : missing
    }

    /// Keeps the rows of watched keys for a transaction that waits for others.
    mutating func pinWatched(_ place: Int) -> Int {
        var pinned = 0
        for watched in connections[place].transaction.watched {
            pinned += watched.key.bytes.withByteView { pin($0, keyspace: watched.keyspace, place: place) }
        }
        return pinned
    }

    /// - Precondition: the watched keys' rows are in memory (`loadWatched`).
    func isWatchedKeyExpired(_ place: Int) -> Bool {
        connections[place].transaction.watched.contains { watched in
            watched.key.bytes.withByteView { key in
                guard let row = rows.find(hash(key, keyspace: watched.keyspace), keyspace: watched.keyspace, key: key)
                else { return false }
                return !row.isAbsent && row.deadline != 0 && row.deadline <= expiryWall
            }
        }
    }

    mutating func unwatch(_ place: Int) {
        let own = id(place)
        for watched in connections[place].transaction.watched {
            watchers[watched]?.removeAll { $0 == own }
            if watchers[watched]?.isEmpty == true { watchers[watched] = nil }
        }
        connections[place].transaction.watched = []
        connections[place].transaction.watchShard = nil
        connections[place].transaction.watchCount = 0
        connections[place].transaction.isDirty = false
    }
}
