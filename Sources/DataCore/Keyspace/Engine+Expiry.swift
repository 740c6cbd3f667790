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
    /// Loads of rows whose hints fell due: each row is judged when it comes, since it may not stay in memory.
    var loads: Set<UInt64> = []
    /// The last hint of this visit: all up to it can go once the rows were judged.
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
        guard expiry.walk == nil, expiry.loads.isEmpty, now.monotonic &- expiry.last >= ExpiryCycle.interval,
            !replicas.isEmpty
        else {
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
                        from: [RowKey.hintKind], to: RowKey.hint(deadline: expiryWall + 1, key: []),
                        limit: ExpiryCycle.limit, isRaw: true, now: 0)))
            nextWalk += 1
            return
        }
    }

    /// Hints that fell due: their rows are judged, now or when they are loaded.
    mutating func noteHints(_ scan: Scan) {
        expiry.walk = nil
        let replica = expiry.replica
        guard replica >= 0, numbers[replica].isServing, replicas[replica].store == scan.store, !scan.isFailed,
            scan.rows > 0, backlog < settings.backlogBytes
        else { return }
        let keyspace = replicas[replica].keyspace
        for index in 0..<scan.rows {
            guard let key = RowKey.key(ofHint: scan.key(index)) else { continue }
            if let load = ensureRow(key, replica: replica, keyspace: keyspace) {
                expiry.loads.insert(load)
            } else {
                expire(key, replica: replica, keyspace: keyspace)
            }
        }
        expiry.through = scan.key(scan.rows - 1).array
        forgetHintsIfJudged()
    }

    /// A row came; it may be one that a hint asked for.
    mutating func judgeLoaded(_ load: UInt64, _ key: ByteView) {
        guard expiry.loads.remove(load) != nil else { return }
        let replica = expiry.replica
        if numbers[replica].isServing { expire(key, replica: replica, keyspace: replicas[replica].keyspace) }
        forgetHintsIfJudged()
    }

    private mutating func forgetHintsIfJudged() {
        guard expiry.loads.isEmpty, numbers[expiry.replica].isServing else { return }
        effects.emit(.forgetHints(replicas[expiry.replica].store, through: expiry.through))
    }

    private mutating func expire(_ key: ByteView, replica: Int, keyspace: UInt32) {
        guard let row = rows.find(hash(key, keyspace: keyspace), keyspace: keyspace, key: key),
            !row.isUnknown, !row.isAbsent, row.deadline != 0, row.replica == Int32(truncatingIfNeeded: replica),
            row.seq >= numbers[replica].flushed, row.deadline <= time(replica: replica)
        else { return }
        var call = unsafe Call(
            arguments: [], count: 0, connection: 0, keyspace: keyspace, replica: replica, target: spare)
        expire(row, &call)
        endRecord(call)
    }
}
