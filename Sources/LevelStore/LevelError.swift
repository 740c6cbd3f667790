internal import CLevelDB

/// Why LevelDB refused; the text is LevelDB's own, which names the file.
public enum LevelError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Bytes on disk are not what was written.
    case corruption(String)
    /// The system refused: disk full, no descriptors, no permission, a missing file.
    case io(String)
    /// Another process, or another handle of this one, has the directory open.
    case locked(String)
    /// The directory holds no database and none was to be made.
    case missing(String)
    case other(String)

    public var description: String {
        switch self {
        case .corruption(let text), .io(let text), .locked(let text), .missing(let text), .other(let text): text
        }
    }

    /// Judges by the words of leveldb/status.cc and db_impl.cc, which the C interface gives instead of codes.
    init(_ text: String) {
        if text.hasPrefix("Corruption") {
            self = .corruption(text)
        } else if text.hasPrefix("IO error: lock ") {
            self = .locked(text)
        } else if text.contains("does not exist (create_if_missing is false)") {
            self = .missing(text)
        } else if text.hasPrefix("IO error") {
            self = .io(text)
        } else {
            self = .other(text)
        }
    }
}

/// Collects the error of one C call and throws it.
@safe struct ErrorSlot: ~Copyable {
    private let slot: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

    init() {
        unsafe slot = UnsafeMutablePointer.allocate(capacity: 1)
        unsafe slot.initialize(to: nil)
    }

    deinit {
        if let text = unsafe slot.pointee { unsafe leveldb_free(text) }
        unsafe slot.deallocate()
    }

    var pointer: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> { unsafe slot }

    func check() throws(LevelError) {
        guard let text = unsafe slot.pointee else { return }
        throw LevelError(unsafe String(cString: text))
    }
}
