public import ClusterModel

/// One row of the row table: a reference to a block of memory that the table owns.
///
/// The block is a header of 48 bytes, the key, the value. A reference is valid until the table's next change of that row.
/// A row holds the newest version of its key, committed or not: whoever answers from it waits for the commit of `seq`
/// (RULES C18).
@safe public struct Row {
    /// What precedes key and value in the block.
    struct Header {
        /// The record that wrote this version; of a placeholder (`isUnknown`) the number of the load it waits for.
        var seq: UInt64
        /// Milliseconds since 1970; 0 = none.
        var deadline: Int64
        var keyspace: UInt32
        /// Index of the replica in the shard table.
        var replica: Int32
        var keyCount: UInt32
        var valueCount: UInt32
        /// Bytes allocated behind the header.
        var capacity: UInt32
        /// Seconds since 1970 of the last use, for OBJECT IDLETIME.
        var touched: UInt32
        var flags: UInt8
    }

    enum Flag {
        /// The key has no value.
        static let absent: UInt8 = 1
        /// A read of the store is under way: the row stays until its answer came, so that an old answer never passes
        /// for a new one.
        static let loading: UInt8 = 2
        /// Used since the eviction hand last passed.
        static let referenced: UInt8 = 4
        /// Nothing is known yet: a placeholder for a load.
        static let unknown: UInt8 = 8
    }

    let header: UnsafeMutablePointer<Header>

    static let headerSize = 48

    @inline(__always) init(_ header: UnsafeMutablePointer<Header>) { unsafe self.header = header }

    @inline(__always) private var bytes: UnsafeMutablePointer<UInt8> {
        unsafe UnsafeMutableRawPointer(header).assumingMemoryBound(to: UInt8.self) + Self.headerSize
    }

    @inline(__always) public var key: ByteView {
        unsafe ByteView(base: UnsafePointer(bytes), count: Int(header.pointee.keyCount))
    }
    @inline(__always) public var value: ByteView {
        unsafe ByteView(
            base: UnsafePointer(bytes + Int(header.pointee.keyCount)), count: Int(header.pointee.valueCount))
    }
    @inline(__always) public var deadline: Int64 { unsafe header.pointee.deadline }
    @inline(__always) public var seq: UInt64 { unsafe header.pointee.seq }
    @inline(__always) public var replica: Int32 { unsafe header.pointee.replica }
    @inline(__always) public var keyspace: UInt32 { unsafe header.pointee.keyspace }
    /// Seconds since 1970 of the last use.
    @inline(__always) public var touched: UInt32 { unsafe header.pointee.touched }
    @inline(__always) public var isAbsent: Bool { unsafe header.pointee.flags & Flag.absent != 0 }
    @inline(__always) public var isUnknown: Bool { unsafe header.pointee.flags & Flag.unknown != 0 }
    @inline(__always) public var isLoading: Bool { unsafe header.pointee.flags & Flag.loading != 0 }

    /// Bytes of memory this row takes, its place in the table counted.
    @inline(__always) public var footprint: Int {
        unsafe Self.headerSize + Int(header.pointee.capacity) + 16
    }

    @inline(__always) func touch(seconds: UInt32) {
        unsafe header.pointee.flags |= Flag.referenced
        unsafe header.pointee.touched = seconds
    }

    @inline(__always) func clear(_ flag: UInt8) { unsafe header.pointee.flags &= ~flag }
    @inline(__always) func raise(_ flag: UInt8) { unsafe header.pointee.flags |= flag }
    @inline(__always) func isRaised(_ flag: UInt8) -> Bool { unsafe header.pointee.flags & flag != 0 }

    @inline(__always) func matches(keyspace: UInt32, key: ByteView) -> Bool {
        unsafe header.pointee.keyspace == keyspace && self.key == key
    }

    /// Overwrites the value in place. - Precondition: key and value fit the block's capacity; `value` may lie in this block.
    @inline(__always) func overwrite(value: ByteView) {
        unsafe precondition(Int(header.pointee.keyCount) + value.count <= Int(header.pointee.capacity))
        if let source = unsafe value.base {
            let place = unsafe UnsafeMutableRawPointer(bytes + Int(header.pointee.keyCount))
            unsafe place.copyMemory(from: source, byteCount: value.count)
        }
        unsafe header.pointee.valueCount = UInt32(truncatingIfNeeded: value.count)
    }

    /// A new block. Values get room to grow by an eighth, so that counters and appends seldom move.
    static func allocate(keyspace: UInt32, replica: Int32, key: ByteView, value: ByteView, roomy: Bool) -> Row {
        let needed = key.count + value.count
        let capacity = max((needed + (roomy ? needed / 8 : 0) + 15) & ~15, 16)
        let raw = UnsafeMutableRawPointer.allocate(byteCount: headerSize + capacity, alignment: 16)
        let header = unsafe raw.bindMemory(to: Header.self, capacity: 1)
        unsafe header.initialize(
            to: Header(
                seq: 0, deadline: 0, keyspace: keyspace, replica: replica,
                keyCount: UInt32(truncatingIfNeeded: key.count), valueCount: 0,
                capacity: UInt32(truncatingIfNeeded: capacity), touched: 0, flags: 0))
        let row = unsafe Row(header)
        if let source = unsafe key.base { unsafe row.bytes.update(from: source, count: key.count) }
        row.overwrite(value: value)
        return row
    }

    func deallocate() { unsafe UnsafeMutableRawPointer(header).deallocate() }
}
