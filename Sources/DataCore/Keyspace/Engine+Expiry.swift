import ClusterModel

/// Where the search for rows whose deadline has passed is.
///
/// Every row with a deadline has a hint beside it in the store, keyed by deadline, so that nobody walks all rows. A hint
/// decides nothing: the row's own deadline does (DESIGN.md section 5), and only the primary's record deletes (RULES F6).
struct ExpiryCycle {
    /// Replicas are visited in turn.
    var next = 0
    /// The walk under way, by its number.
    var walk: UInt64?
    var replica = -1
    /// Keys whose hints fell due; their rows are being loaded.
    var due: [[UInt8]] = []
    /// The last hint of `due`: all up to it can go once the keys were looked at.
    var through: [UInt8] = []
    /// ns.
    var last: UInt64 = 0

    /// ns between two visits.
    static let interval: UInt64 = 100_000_000
    /// Hints looked at in one visit.
    static let limit = 256
}

extension Engine {
    /// One step of the search; called every tick.
    mutating func expireRows() {
        if !expiry.due.isEmpty { return expireDue() }
        guard expiry.walk == nil, now.monotonic &- expiry.last >= ExpiryCycle.interval, !replicas.isEmpty else {
            return
        }
        expiry.last = now.monotonic
        for _ in replicas.indices {
            expiry.next = (expiry.next + 1) % replicas.count
            guard numbers[expiry.next].isServing else { continue }
            expiry.replica = expiry.next
            expiry.walk = nextWalk
            effects.emit(
                .scan(
                    Scan(
                        id: nextWalk, store: replicas[expiry.next].store, usesSlots: numbers[expiry.next].usesSlots,
                        from: [RowKey.hintKind], to: RowKey.hint(deadline: now.wall + 1, key: []),
                        limit: ExpiryCycle.limit, isRaw: true, now: 0)))
            nextWalk += 1
            return
        }
    }

    /// Hints that fell due: their rows are asked for, and judged in a later tick.
    mutating func noteHints(_ scan: Scan) {
        expiry.walk = nil
        guard expiry.replica >= 0, numbers[expiry.replica].isServing, replicas[expiry.replica].store == scan.store,
            !scan.isFailed, scan.rows > 0
        else { return }
        for index in 0..<scan.rows {
            let hint = scan.key(index)
            guard let key = RowKey.key(ofHint: hint) else { continue }
            expiry.due.append(key.array)
            _ = ensureRow(key, replica: expiry.replica, keyspace: replicas[expiry.replica].keyspace)
            if index == scan.rows - 1 { expiry.through = hint.array }
        }
    }

    /// Deletes what is past its deadline, once all rows in question are in memory.
    private mutating func expireDue() {
        let replica = expiry.replica
        guard numbers[replica].isServing else {
            expiry.due = []
            return
        }
        let keyspace = replicas[replica].keyspace
        guard backlog < settings.backlogBytes else { return }
        for key in expiry.due {
            let isUnknown = key.withByteView { view in
                rows.find(hash(view, keyspace: keyspace), keyspace: keyspace, key: view)?.isUnknown ?? false
            }
            if isUnknown { return }
        }
        let due = expiry.due
        expiry.due = []
        for key in due { key.withByteView { expire($0, replica: replica, keyspace: keyspace) } }
        effects.emit(.forgetHints(replicas[replica].store, through: expiry.through))
    }

    private mutating func expire(_ key: ByteView, replica: Int, keyspace: UInt32) {
        guard let row = rows.find(hash(key, keyspace: keyspace), keyspace: keyspace, key: key),
            !row.isUnknown, !row.isAbsent, row.deadline != 0, row.replica == Int32(truncatingIfNeeded: replica),
            row.seq >= numbers[replica].flushed, row.deadline <= max(now.wall, numbers[replica].time)
        else { return }
        var call = unsafe Call(
            arguments: [], count: 0, connection: 0, keyspace: keyspace, replica: replica, target: spare)
        expire(row, &call)
        endRecord(call)
    }
}
