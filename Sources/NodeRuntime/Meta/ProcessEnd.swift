internal import Foundation
internal import Glibc
internal import Logging

/// Ends of a process that are not a clean stop.
enum ProcessEnd {
    /// A deposed primary begins anew with empty memory: same pid, same arguments (RULES B7).
    static func executeAnew(_ logger: Logger) {
        logger.warning("deposed: another metasrv is primary; starting anew as a standby")
        var arguments = unsafe CommandLine.arguments.map { unsafe strdup($0) }
        unsafe arguments.append(nil)
        let program =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        // Descriptors but the standard ones are closed by it, or the port would stay taken.
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? [] {
            if let descriptor = Int32(name), descriptor > 2 { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        }
        // What is ignored stays so across execv: the new program begins as if it had just been started.
        signal(SIGTERM, SIG_DFL)
        signal(SIGINT, SIG_DFL)
        unsafe execv(program, arguments)
        stop("cannot execute \(program) anew: \(SocketError.text(errno))", logger)
    }

    /// One line, and the end.
    static func stop(_ why: String, _ logger: Logger) {
        logger.critical("\(why)")
        exit(1)
    }
}
