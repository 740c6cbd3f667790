import ClusterModel

// Rows that are not in memory: a placeholder in the table, a question to a reader, and commands that wait for the answer.
extension Engine {
    /// Asks for what a command needs and memory lacks. Returns how many answers its connection must wait for.
    mutating func ensureRows(_ call: Call, _ spec: CommandSpec) -> Int {
        guard spec.needsRows(count: call.count) else { return 0 }
        var missing = 0
        for position in spec.keyPositions(count: call.count) {
            missing += awaitRow(call[position], replica: call.replica, keyspace: call.keyspace, place: call.connection)
        }
        guard missing > 0, isShortOfMemory else { return missing }
        for position in spec.keyPositions(count: call.count) {
            missing += pin(call[position], keyspace: call.keyspace, place: call.connection)
        }
        return missing
    }

    /// Has a connection wait for a row that is not in memory. Returns how many answers that adds: 0 or 1.
    mutating func awaitRow(_ key: ByteView, replica: Int, keyspace: UInt32, place: Int) -> Int {
        guard let load = ensureRow(key, replica: replica, keyspace: keyspace) else { return 0 }
        expect(load, place: place)
        return 1
    }

    /// Whether a row that is here now may be gone when another one has come.
    var isShortOfMemory: Bool { rows.bytes > settings.cacheBytes }

    /// Keeps a row for a command that waits for others: it is read with them, and no row goes that is being read. Were it
    /// let go meanwhile, the command would ask for it when the others have come, and for those when it has.
    /// Returns how many answers that adds: 0 or 1.
    mutating func pin(_ key: ByteView, keyspace: UInt32, place: Int) -> Int {
        guard let row = rows.find(hash(key, keyspace: keyspace), keyspace: keyspace, key: key), !row.isLoading,
            !row.isUnknown, !numbers[Int(row.replica)].isLost
        else { return 0 }
        row.raise(Row.Flag.loading)
        expect(ask(key, replica: Int(row.replica), keyspace: keyspace), place: place)
        return 1
    }

    /// Sees to it that a row is in memory. Returns the number of the load that must come first, or nil.
    mutating func ensureRow(_ key: ByteView, replica: Int, keyspace: UInt32) -> UInt64? {
        let hash = hash(key, keyspace: keyspace)
        if let row = rows.find(hash, keyspace: keyspace, key: key) {
            if row.isUnknown { return row.seq }
            if row.replica == Int32(truncatingIfNeeded: replica) { return nil }
            // Left over from a former life of the shard here.
            rows.remove(hash, keyspace: keyspace, key: key)
        }
        if numbers[replica].flushed > numbers[replica].applied { return nil }
        rows.put(
            hash, keyspace: keyspace, replica: Int32(truncatingIfNeeded: replica), key: key, value: .empty, deadline: 0,
            seq: nextLoad, seconds: 0, flags: Row.Flag.unknown | Row.Flag.loading)
        return ask(key, replica: replica, keyspace: keyspace)
    }

    /// Asks the store for a row. Returns the number of the load.
    private mutating func ask(_ key: ByteView, replica: Int, keyspace: UInt32) -> UInt64 {
        let load = nextLoad
        nextLoad += 1
        reads.ask(
            key, keyspace: keyspace, store: replicas[replica].store, usesSlots: numbers[replica].usesSlots, load: load)
        stats.loads += 1
        return load
    }

    /// Notes that a connection waits for a load.
    mutating func expect(_ load: UInt64, place: Int) {
        loads[load, default: []].append(id(place))
    }

    /// Hands the step's questions to the readers.
    mutating func emitReads() {
        guard !reads.isEmpty else { return }
        effects.emit(.read(reads))
        reads = spentReads.popLast() ?? RowBatch()
    }

    /// Answers came. Memory is looked at again first: a write may have passed the read meanwhile.
    mutating func noteRows(_ answers: RowBatch) {
        evictionRests = false
        for (index, item) in answers.items.enumerated() {
            let key = answers.key(index)
            let hash = hash(key, keyspace: item.keyspace)
            if let row = rows.find(hash, keyspace: item.keyspace, key: key), row.isLoading {
                fill(row, hash, item, key, value: answers.value(index))
            }
            judgeLoaded(item.load, key)
            for waiter in loads.removeValue(forKey: item.load) ?? [] { noteLoaded(waiter) }
        }
        answers.removeAll()
        if spentReads.count < 8 { spentReads.append(answers) }
    }

    private mutating func fill(
        _ row: Row, _ hash: UInt64, _ item: RowBatch.Item, _ key: ByteView, value: ByteView
    ) {
        guard row.isUnknown else {
            row.clear(Row.Flag.loading)
            return
        }
        let replica = Int(row.replica)
        guard row.seq == item.load, replicas[replica].store == item.store, item.outcome != .failed else {
            if item.outcome == .failed { rows.remove(hash, keyspace: item.keyspace, key: key) }
            return
        }
        row.clear(Row.Flag.loading | Row.Flag.unknown)
        rows.put(
            hash, keyspace: item.keyspace, replica: row.replica, key: key,
            value: item.outcome == .found ? value : .empty, deadline: item.deadline, seq: numbers[replica].applied,
            seconds: UInt32(truncatingIfNeeded: now.wall / 1000), flags: item.outcome == .found ? 0 : Row.Flag.absent)
    }

    private mutating func noteLoaded(_ waiter: ConnectionID) {
        guard let place = place(waiter), case .rows(let left) = connections[place].block else { return }
        if left <= 1 {
            unblock(place)
        } else {
            connections[place].block = .rows(left - 1)
        }
    }
}

extension CommandSpec {
    /// Whether a command of so many arguments reads the rows of its keys.
    @inline(__always) func needsRows(count: Int) -> Bool {
        switch rows {
        case .none: false
        case .keys: true
        case .unlessPlain: count > 3
        }
    }
}
