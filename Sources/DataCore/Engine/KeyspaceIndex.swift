import ClusterModel

/// One keyspace of the route table, laid out for look-ups by every command.
struct KeyspaceIndex: ~Copyable {
    /// One shard of it.
    struct Entry {
        var shard: ShardID
        var epoch: Epoch
        /// Who the map says is primary; nil = nobody.
        var primary: NodeID?
        /// Index of this node's replica when the map or the node itself says it is the primary here; -1 else.
        var replica: Int
        /// Index of this node's secondary if the keyspace's reads may be answered by one; -1 else.
        var reader = -1
    }

    let name: String
    /// nil = no such keyspace (any more).
    var keyspace: Keyspace?
    var map: ShardMap?
    /// In the order of their ranges.
    var entries: [Entry] = []
    /// Index in `entries` by slot; empty for schemes without slots. -1 = not covered.
    var slots: [Int16] = []

    init(name: String) { self.name = name }

    var usesSlots: Bool { !slots.isEmpty }
    /// What rows carry.
    var number: UInt32 { UInt32(truncatingIfNeeded: keyspace?.id.rawValue ?? 0) }

    /// Index in `entries` of the shard a key lies in, or -1.
    @inline(__always)
    func locate(_ key: ByteView) -> Int {
        if usesSlots { return Int(slots[Int(unsafe Slot.number(of: key.buffer))]) }
        return map?.position(of: key.array) ?? -1
    }
}
