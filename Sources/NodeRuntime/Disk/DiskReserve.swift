internal import CSystemCalls
internal import Foundation
internal import Glibc

/// A file of allocated blocks on a node's disk, given back when the disk is full (RULES E6).
///
/// Growth is refused before the disk is full: then the log cannot be written, and LevelDB loses what it acknowledges. When
/// somebody else fills the rest, the file goes, and its blocks let deletes and LevelDB's compaction work, also after a new
/// start. It is made again once there is room for it and some more.
final class DiskReserve: @unchecked Sendable {
    /// What there is on a disk of a certain size.
    struct Sizes: Equatable {
        /// Bytes of the file: a segment of the log and what LevelDB writes meanwhile; a quarter of a disk that is small.
        let file: UInt64
        /// Free bytes below which growth is refused, beside the file.
        var low: UInt64 { file }
        /// Free bytes below which the file goes.
        var full: UInt64 { file / 8 }
        /// Free bytes from which on the file is made again, so that growth is not refused at once.
        var roomy: UInt64 { file + low + low / 4 }

        /// - Parameter total: bytes of the file system.
        init(total: UInt64) { file = min(128 << 20, max(total / 16, min(96 << 20, total / 4))) }
    }

    private let directory: String
    private let path: String
    private let sizes: Sizes
    private let free: () -> UInt64
    private let changed: (Bool) -> Void

    private let lock = NSCondition()
    private var isHeld: Bool
    private var isLow = false
    private var isStopping = false
    private var worker: Worker?

    /// Makes the file if there is room for it.
    /// - Parameters:
    ///   - directory: the node's.
    ///   - period: seconds between two looks at the disk; nil = only `look` does.
    ///   - free: free bytes of the disk.
    ///   - changed: told from a thread whether growth is refused from now on.
    init(
        _ directory: String, period: TimeInterval? = 0.1, free: (() -> UInt64)? = nil,
        changed: @escaping (Bool) -> Void
    ) {
        self.directory = directory
        path = Self.path(directory)
        sizes = Sizes(total: Files.totalBytes(directory))
        self.free = free ?? { Files.freeBytes(directory) }
        self.changed = changed
        isHeld = Self.size(of: path) >= sizes.file
        // What a stop in the middle of its making left.
        if !isHeld { unsafe unlink(path) }
        look()
        if let period { worker = Worker("reserve") { [self] in run(period) } }
    }

    /// Ends the thread. The file stays: it is for the next start.
    func stop() {
        lock.lock()
        isStopping = true
        lock.broadcast()
        lock.unlock()
        worker?.wait()
    }

    /// A file could not be made for lack of room. Returns whether there is some now, so that it can be tried again.
    func makeRoom() -> Bool {
        lock.withLock {
            guard isHeld else { return false }
            release(free())
            return true
        }
    }

    /// Looks at the disk once.
    func look() {
        lock.withLock {
            let free = free()
            if isHeld, free < sizes.full { return release(free) }
            if !isHeld, free >= sizes.roomy { make() }
            judge(free)
        }
    }

    /// Whether growth is refused now.
    var isDiskLow: Bool { lock.withLock { isLow } }

    /// Before anything is opened: a node that finds its disk full starts on the blocks of its reserve.
    static func prepare(_ directory: String) {
        let path = path(directory)
        guard Files.exists(path), Files.freeBytes(directory) < Sizes(total: Files.totalBytes(directory)).low
        else { return }
        unsafe unlink(path)
    }

    static func path(_ directory: String) -> String { directory + "/reserve" }

    // MARK: Under the lock

    private func judge(_ free: UInt64) {
        // Given back only with some room above, so that it does not flicker.
        let isLow = !isHeld || free < sizes.low || self.isLow && free < sizes.low + sizes.low / 4
        guard isLow != self.isLow else { return }
        self.isLow = isLow
        changed(isLow)
    }

    /// Growth is refused first: the blocks are not for it.
    private func release(_ free: UInt64) {
        isHeld = false
        judge(free)
        unsafe unlink(path)
    }

    private func make() {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        if ostraka_fallocate(descriptor, 0, Int64(sizes.file)) == 0 {
            isHeld = true
        } else {
            unsafe unlink(path)
        }
    }

    private func run(_ period: TimeInterval) {
        lock.lock()
        defer { lock.unlock() }
        while !isStopping {
            _ = lock.wait(until: Date(timeIntervalSinceNow: period))
            if isStopping { return }
            lock.unlock()
            look()
            lock.lock()
        }
    }

    /// Bytes allocated to a file; 0 if there is none.
    private static func size(of path: String) -> UInt64 {
        var status = stat()
        return unsafe stat(path, &status) == 0 ? UInt64(status.st_blocks) * 512 : 0
    }
}
