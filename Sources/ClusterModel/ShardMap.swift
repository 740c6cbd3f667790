/// Key -> token -> shard for one keyspace: the look-up half of its scheme, laid out for speed.
public struct ShardMap: Hashable, Sendable {
    /// All shards in the order of their ranges (list: by id, the default shard last).
    public let ordered: [ShardID]
    private let index: Index
    /// What it was made of.
    private let scheme: SchemeParameters
    private let parts: [Part]

    private struct Part: Hashable, Sendable {
        var shard: ShardID
        var range: ShardRange
    }

    private enum Index: Hashable, Sendable {
        /// Position in `ordered` by slot; -1 where no shard covers it.
        case slots([Int32])
        /// First keys of `ordered`, ascending; the first is nil = unbounded.
        case keys([Key?])
        case values([Key: Int32], fallback: Int32, separator: UInt8)
    }

    public init(keyspace: Keyspace, shards: [ShardConfiguration]) {
        scheme = keyspace.scheme
        parts = shards.map { Part(shard: $0.id, range: $0.range) }
        switch keyspace.scheme.kind {
        case .hash, .ring:
            var table = [Int32](repeating: -1, count: Int(Slot.count))
            var placed: [(from: UInt16, id: ShardID)] = []
            for shard in shards {
                if case .slots(let from, _) = shard.range { placed.append((from, shard.id)) }
            }
            placed.sort { ($0.from, $0.id) < ($1.from, $1.id) }
            ordered = placed.map(\.id)
            var positions: [ShardID: Int32] = [:]
            for (position, id) in ordered.enumerated() { positions[id] = Int32(position) }
            for shard in shards {
                guard case .slots(let from, let to) = shard.range, from < to, let position = positions[shard.id] else {
                    continue
                }
                for slot in from..<min(to, Slot.count) { table[Int(slot)] = position }
            }
            index = .slots(table)
        case .range:
            var placed: [(from: Key?, id: ShardID)] = []
            for shard in shards {
                if case .keys(let from, _) = shard.range { placed.append((from, shard.id)) }
            }
            placed.sort { left, right in
                guard let leftFrom = left.from else { return right.from != nil }
                guard let rightFrom = right.from else { return false }
                return leftFrom < rightFrom
            }
            ordered = placed.map(\.id)
            index = .keys(placed.map(\.from))
        case .list:
            let sorted = shards.sorted { left, right in
                let (leftLast, rightLast) = (left.range.isDefaultList, right.range.isDefaultList)
                return leftLast != rightLast ? rightLast : left.id < right.id
            }
            ordered = sorted.map(\.id)
            var positions: [Key: Int32] = [:]
            var fallback: Int32 = -1
            for (position, shard) in sorted.enumerated() {
                guard case .values(let values, let isDefault) = shard.range else { continue }
                if isDefault { fallback = Int32(position) }
                for value in values { positions[value] = Int32(position) }
            }
            index = .values(positions, fallback: fallback, separator: keyspace.scheme.separator ?? 58)
        }
    }

    /// Whether it was made of these, in this order: members and epochs do not matter to it.
    func isMade(of keyspace: Keyspace, _ shards: [ShardConfiguration]) -> Bool {
        guard scheme == keyspace.scheme, parts.count == shards.count else { return false }
        return zip(parts, shards).allSatisfy { $0.shard == $1.id && $0.range == $1.range }
    }

    /// Position in `ordered` of the shard that covers a slot, or -1.
    @inline(__always) public func position(ofSlot slot: UInt16) -> Int {
        if case .slots(let table) = index { return Int(table[Int(slot)]) }
        return -1
    }

    /// Position in `ordered` of the shard that covers the key, or -1.
    public func position(of key: [UInt8]) -> Int {
        switch index {
        case .slots(let table):
            return Int(table[Int(Slot(ofKey: key).number)])
        case .keys(let firsts):
            var (low, high) = (0, firsts.count)
            while low < high {
                let middle = (low + high) / 2
                if let first = firsts[middle], key.lexicographicallyPrecedes(first.bytes) {
                    high = middle
                } else {
                    low = middle + 1
                }
            }
            return low - 1
        case .values(let positions, let fallback, let separator):
            let prefix = key.firstIndex(of: separator).map { Array(key[..<$0]) } ?? key
            return Int(positions[Key(prefix)] ?? fallback)
        }
    }

    public func locate(_ key: [UInt8]) -> ShardID? {
        let position = position(of: key)
        return position < 0 ? nil : ordered[position]
    }
}

extension ShardRange {
    /// Whether this is the shard of a list keyspace that takes all values not listed.
    public var isDefaultList: Bool {
        if case .values(_, let isDefault) = self { return isDefault }
        return false
    }
}
