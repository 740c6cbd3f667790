internal import CSystemCalls
internal import DataCore
internal import Foundation
internal import Glibc

/// A file of allocated blocks on a node's disk, by the rules of `ReserveRules`: given back when the disk is full, made again
/// when there is room.
final class DiskReserve: @unchecked Sendable {
    /// Bytes of the file on a disk of so many bytes: a quarter of one that is small.
    static func size(total: UInt64) -> UInt64 { min(128 << 20, max(total / 16, min(96 << 20, total / 4))) }

    private let directory: String
    private let path: String
    private let free: () -> UInt64
    private let changed: (Bool) -> Void

    private let lock = Condition()
    private var rules: ReserveRules
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
        let size = Self.size(total: Files.totalBytes(directory))
        rules = ReserveRules(size: size, isHeld: Self.size(of: path) >= size)
        self.free = free ?? { Files.freeBytes(directory) }
        self.changed = changed
        // What a stop in the middle of its making left.
        if !rules.isHeld { unsafe unlink(path) }
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
            guard rules.isHeld else { return false }
            release(free())
            return true
        }
    }

    /// Looks at the disk once.
    func look() {
        lock.withLock {
            let free = free()
            switch rules.due(free: free) {
            case .release: return release(free)
            case .make: make()
            case .nothing: break
            }
            judge(free)
        }
    }

    /// Whether growth is refused now.
    var isDiskLow: Bool { lock.withLock { rules.isLow } }

    /// Before anything is opened: a node that finds its disk full starts on the blocks of its reserve.
    static func prepare(_ directory: String) {
        let path = path(directory)
        let rules = ReserveRules(size: size(total: Files.totalBytes(directory)), isHeld: true)
        guard Files.exists(path), rules.isNeeded(free: Files.freeBytes(directory)) else { return }
        unsafe unlink(path)
    }

    static func path(_ directory: String) -> String { directory + "/reserve" }

    // MARK: Under the lock

    private func judge(_ free: UInt64) { if let isLow = rules.judge(free: free) { changed(isLow) } }

    /// Growth is refused first: the blocks are not for it.
    private func release(_ free: UInt64) {
        rules.note(isHeld: false)
        judge(free)
        unsafe unlink(path)
    }

    private func make() {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        if ostraka_fallocate(descriptor, 0, Int64(rules.size)) == 0 {
            rules.note(isHeld: true)
        } else {
            unsafe unlink(path)
        }
    }

    private func run(_ period: TimeInterval) {
        lock.lock()
        defer { lock.unlock() }
        while !isStopping {
            _ = lock.wait(until: Condition.Limit(after: period))
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
