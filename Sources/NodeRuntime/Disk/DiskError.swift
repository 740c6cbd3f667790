internal import ClusterModel
internal import Glibc
internal import LevelStore

/// Why a node's directory cannot be used: one line that says what and what to do.
public struct DiskError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String
    /// What has to be done before the process can simply be started again; nil = bytes on disk may be in doubt, or are.
    ///
    /// That the system refuses to open, to make or to lengthen a file is no corruption (RULES E2).
    let remedy: String?
    /// Whether the disk was full.
    let isFull: Bool

    public init(_ text: String) { self.init(text, remedy: nil) }

    private init(_ text: String, remedy: String?, isFull: Bool = false) {
        description = text
        self.remedy = remedy
        self.isFull = isFull
    }

    /// A system call on a file failed that is not a sync.
    init(_ action: String, _ path: String, code: Int32 = errno) {
        self.init(
            "\(action) \(path): \(SocketError.text(code))", remedy: Self.remedy(of: code), isFull: code == ENOSPC)
    }

    /// A sync failed: whatever the code, the system may have dropped what it was to write, and a retry would lie (RULES E2).
    init(unsynced path: String, code: Int32 = errno) {
        self.init("cannot sync \(path): \(SocketError.text(code))", remedy: nil)
    }

    /// LevelDB refused. It says neither call nor code, only the system's words. After a full disk even a failed sync of its
    /// files does no harm here: what it has not in synced table files is in the node's log and is applied again, and a
    /// table or a list of tables that was not synced is dropped by its next start.
    init(_ what: String, _ error: LevelError) {
        var remedy: String?
        if case .io(let text) = error {
            remedy = Self.refusals.first { text.hasSuffix(": " + SocketError.text($0.code)) }?.remedy
        }
        self.init("\(what): \(error)", remedy: remedy)
    }

    /// Whatever stopped a thread that writes to stores.
    init(_ error: any Error) {
        switch error {
        case let error as DiskError: self = error
        case let error as LevelError: self.init("LevelDB", error)
        default: self.init("\(error)")
        }
    }

    private static let refusals: [(code: Int32, remedy: String)] = [
        (ENOSPC, "free some of the disk"), (EDQUOT, "raise the quota or free some of the disk"),
        (EMFILE, "raise ulimit -n"), (ENFILE, "raise the system's limit of open files"),
        (EACCES, "permit it to this user"), (EPERM, "permit it to this user"), (ENOMEM, "free some memory"),
    ]

    private static func remedy(of code: Int32) -> String? { refusals.first { $0.code == code }?.remedy }
}

/// File calls whose failures are told by `DiskError`.
enum Files {
    static func makeDirectory(_ path: String) throws(DiskError) {
        var built = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            built += built.isEmpty || built.hasSuffix("/") ? "\(part)" : "/\(part)"
            if unsafe mkdir(built, 0o700) != 0, errno != EEXIST { throw DiskError("cannot create directory", built) }
        }
    }

    /// Makes what was written to a file durable.
    static func sync(_ descriptor: Int32, _ path: String) throws(DiskError) {
        guard fsync(descriptor) == 0 else { throw DiskError(unsynced: path) }
    }

    /// Makes the names in a directory durable (RULES E7).
    static func syncDirectory(_ path: String) throws(DiskError) {
        let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw DiskError("cannot open directory", path) }
        defer { close(descriptor) }
        try sync(descriptor, path)
    }

    /// Names in a directory, sorted.
    static func names(in path: String) throws(DiskError) -> [String] {
        guard let stream = unsafe opendir(path) else { throw DiskError("cannot list directory", path) }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                unsafe tuple.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// The whole of a file, or, from a byte on, as much of it as there is up to a count of bytes.
    static func read(_ path: String, from start: Int = 0, count: Int = .max) throws(DiskError) -> [UInt8] {
        var bytes: [UInt8] = []
        let size = try read(path, from: start, count: count, into: &bytes)
        return size == bytes.count ? bytes : Array(bytes[..<size])
    }

    /// The same into an array that is made longer where it must be. Returns how many bytes there were.
    static func read(
        _ path: String, from start: Int = 0, count: Int = .max, into bytes: inout [UInt8]
    ) throws(DiskError) -> Int {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw DiskError("cannot open", path) }
        defer { close(descriptor) }
        let end = Int(lseek(descriptor, 0, SEEK_END))
        guard end >= 0 else { throw DiskError("cannot read", path) }
        let size = min(max(end - start, 0), count)
        if bytes.count < size { bytes = [UInt8](repeating: 0, count: size) }
        var done = 0
        while done < size {
            let got = unsafe bytes.withUnsafeMutableBytes { room -> Int in
                guard let base = room.baseAddress else { return 0 }
                return unsafe pread(descriptor, base + done, size - done, off_t(start + done))
            }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw DiskError("cannot read", path) }
            if got == 0 { break }
            done += got
        }
        return done
    }

    static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    /// Replaces a file so that after a crash it is the old or the new one, whole.
    static func replace(_ path: String, with bytes: [UInt8]) throws(DiskError) {
        let temporary = path + ".tmp"
        let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw DiskError("cannot create", temporary) }
        defer { close(descriptor) }
        try bytes.withByteView { (view) throws(DiskError) in try write(view, to: descriptor, at: 0, path: temporary) }
        try sync(descriptor, temporary)
        guard unsafe rename(temporary, path) == 0 else { throw DiskError("cannot rename to", path) }
        try syncDirectory(String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]))
    }

    static func write(
        _ bytes: ByteView, to descriptor: Int32, at offset: Int, path: String
    ) throws(DiskError) {
        guard let base = unsafe bytes.base else { return }
        var done = 0
        while done < bytes.count {
            let written = unsafe pwrite(descriptor, base + done, bytes.count - done, off_t(offset + done))
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw DiskError("cannot write", path) }
            done += written
        }
    }

    /// Removes a directory and all in it; what is not there is no error.
    static func removeTree(_ path: String) throws(DiskError) {
        guard exists(path) else { return }
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { throw DiskError("cannot look at", path) }
        if status.st_mode & S_IFMT == S_IFDIR {
            for name in try names(in: path) { try removeTree("\(path)/\(name)") }
            guard unsafe rmdir(path) == 0 else { throw DiskError("cannot remove", path) }
        } else {
            guard unsafe unlink(path) == 0 else { throw DiskError("cannot remove", path) }
        }
    }

    /// Bytes of the file system a path is on.
    static func totalBytes(_ path: String) -> UInt64 {
        var status = statvfs()
        guard unsafe statvfs(path, &status) == 0 else { return .max }
        return UInt64(status.f_blocks) * UInt64(status.f_frsize)
    }

    /// Free bytes of the file system for this process.
    static func freeBytes(_ path: String) -> UInt64 {
        var status = statvfs()
        guard unsafe statvfs(path, &status) == 0 else { return .max }
        return UInt64(status.f_bavail) * UInt64(status.f_frsize)
    }
}
