internal import CLevelDB
public import ClusterModel

/// One open LevelDB.
///
/// Thread-safe: LevelDB locks inside; any thread may read and write at any time. Iterators and snapshots hold the database,
/// so it is closed once, after the last of them is gone.
@safe public final class LevelDatabase: @unchecked Sendable {
    let handle: OpaquePointer
    private let cache: LevelCache?
    private let filter: OpaquePointer
    private let readOptions: OpaquePointer
    private let writeOptions: OpaquePointer
    private let syncOptions: OpaquePointer

    /// Opens the database in `directory`.
    public init(directory: String, options: LevelOptions) throws(LevelError) {
        let raw = unsafe leveldb_options_create()
        defer { unsafe leveldb_options_destroy(raw) }
        let filter = unsafe leveldb_filterpolicy_create_bloom(10)
        unsafe leveldb_options_set_filter_policy(raw, filter)
        unsafe leveldb_options_set_create_if_missing(raw, options.createsIfMissing ? 1 : 0)
        unsafe leveldb_options_set_paranoid_checks(raw, 1)
        unsafe leveldb_options_set_write_buffer_size(raw, max(options.writeBufferBytes, 64 << 10))
        unsafe leveldb_options_set_max_open_files(raw, Int32(clamping: max(options.maxOpenFiles, 16)))
        if let cache = options.cache { unsafe leveldb_options_set_cache(raw, cache.handle) }
        let error = ErrorSlot()
        guard let handle = unsafe leveldb_open(raw, directory, error.pointer), let filter = unsafe filter else {
            if let filter = unsafe filter { unsafe leveldb_filterpolicy_destroy(filter) }
            try error.check()
            throw .other("LevelDB did not open \(directory) and gave no reason")
        }
        unsafe self.handle = handle
        unsafe self.filter = filter
        cache = options.cache
        unsafe readOptions = leveldb_readoptions_create()
        unsafe leveldb_readoptions_set_verify_checksums(readOptions, 1)
        unsafe writeOptions = leveldb_writeoptions_create()
        unsafe syncOptions = leveldb_writeoptions_create()
        unsafe leveldb_writeoptions_set_sync(syncOptions, 1)
    }

    deinit {
        unsafe leveldb_close(handle)
        unsafe leveldb_filterpolicy_destroy(filter)
        unsafe leveldb_readoptions_destroy(readOptions)
        unsafe leveldb_writeoptions_destroy(writeOptions)
        unsafe leveldb_writeoptions_destroy(syncOptions)
    }

    /// Lends the value of a key, or nil when there is none, for the time of the call.
    @inline(__always)
    public func withValue<Result>(_ key: ByteView, _ body: (ByteView?) -> Result) throws(LevelError) -> Result {
        let error = ErrorSlot()
        var size = 0
        let value = unsafe leveldb_get(handle, readOptions, chars(key), key.count, &size, error.pointer)
        defer { if let value = unsafe value { unsafe leveldb_free(value) } }
        try error.check()
        guard let value = unsafe value else { return body(nil) }
        return unsafe body(ByteView(UnsafeRawBufferPointer(start: value, count: size)))
    }

    /// The value of a key; nil when there is none.
    public func value(_ key: [UInt8]) throws(LevelError) -> [UInt8]? {
        var found: [UInt8]?
        try key.withByteView { (view) throws(LevelError) in
            found = try withValue(view) { $0?.array }
        }
        return found
    }

    /// Makes all changes of a batch, or none. With `syncs` LevelDB's own log is synced, which covers no earlier log file
    /// of LevelDB (RULES E5).
    public func write(_ batch: LevelBatch, syncs: Bool = false) throws(LevelError) {
        let error = ErrorSlot()
        unsafe leveldb_write(handle, syncs ? syncOptions : writeOptions, batch.handle, error.pointer)
        try error.check()
    }

    /// An iterator over the present state, or over a snapshot's. A walk over much should not displace what is hot:
    /// `fillsCache` false.
    public func iterator(snapshot: LevelSnapshot? = nil, fillsCache: Bool = true) -> LevelIterator {
        LevelIterator(self, snapshot: snapshot, fillsCache: fillsCache)
    }

    public func snapshot() -> LevelSnapshot { LevelSnapshot(self) }

    /// Writes the memory buffer to a table file and syncs it: after it all earlier writes are durable (RULES E5).
    ///
    /// The C interface tells no outcome of it. A failure stays with the database, though, and refuses every later write:
    /// an empty write asks for it.
    /// - Parameter outside: a key that no row has or lies before: a range of it alone compacts nothing else.
    public func flush(outside: [UInt8]) throws(LevelError) {
        compact(from: outside, to: outside)
        try write(LevelBatch())
    }

    /// Compacts what lies between two keys; the memory buffer is written to a table file first, whatever the keys.
    public func compact(from: [UInt8], to: [UInt8]) {
        from.withByteView { low in
            to.withByteView { high in
                unsafe leveldb_compact_range(handle, chars(low), low.count, chars(high), high.count)
            }
        }
    }

    /// Bytes on disk of the rows between two keys, approximately; what is still in memory does not count.
    public func approximateSize(from: [UInt8], to: [UInt8]) -> UInt64 {
        var size: UInt64 = 0
        from.withByteView { low in
            to.withByteView { high in
                var starts: UnsafePointer<CChar>? = unsafe chars(low)
                var ends: UnsafePointer<CChar>? = unsafe chars(high)
                var (startSize, endSize) = (low.count, high.count)
                unsafe leveldb_approximate_sizes(handle, 1, &starts, &startSize, &ends, &endSize, &size)
            }
        }
        return size
    }

    /// A property such as `leveldb.stats`; nil when LevelDB does not know it.
    public func property(_ name: String) -> String? {
        guard let text = unsafe leveldb_property_value(handle, name) else { return nil }
        defer { unsafe leveldb_free(text) }
        return unsafe String(cString: text)
    }

    /// Removes the database in a directory that nobody has open.
    public static func destroy(directory: String) throws(LevelError) {
        let raw = unsafe leveldb_options_create()
        defer { unsafe leveldb_options_destroy(raw) }
        let error = ErrorSlot()
        unsafe leveldb_destroy_db(raw, directory, error.pointer)
        try error.check()
    }
}
