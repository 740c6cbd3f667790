internal import CLevelDB

/// The block cache that all stores of a node share.
///
/// Thread-safe: LevelDB's LRU cache locks inside. It must outlive every database opened with it, which holds it.
@safe public final class LevelCache: @unchecked Sendable {
    let handle: OpaquePointer

    /// - Parameter bytes: how much of blocks is kept.
    public init(bytes: Int) { unsafe handle = leveldb_cache_create_lru(max(bytes, 1 << 20)) }

    deinit { unsafe leveldb_cache_destroy(handle) }
}

/// How a database is opened. What is not here is fixed: paranoid checks, verified checksums, a bloom filter of 10 bits,
/// blocks of 4 KiB (RULES E4; measured best).
public struct LevelOptions: Sendable {
    /// Make the database if there is none. Only when the store is known to be new: a missing file must not look like an
    /// empty store (RULES E4).
    public var createsIfMissing: Bool
    /// Bytes LevelDB gathers in memory before it writes a table file.
    public var writeBufferBytes: Int
    public var maxOpenFiles: Int
    public var cache: LevelCache?

    public init(
        createsIfMissing: Bool, writeBufferBytes: Int = 4 << 20, maxOpenFiles: Int = 64, cache: LevelCache? = nil
    ) {
        self.createsIfMissing = createsIfMissing
        self.writeBufferBytes = writeBufferBytes
        self.maxOpenFiles = maxOpenFiles
        self.cache = cache
    }
}
