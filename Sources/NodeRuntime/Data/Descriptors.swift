internal import Glibc

/// The process's limit of open files, raised as far as the system lets it, and how it is divided.
struct Descriptors {
    /// For client and peer connections.
    let connections: Int
    /// For LevelDB's table files.
    let files: Int
    /// One line for the log when there are fewer than were asked for.
    let warning: String?

    /// Kept for the log, the listeners and everything else.
    private static let reserved = 64

    init(wantedConnections: Int) {
        var limit = rlimit()
        _ = unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        _ = unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let all = Int(clamping: min(limit.rlim_cur, 1 << 20)) - Self.reserved
        // LevelDB gets a quarter at least: without table files nothing can be read.
        connections = max(min(wantedConnections, all * 3 / 4), 16)
        files = max(min(all - connections, 16384), 64)
        warning =
            connections < wantedConnections
            ? "the limit of open files is \(limit.rlim_cur): \(connections) clients instead of \(wantedConnections), "
                + "\(files) table files; raise it with ulimit -n"
            : nil
    }
}
