import ClusterModel

// GET key and SET key value whose shard serves here, in as few steps as they can be. Whatever is not plain goes the
// general way, so nothing here decides anything that `attempt` would decide otherwise.
extension Engine {
    /// Runs a plain GET or SET. Returns false, with nothing done, if the command is anything else.
    @inline(__always)
    mutating func runFast(
        _ place: Int, _ arguments: UnsafePointer<ByteView>, _ count: Int, request: UInt64
    ) -> Bool {
        guard count == 2 || count == 3, unsafe arguments[0].count == 3 else { return false }
        let name = unsafe arguments[0]
        let word = (UInt32(name[0]) << 16 | UInt32(name[1]) << 8 | UInt32(name[2])) | 0x202020
        let isGet = word == 0x676574 && count == 2
        guard isGet || word == 0x736574 && count == 3 else { return false }
        guard unsafe connections.address(place).pointee.isPlain, clientPause.until == 0 else { return false }
        let key = unsafe arguments[1]
        let entry = keyspaces[connections[place].keyspace].locate(key)
        guard entry >= 0 else { return false }
        var replica = keyspaces[connections[place].keyspace].entries[entry].replica
        if replica < 0, isGet { replica = reader(ofEntry: entry, place) }
        guard replica >= 0, numbers[replica].isServing || numbers[replica].mayRead else { return false }
        let target = unsafe replyTarget(place, waits: !isGet)
        let start = unsafe target.pointee.bytes.count
        var call = unsafe Call(
            arguments: arguments, count: count, connection: place,
            keyspace: keyspaces[connections[place].keyspace].number, replica: replica, target: target)
        guard isGet ? getFast(&call, key) : setFast(&call, key) else { return false }
        unsafe connections.address(place).pointee.client.command = isGet ? .get : .set
        settleReply(call, from: start, request: request)
        return true
    }

    @inline(__always)
    private mutating func getFast(_ call: inout Call, _ key: ByteView) -> Bool {
        guard let row = rows.find(hash(key, keyspace: call.keyspace), keyspace: call.keyspace, key: key),
            !row.isUnknown, row.deadline == 0, row.replica == Int32(truncatingIfNeeded: call.replica),
            row.seq >= numbers[call.replica].flushed
        else { return false }
        call.wait = row.seq
        row.touch(seconds: UInt32(truncatingIfNeeded: now.wall / 1000))
        if row.isAbsent {
            call.reply.null()
            stats.misses += 1
        } else {
            call.reply.bulk(row.value)
            stats.hits += 1
        }
        stats.count(.get)
        return true
    }

    @inline(__always)
    private mutating func setFast(_ call: inout Call, _ key: ByteView) -> Bool {
        guard backlog < settings.backlogBytes, !isDiskLow, numbers[call.replica].isWritable,
            key.count <= Limits.keyBytes,
            call[2].count <= Limits.valueBytes
        else { return false }
        put(&call, key, call[2])
        batch.endRecord()
        call.reply.ok()
        stats.count(.set)
        return true
    }

    @inline(never)
    func reader(ofEntry entry: Int, _ place: Int) -> Int {
        let index = connections[place].keyspace
        guard keyspaces[index].entries[entry].reader >= 0 else { return -1 }
        return reader(keyspaces[index].entries[entry], place, usesSlots: keyspaces[index].usesSlots)
    }

    /// Index of the replica here that the map says is primary of the key's shard, or -1.
    @inline(__always)
    func localReplica(of key: ByteView, keyspace index: Int) -> Int {
        let entry = keyspaces[index].locate(key)
        return entry < 0 ? -1 : keyspaces[index].entries[entry].replica
    }
}

extension Connection {
    /// Whether a command of it is subject to nothing but its own words.
    @inline(__always) var isPlain: Bool {
        isAuthenticated && !isClosing && !transaction.isOpen && replyMode == .on && inFlight.isEmpty
    }
}
