import CSystemCalls
import Glibc

/// A system call that failed: its errno, and what it was about.
struct SystemFailure: Error {
    var code: Int32
    var what: String

    init(_ what: String, _ code: Int32 = errno) {
        self.what = what
        self.code = code
    }

    /// For one line of a message.
    var text: String { unsafe "\(what): \(String(cString: strerror(code)))" }
    /// Whether the file is not there.
    var isAbsence: Bool { code == ENOENT }
}

/// The system calls on one directory that a `FileLog` rests on; nothing is cached between calls.
struct LogDirectory {
    let path: String

    /// Opens a directory, which is created with those above it when it is missing.
    init(creating path: String) throws(SystemFailure) {
        self.path = path
        var partial = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            partial += (partial.isEmpty || partial.hasSuffix("/") ? "" : "/") + part
            if unsafe mkdir(partial, 0o755) == 0 { continue }
            guard errno == EEXIST || errno == EISDIR else { throw SystemFailure("directory \(partial)") }
        }
        try sync()
    }

    func path(of name: String) -> String { "\(path)/\(name)" }

    /// The bytes of a file; nil when it does not exist.
    func read(_ name: String) throws(SystemFailure) -> [UInt8]? {
        let file = path(of: name)
        let descriptor = unsafe open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw SystemFailure(file)
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count == 0 { return bytes }
            if count < 0 {
                if errno == EINTR { continue }
                throw SystemFailure(file)
            }
            bytes += chunk[..<count]
        }
    }

    /// Writes a new file and makes its content durable. An older file of the name is unlinked, never written over: it may be
    /// linked to a slot.
    func create(_ name: String, _ bytes: [UInt8]) throws(SystemFailure) {
        let file = path(of: name)
        if unsafe Glibc.unlink(file) != 0, errno != ENOENT { throw SystemFailure(file) }
        let descriptor = unsafe open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw SystemFailure(file) }
        defer { close(descriptor) }
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { all in
                unsafe write(descriptor, all.baseAddress?.advanced(by: done), all.count - done)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw SystemFailure(file)
            }
            done += count
        }
        guard fsync(descriptor) == 0 else { throw SystemFailure(file) }
    }

    /// link(2). What it returns is a hint: the caller judges by reading back (RULES B2).
    func link(_ from: String, to: String) throws(SystemFailure) {
        guard unsafe Glibc.link(path(of: from), path(of: to)) == 0 else { throw SystemFailure(path(of: to)) }
    }

    /// rename(2), over an older file of the name.
    func rename(_ from: String, to: String) throws(SystemFailure) {
        guard unsafe Glibc.rename(path(of: from), path(of: to)) == 0 else { throw SystemFailure(path(of: to)) }
    }

    /// It is no error when the file is not there.
    func remove(_ name: String) throws(SystemFailure) {
        guard unsafe Glibc.unlink(path(of: name)) == 0 || errno == ENOENT else { throw SystemFailure(path(of: name)) }
    }

    func exists(_ name: String) throws(SystemFailure) -> Bool {
        var found = stat()
        if unsafe stat(path(of: name), &found) == 0 { return true }
        guard errno == ENOENT else { throw SystemFailure(path(of: name)) }
        return false
    }

    /// Seconds since the file was last written; nil when it is gone.
    func age(of name: String) -> Int? {
        var found = stat()
        guard unsafe stat(path(of: name), &found) == 0 else { return nil }
        return time(nil) - found.st_mtim.tv_sec
    }

    /// Makes the directory's own entries durable (RULES E7).
    func sync() throws(SystemFailure) {
        let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemFailure(path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw SystemFailure(path) }
    }

    /// All names, sorted.
    func names() throws(SystemFailure) -> [String] {
        guard let directory = unsafe opendir(path) else { throw SystemFailure(path) }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { field in
                unsafe field.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            names.append(name)
        }
        return names.sorted()
    }

    /// Runs the body if no other process is in it; returns whether it ran.
    func exclusively(_ lock: String, _ body: () throws(SystemFailure) -> Void) throws(SystemFailure) -> Bool {
        let descriptor = unsafe open(path(of: lock), O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw SystemFailure(path(of: lock)) }
        defer { close(descriptor) }
        guard ostraka_lock(descriptor) >= 0 else { return false }
        try body()
        return true
    }
}
