import ClusterModel

// Walks over one shard, where it is served. A walk reads LevelDB alone, so it waits until everything committed before the
// command was applied; its command is parked meanwhile and answered here.
extension Engine {
    /// Parks the call's command behind a walk.
    mutating func beginWalk(
        _ call: Call, _ mode: Walk.Mode, from: [UInt8], to: [UInt8]?, limit: Int, entry: Int = 0
    ) -> Attempt {
        let replica = call.replica
        let scheme = routes.keyspace(replicas[replica].configuration.keyspace)?.scheme.kind ?? .hash
        let walk = Walk(
            id: nextWalk, replica: replica, after: numbers[replica].last, connection: id(call.connection), mode: mode,
            scheme: scheme, entry: entry, from: from, to: to, limit: limit)
        nextWalk += 1
        if connections[call.connection].out.resp3 || connections[call.connection].held.resp3 {
            walk.elements.buffer.resp3 = true
        }
        walks[walk.id] = walk
        walksChanged = true
        return .blocked(.scan(walk.id))
    }

    /// Starts the walks whose shard's store holds all they must see.
    mutating func startWalks() {
        for number in walks.keys.sorted() {
            guard let walk = walks[number], !walk.isStarted,
                numbers[walk.replica].applied >= walk.after || Mutant.d6WalksDoNotWait.isOn
            else { continue }
            walks[number]?.isStarted = true
            emitScan(walk)
        }
    }

    /// A shard that is served here no more may never have what a walk waits for.
    mutating func endLostWalks() {
        for number in walks.keys.sorted() {
            guard let walk = walks[number], !walk.isStarted, !numbers[walk.replica].isServing else { continue }
            guard let place = waiting(for: walk) else {
                walks[number] = nil
                continue
            }
            finish(walk, place) { $0.error("TRYAGAIN the shard left this node before the walk") }
        }
    }

    /// The connection that waits for a walk; nil = it is gone.
    private func waiting(for walk: Walk) -> Int? {
        guard let place = place(walk.connection), case .scan(walk.id) = connections[place].block else { return nil }
        return place
    }

    private mutating func emitScan(_ walk: Walk) {
        var isReverse = false
        var isCount = false
        var groupPrefix = 0
        switch walk.mode {
        case .page: groupPrefix = ScanCursor.groupPrefix(walk.scheme)
        case .range(let reverse): isReverse = reverse
        case .count: isCount = true
        case .keys, .random: break
        }
        effects.emit(
            .scan(
                Scan(
                    id: walk.id, store: replicas[walk.replica].store, usesSlots: numbers[walk.replica].usesSlots,
                    from: walk.from, to: walk.to, isReverse: isReverse, limit: walk.limit, groupPrefix: groupPrefix,
                    groupLimit: 65536, isCount: isCount,
                    wantsValues: { if case .range = walk.mode { true } else { false } }(),
                    now: time(replica: walk.replica))))
    }

    /// A chunk came.
    mutating func noteScanned(_ scan: Scan) {
        if expiry.walk == scan.id { return noteHints(scan) }
        if noteLesson(scan) { return }
        guard var walk = walks[scan.id] else { return }
        guard let place = waiting(for: walk) else {
            walks[scan.id] = nil
            return
        }
        if scan.isFailed {
            return finish(walk, place) { $0.error("ERR the shard's store could not be read") }
        }
        guard numbers[walk.replica].isServing else {
            return finish(walk, place) { $0.error("TRYAGAIN the shard left this node during the walk") }
        }
        switch walk.mode {
        case .count:
            let count = scan.count
            finish(walk, place) { $0.integer(count) }
        case .page(let pattern):
            collect(scan, into: walk, pattern)
            let cursor = scan.next.map { ScanCursor.cursor(of: $0, walk.scheme, entry: walk.entry) } ?? 0
            finish(walk, place) { reply in
                reply.array(walk.elements.count + 1)
                reply.bulk("\(cursor)")
                reply.bytes.append(walk.elements.buffer.bytes.view)
            }
        case .keys(let pattern):
            collect(scan, into: walk, pattern)
            if let next = scan.next {
                walk.from = next
                walks[walk.id] = walk
                emitScan(walk)
            } else {
                finishArray(walk, place)
            }
        case .random(let isSecondTry):
            if scan.rows == 0, !isSecondTry {
                let bounds = RowBounds.of(replicas[walk.replica].configuration.range)
                walk = Walk(
                    id: walk.id, replica: walk.replica, after: 0, connection: walk.connection,
                    mode: .random(isSecondTry: true), scheme: walk.scheme, entry: walk.entry, from: bounds.from,
                    to: bounds.to, limit: walk.limit, elements: walk.elements, isStarted: true)
                walks[walk.id] = walk
                emitScan(walk)
            } else if scan.rows == 0 {
                finish(walk, place) { $0.null() }
            } else {
                let drawn = Int(entropy.next() % UInt64(scan.rows))
                finish(walk, place) { $0.bulk(scan.key(drawn)) }
            }
        case .range:
            for index in 0..<scan.rows {
                walk.elements.buffer.bulk(scan.key(index))
                walk.elements.buffer.bulk(scan.value(index))
                walk.elements.count += 2
            }
            finishArray(walk, place)
        }
    }

    private func collect(_ scan: Scan, into walk: Walk, _ pattern: [UInt8]) {
        for index in 0..<scan.rows {
            let key = scan.key(index)
            guard pattern.isEmpty || pattern.withByteView({ Glob.matches($0, key) }) else { continue }
            walk.elements.buffer.bulk(key)
            walk.elements.count += 1
        }
    }

    private mutating func finishArray(_ walk: Walk, _ place: Int) {
        finish(walk, place) { reply in
            reply.array(walk.elements.count)
            reply.bytes.append(walk.elements.buffer.bytes.view)
        }
    }

    /// Answers the parked command and lets those behind it run.
    private mutating func finish(_ walk: Walk, _ place: Int, _ write: (inout ReplyBuffer) -> Void) {
        walks[walk.id] = nil
        answerHead(place, write)
    }

    /// Answers the command at the head of a blocked connection's queue, and unblocks it.
    mutating func answerHead(_ place: Int, _ write: (inout ReplyBuffer) -> Void) {
        let request = connections[place].queue.request()
        let target = unsafe replyTarget(place)
        let start = unsafe target.pointee.bytes.count
        unsafe write(&target.pointee)
        let call = unsafe Call(arguments: [], count: 0, connection: place, keyspace: 0, replica: -1, target: target)
        settleReply(call, from: start, request: request)
        connections[place].queue.dropFirst()
        unblock(place)
    }
}
