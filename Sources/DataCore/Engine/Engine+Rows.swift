import ClusterModel

// What commands do with rows: read the live version, put, remove. A change goes to the log record of the call and to the
// row table in one breath, so that the overlay is always what the log says.
extension Engine {
    /// ms since 1970 by which deadlines of this replica are over: its records' time never runs back (RULES A13).
    @inline(__always) func time(replica: Int) -> Int64 { max(expiryWall, numbers[replica].time) }

    @inline(__always) func time(_ call: Call) -> Int64 { call.replica < 0 ? expiryWall : time(replica: call.replica) }

    /// ms since 1970 from which a deadline is given that is so far off, never before `time`.
    @inline(__always) func timeToCountFrom(_ call: Call) -> Int64 {
        call.replica < 0 ? now.wall : max(now.wall, numbers[call.replica].time)
    }

    @inline(__always) private var seconds: UInt32 { UInt32(truncatingIfNeeded: now.wall / 1000) }

    /// The live row of a key; nil when it has no value, or when its deadline has passed, which is logged here. The
    /// reference is valid until the next put or remove.
    /// - Precondition: the row is in memory (`ensureRows`), or the shard was flushed since the store was.
    mutating func row(_ call: inout Call, _ key: ByteView) -> Row? {
        let hash = hash(key, keyspace: call.keyspace)
        guard let row = rows.find(hash, keyspace: call.keyspace, key: key) else {
            call.wait = max(call.wait, numbers[call.replica].flushed)
            return nil
        }
        return live(row, &call)
    }

    @inline(__always)
    mutating func live(_ row: Row, _ call: inout Call) -> Row? {
        if row.isUnknown || row.replica != Int32(truncatingIfNeeded: call.replica) { return nil }
        let flushed = numbers[call.replica].flushed
        if row.seq < flushed {
            call.wait = max(call.wait, flushed)
            return nil
        }
        call.wait = max(call.wait, row.seq)
        if row.isAbsent { return nil }
        if row.deadline != 0, row.deadline <= time(call) {
            if numbers[call.replica].isServing || !Mutant.a13SecondaryDecides.isOn { expire(row, &call) }
            return nil
        }
        if !connections[call.connection].client.isNoTouch { row.touch(seconds: seconds) }
        return row
    }

    /// A deadline has passed: the time and the deletion become a record before anybody is told (RULES A13, F6).
    mutating func expire(_ row: Row, _ call: inout Call) {
        let key = row.key.array
        openRecord(&call)
        batch.time(time(call))
        numbers[call.replica].time = time(call)
        key.withByteView { remove(&call, $0) }
        stats.expired += 1
    }

    /// Sets a key. `value` may lie in the key's own row, in `scratch`, or in an argument. `deadline`: ms since 1970, 0 =
    /// none.
    mutating func put(_ call: inout Call, _ key: ByteView, _ value: ByteView, deadline: Int64 = 0) {
        openRecord(&call)
        batch.put(key: key, value: value, deadline: deadline)
        rows.put(
            hash(key, keyspace: call.keyspace), keyspace: call.keyspace,
            replica: Int32(truncatingIfNeeded: call.replica),
            key: key, value: value, deadline: deadline, seq: call.seq, seconds: seconds)
        if !watchers.isEmpty { dirtyWatchers(keyspace: call.keyspace, key: key) }
    }

    /// Deletes a key, whether it has a value or not.
    mutating func remove(_ call: inout Call, _ key: ByteView) {
        openRecord(&call)
        batch.delete(key: key)
        rows.put(
            hash(key, keyspace: call.keyspace), keyspace: call.keyspace,
            replica: Int32(truncatingIfNeeded: call.replica),
            key: key, value: .empty, deadline: 0, seq: call.seq, seconds: seconds, flags: Row.Flag.absent)
        if !watchers.isEmpty { dirtyWatchers(keyspace: call.keyspace, key: key) }
    }

    /// Removes every row of the call's shard.
    mutating func flushShard(_ call: inout Call) {
        openRecord(&call)
        batch.flush()
        numbers[call.replica].flushed = call.seq
        if !watchers.isEmpty { dirtyWatchers(replica: call.replica) }
    }

    // MARK: Records

    /// Begins the call's record if it has none. All ops of one call, and of one EXEC, are one record.
    @inline(__always)
    mutating func openRecord(_ call: inout Call) {
        if call.seq == 0 { beginRecord(&call) }
    }

    @inline(__always)
    private mutating func beginRecord(_ call: inout Call) {
        let replica = call.replica
        let seq = numbers[replica].last + 1
        numbers[replica].last = seq
        numbers[replica].hasData = true
        call.seq = seq
        call.wait = seq
        touch(replica: replica, seq: seq)
        batch.beginRecord(
            shard: ShardID(rawValue: numbers[replica].shard),
            incarnation: Incarnation(rawValue: numbers[replica].incarnation),
            epoch: Epoch(rawValue: numbers[replica].epoch), seq: Seq(rawValue: seq), kind: .data)
    }

    /// Notes that the current batch holds a record of the replica.
    @inline(__always)
    mutating func touch(replica: Int, seq: UInt64) {
        if numbers[replica].ticket != nextTicket {
            numbers[replica].ticket = nextTicket
            touched.append(Touched(replica: Int32(truncatingIfNeeded: replica), seq: seq))
        }
    }

    /// Ends the call's record, if it began one.
    @inline(__always)
    mutating func endRecord(_ call: Call) {
        if call.seq != 0 { batch.endRecord() }
    }

    // MARK: Memory

    /// Keeps the row table within its bound; rows that LevelDB does not hold yet stay.
    mutating func evictRows() {
        guard rows.bytes > settings.cacheBytes, !evictionRests else { return }
        // Rows the store lacks are bounded by the backlog, not by the cache.
        let numbers = numbers
        let goesOn = rows.evict(to: settings.cacheBytes, steps: 4096) { row in
            if row.isUnknown { return false }
            let replica = Int(row.replica)
            return numbers[replica].isLost || row.seq <= numbers[replica].applied
        }
        evictionRests = !goesOn
    }
}
