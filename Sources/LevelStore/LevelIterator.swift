internal import CLevelDB
public import ClusterModel

/// The state of a database at one moment. Holds the database.
@safe public final class LevelSnapshot: @unchecked Sendable {
    let handle: OpaquePointer
    private let database: LevelDatabase

    init(_ database: LevelDatabase) {
        self.database = database
        unsafe handle = leveldb_create_snapshot(database.handle)
    }

    deinit { unsafe leveldb_release_snapshot(database.handle, handle) }
}

/// Walks a database in key order, either way. Not locked: one thread at a time uses it.
@safe public final class LevelIterator {
    private let handle: OpaquePointer
    private let options: OpaquePointer
    private let database: LevelDatabase
    private let snapshot: LevelSnapshot?

    init(_ database: LevelDatabase, snapshot: LevelSnapshot?, fillsCache: Bool) {
        self.database = database
        self.snapshot = snapshot
        unsafe options = leveldb_readoptions_create()
        unsafe leveldb_readoptions_set_verify_checksums(options, 1)
        unsafe leveldb_readoptions_set_fill_cache(options, fillsCache ? 1 : 0)
        if let snapshot { unsafe leveldb_readoptions_set_snapshot(options, snapshot.handle) }
        unsafe handle = leveldb_create_iterator(database.handle, options)
    }

    deinit {
        unsafe leveldb_iter_destroy(handle)
        unsafe leveldb_readoptions_destroy(options)
    }

    /// Whether it stands on a row. False at the ends, and after an error: see `check`.
    @inline(__always) public var isValid: Bool { unsafe leveldb_iter_valid(handle) != 0 }

    /// To the first row at or behind a key.
    public func seek(_ key: ByteView) { unsafe leveldb_iter_seek(handle, chars(key), key.count) }
    public func seekToFirst() { unsafe leveldb_iter_seek_to_first(handle) }
    public func seekToLast() { unsafe leveldb_iter_seek_to_last(handle) }

    /// To the last row before a key.
    public func seekBefore(_ key: ByteView) {
        seek(key)
        if isValid { previous() } else { seekToLast() }
    }

    /// - Precondition: `isValid`.
    @inline(__always) public func next() {
        precondition(isValid)
        unsafe leveldb_iter_next(handle)
    }

    /// - Precondition: `isValid`.
    @inline(__always) public func previous() {
        precondition(isValid)
        unsafe leveldb_iter_prev(handle)
    }

    /// Key of the row; valid until the iterator moves. - Precondition: `isValid`.
    @inline(__always) public var key: ByteView {
        precondition(isValid)
        var size = 0
        let bytes = unsafe leveldb_iter_key(handle, &size)
        return unsafe ByteView(UnsafeRawBufferPointer(start: bytes, count: size))
    }

    /// Value of the row; valid until the iterator moves. - Precondition: `isValid`.
    @inline(__always) public var value: ByteView {
        precondition(isValid)
        var size = 0
        let bytes = unsafe leveldb_iter_value(handle, &size)
        return unsafe ByteView(UnsafeRawBufferPointer(start: bytes, count: size))
    }

    /// Throws what ended the walk, if it was not the end of the rows.
    public func check() throws(LevelError) {
        let error = ErrorSlot()
        unsafe leveldb_iter_get_error(handle, error.pointer)
        try error.check()
    }
}
