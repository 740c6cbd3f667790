internal import ClusterModel
internal import DataCore
internal import LevelStore

/// The threads that read LevelDB and the log for the core: they may wait for the disk, the reactor never does.
final class Readers: @unchecked Sendable {
    private enum Job {
        case rows(RowBatch)
        case scan(Scan)
        case log(LogRead)
    }

    private let stores: ShardStores
    private let log: LogSearch
    private let queue = WorkQueue<Job>()
    private let answer: (DataInput) -> Void
    private let failed: (DiskError) -> Void
    private var workers: [Worker] = []

    /// - Parameters:
    ///   - answer: told from a reader's thread.
    ///   - failed: a store gave bytes that are not what was written (RULES E4).
    init(
        stores: ShardStores, log: LogSearch, count: Int = 2, answer: @escaping (DataInput) -> Void,
        failed: @escaping (DiskError) -> Void
    ) {
        self.stores = stores
        self.log = log
        self.answer = answer
        self.failed = failed
        for number in 0..<count { workers.append(Worker("reader-\(number)") { [self] in run() }) }
    }

    func read(_ batch: RowBatch) { queue.add(.rows(batch)) }
    func scan(_ scan: Scan) { queue.add(.scan(scan)) }
    func readLog(_ read: LogRead) { queue.add(.log(read)) }

    func stop() {
        queue.close()
        for worker in workers { worker.wait() }
    }

    private func run() {
        while let job = queue.takeOne() {
            switch job {
            case .rows(let batch):
                answerRows(batch)
                answer(.rows(batch))
            case .scan(let scan):
                do {
                    try walk(scan)
                } catch {
                    scan.isFailed = true
                    judge(error, scan.store)
                }
                answer(.scanned(scan))
            case .log(let read):
                log.run(read)
                answer(.logRead(read))
            }
        }
    }

    private func answerRows(_ batch: RowBatch) {
        var row = ByteBuffer(capacity: 256)
        for index in batch.items.indices {
            let item = batch.items[index]
            guard let database = stores.database(item.store) else {
                batch.answer(index, .failed)
                continue
            }
            row.removeAll()
            RowKey.write(batch.key(index), usesSlots: item.usesSlots, to: &row)
            do {
                try database.withValue(row.view) { bytes in
                    guard let bytes else { return batch.answer(index, .absent) }
                    guard let stored = StoredValue(bytes) else {
                        failed(DiskError("store \(item.store): a row of no known format"))
                        return batch.answer(index, .failed)
                    }
                    batch.answer(index, value: stored.value, deadline: stored.deadline)
                }
            } catch {
                judge(error, item.store)
                batch.answer(index, .failed)
            }
        }
    }

    /// A store that was dropped under a read has lost its files: that is no fault of the disk.
    private func judge(_ error: LevelError, _ store: StoreID) {
        guard stores.database(openNow: store) != nil else { return }
        failed(DiskError("store \(store)", error))
    }

    private func walk(_ scan: Scan) throws(LevelError) {
        guard let database = stores.database(scan.store) else {
            scan.isFailed = true
            return
        }
        let rows = database.iterator(fillsCache: !scan.isCount)
        var group: [UInt8] = []
        var groupCount = 0
        scan.isReverse ? seekEnd(rows, scan) : scan.from.withByteView { rows.seek($0) }
        while rows.isValid, isInside(rows.key, scan) {
            let isNewGroup = scan.groupPrefix == 0 || !isPrefix(group, rows.key, scan.groupPrefix)
            if scan.isFull, isNewGroup || groupCount >= scan.groupLimit {
                scan.next = rows.key.array
                if scan.isReverse { scan.next?.append(0) }
                return
            }
            if isNewGroup, scan.groupPrefix > 0 {
                group = padded(rows.key, scan.groupPrefix)
                groupCount = 0
            }
            groupCount += 1
            add(rows, scan)
            if scan.isReverse { rows.previous() } else { rows.next() }
        }
        try rows.check()
        scan.isComplete = true
    }

    private func seekEnd(_ rows: LevelIterator, _ scan: Scan) {
        guard let to = scan.to else { return rows.seekToLast() }
        to.withByteView { rows.seekBefore($0) }
    }

    private func isInside(_ key: ByteView, _ scan: Scan) -> Bool {
        if scan.isReverse { return scan.from.withByteView { !key.precedes($0) } }
        guard let to = scan.to else { return true }
        return to.withByteView { key.precedes($0) }
    }

    private func add(_ rows: LevelIterator, _ scan: Scan) {
        if scan.isRaw { return scan.add(key: rows.key, value: rows.value) }
        guard let key = RowKey.key(of: rows.key, usesSlots: scan.usesSlots), let stored = StoredValue(rows.value) else {
            return
        }
        if stored.deadline != 0, stored.deadline <= scan.now { return }
        scan.add(key: key, value: stored.value)
    }

    private func padded(_ key: ByteView, _ count: Int) -> [UInt8] {
        let prefix = key[0..<count].array
        return prefix + [UInt8](repeating: 0, count: count - prefix.count)
    }

    private func isPrefix(_ group: [UInt8], _ key: ByteView, _ count: Int) -> Bool { padded(key, count) == group }
}
