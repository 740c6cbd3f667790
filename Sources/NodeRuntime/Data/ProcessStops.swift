internal import Glibc
internal import Logging
internal import Synchronization

/// Why the process stops though nobody told it to.
final class EarlyEnd: Sendable {
    private let noted = Mutex<String?>(nil)

    /// The first reason stays.
    func note(_ reason: String) { noted.withLock { $0 = $0 ?? reason } }

    var reason: String? { noted.withLock { $0 } }
}

/// What happens when a write to the directory failed: one line and the end, at once, since nothing may be acknowledged any
/// more (RULES E2, E6).
///
/// A failure after which the disk may hold something else than what was written marks the directory. Where the system merely
/// refused (disk full, no descriptors, no permission) it does not: nothing that was acknowledged is in doubt, and the
/// process can be started again.
final class FailStop: Sendable {
    private let directory: NodeDirectory
    private let logger: Logger
    /// Another thread that fails meanwhile waits for the end here.
    private let lock = Mutex<Void>(())

    init(_ directory: NodeDirectory, _ logger: Logger) {
        self.directory = directory
        self.logger = logger
    }

    func fail(_ what: String, _ why: DiskError) {
        lock.withLock { _ in
            let end = "the node stops: nothing it has acknowledged is lost, nothing more is taken"
            if let remedy = why.remedy {
                logger.critical("\(what): \(why); \(end); \(remedy), then start it again")
            } else {
                directory.markSuspect("\(what): \(why)")
                logger.critical("\(what): \(why); \(end); \(directory.path) is marked suspect: check the disk first")
            }
            _exit(1)
        }
    }
}
