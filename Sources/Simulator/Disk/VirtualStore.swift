import ClusterModel
import DataCore

/// The rows of one store as LevelDB would give them: in order, and after a power cut sure to be there only as far as they
/// were in table files; beyond it any may be missing (RULES E5).
struct VirtualStore {
    let usesSlots: Bool
    private var keys: [[UInt8]] = []
    private var values: [[UInt8]] = []
    private(set) var applied = (epoch: Epoch.none, seq: Seq.zero)
    private(set) var durable = (epoch: Epoch.none, seq: Seq.zero)
    /// What rows changed since the last flush were in table files; nil = they were not there.
    private var before: [[UInt8]: [UInt8]?] = [:]

    init(usesSlots: Bool) { self.usesSlots = usesSlots }

    // MARK: Rows

    /// The first row at or behind a key.
    private func place(of key: ByteView) -> Int {
        var (low, high) = (0, keys.count)
        while low < high {
            let middle = (low + high) / 2
            if keys[middle].withByteView({ $0.precedes(key) }) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    subscript(key: ByteView) -> [UInt8]? {
        let place = place(of: key)
        return place < keys.count && keys[place].withByteView({ $0 == key }) ? values[place] : nil
    }

    private mutating func set(_ key: ByteView, _ value: [UInt8]?) {
        let place = place(of: key)
        let isThere = place < keys.count && keys[place].withByteView { $0 == key }
        let name = isThere ? keys[place] : key.array
        if before[name] == nil { before[name] = .some(isThere ? values[place] : nil) }
        if let value {
            if isThere {
                values[place] = value
            } else {
                keys.insert(name, at: place)
                values.insert(value, at: place)
            }
        } else if isThere {
            keys.remove(at: place)
            values.remove(at: place)
        }
    }

    /// All data rows, in order: the client's key, the value as it is stored.
    var rows: [(key: [UInt8], value: [UInt8])] {
        zip(keys, values).compactMap { key, value in
            key.withByteView { RowKey.key(of: $0, usesSlots: usesSlots)?.array }.map { ($0, value) }
        }
    }

    // MARK: Applying

    /// Brings a committed record in, if it is not yet.
    mutating func apply(_ header: RecordHeader, _ payload: ByteView) {
        guard header.seq > applied.seq else { return }
        if header.kind == .data { applyOps(payload) }
        applied = (header.epoch, header.seq)
    }

    private mutating func applyOps(_ payload: ByteView) {
        var ops = OpCursor(payload)
        var row = ByteBuffer(capacity: 64)
        while let op = ops.next() {
            row.removeAll()
            switch op {
            case .put(let key, let value, let deadline):
                var stored = ByteBuffer(capacity: 16 + value.count)
                StoredValue.write(value, deadline: deadline, to: &stored)
                RowKey.write(key, usesSlots: usesSlots, to: &row)
                set(row.view, stored.view.array)
                guard deadline != 0 else { break }
                row.removeAll()
                RowKey.writeHint(deadline: deadline, key: key, to: &row)
                set(row.view, [])
            case .delete(let key):
                RowKey.write(key, usesSlots: usesSlots, to: &row)
                set(row.view, nil)
            case .flush: for key in keys { key.withByteView { set($0, nil) } }
            case .time: break
            }
        }
    }

    /// Rows of a snapshot, as LevelStore's are installed.
    mutating func install(_ chunk: SnapshotChunk) {
        if chunk.number == 0 { for key in keys { key.withByteView { set($0, nil) } } }
        for row in chunk.rows { row.key.withByteView { set($0, row.value) } }
        guard chunk.isLast else { return }
        applied = (chunk.baseEpoch, chunk.base)
        flush()
    }

    mutating func forgetHints(through last: [UInt8]) {
        var place = [RowKey.hintKind].withByteView { self.place(of: $0) }
        var gone: [[UInt8]] = []
        while place < keys.count, keys[place].first == RowKey.hintKind, !last.lexicographicallyPrecedes(keys[place]) {
            gone.append(keys[place])
            place += 1
        }
        for key in gone { key.withByteView { set($0, nil) } }
    }

    // MARK: Power

    /// Rows that are not in table files.
    var changed: Int { before.count }

    /// Everything applied is in table files.
    mutating func flush() {
        before = [:]
        durable = applied
    }

    /// The power is cut: of what was not in table files all, some or nothing is left.
    mutating func cutPower(_ chance: inout Chance) {
        let fate = chance.below(3)
        if fate > 0 {
            for (key, value) in before.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
                if fate == 1 || chance.oneIn(2) { key.withByteView { set($0, value) } }
            }
        }
        applied = durable
        before = [:]
    }

    /// The process starts again: it goes on from what is sure.
    mutating func reopen() { applied = durable }

    // MARK: Walks

    func answer(_ scan: Scan) {
        var place: Int
        if scan.isReverse {
            place = (scan.to.map { to in to.withByteView { self.place(of: $0) } } ?? keys.count) - 1
        } else {
            place = scan.from.withByteView { self.place(of: $0) }
        }
        var group: [UInt8] = []
        var groupCount = 0
        while place >= 0, place < keys.count, isInside(keys[place], scan) {
            let key = keys[place]
            let isNewGroup = scan.groupPrefix == 0 || Self.padded(key, scan.groupPrefix) != group
            if scan.isFull, isNewGroup || groupCount >= scan.groupLimit {
                scan.next = scan.isReverse ? key + [0] : key
                return
            }
            if isNewGroup, scan.groupPrefix > 0 {
                group = Self.padded(key, scan.groupPrefix)
                groupCount = 0
            }
            groupCount += 1
            add(place, to: scan)
            place += scan.isReverse ? -1 : 1
        }
        scan.isComplete = true
    }

    private func isInside(_ key: [UInt8], _ scan: Scan) -> Bool {
        if scan.isReverse { return !key.lexicographicallyPrecedes(scan.from) }
        return scan.to.map { key.lexicographicallyPrecedes($0) } ?? true
    }

    private func add(_ place: Int, to scan: Scan) {
        keys[place].withByteView { row in
            if scan.isRaw { return values[place].withByteView { scan.add(key: row, value: $0) } }
            values[place].withByteView { bytes in
                guard let name = RowKey.key(of: row, usesSlots: scan.usesSlots), let stored = StoredValue(bytes),
                    stored.deadline == 0 || stored.deadline > scan.now
                else { return }
                scan.add(key: name, value: stored.value)
            }
        }
    }

    private static func padded(_ key: [UInt8], _ count: Int) -> [UInt8] {
        let prefix = Array(key.prefix(count))
        return prefix + [UInt8](repeating: 0, count: count - prefix.count)
    }
}
