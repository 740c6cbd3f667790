internal import CLevelDB
public import ClusterModel

/// Changes that LevelDB makes all or none of. Not locked: one thread at a time uses it.
@safe public final class LevelBatch {
    let handle: OpaquePointer
    /// Changes since `removeAll`.
    public private(set) var count = 0
    /// Bytes of keys and values since `removeAll`.
    public private(set) var bytes = 0

    public init() { unsafe handle = leveldb_writebatch_create() }

    deinit { unsafe leveldb_writebatch_destroy(handle) }

    @inline(__always)
    public func put(_ key: ByteView, _ value: ByteView) {
        unsafe leveldb_writebatch_put(handle, chars(key), key.count, chars(value), value.count)
        count += 1
        bytes += key.count + value.count
    }

    @inline(__always)
    public func delete(_ key: ByteView) {
        unsafe leveldb_writebatch_delete(handle, chars(key), key.count)
        count += 1
        bytes += key.count
    }

    public func removeAll() {
        unsafe leveldb_writebatch_clear(handle)
        count = 0
        bytes = 0
    }
}

/// A view's bytes as C takes them; an empty view has an address too.
@inline(__always)
func chars(_ view: ByteView) -> UnsafePointer<CChar> {
    guard let base = unsafe view.base else { return unsafe emptyBytes }
    return unsafe UnsafeRawPointer(base).assumingMemoryBound(to: CChar.self)
}

/// One byte that is never read or freed.
nonisolated(unsafe) private let emptyBytes: UnsafePointer<CChar> = {
    let byte = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
    unsafe byte.initialize(to: 0)
    return unsafe UnsafePointer(byte)
}()
