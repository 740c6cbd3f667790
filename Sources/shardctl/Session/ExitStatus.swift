import ClusterClient
import ClusterModel

/// The exit codes that scripts rely on.
enum ExitStatus: Int32 {
    case done = 0
    case usage = 1
    /// Nothing reachable.
    case unreachable = 2
    /// Refused by a safety rule or by what exists.
    case refused = 3
    /// Failed, or its outcome is unknown.
    case failed = 4
    /// `status` alone: the cluster is not healthy.
    case unhealthy = 5
    case stillRunning = 6
}

/// Why a verb ended early: an exit code and one line for standard error.
struct CommandFailure: Error {
    var status: ExitStatus
    var message: String

    init(_ status: ExitStatus, _ message: String) {
        self.status = status
        self.message = message
    }

    init(_ error: MetaClientError) {
        let status: ExitStatus =
            switch error {
            case .unreachable, .noPrimary: .unreachable
            case .refused: .refused
            case .uncertain, .malformed: .failed
            }
        self.init(status, error.description)
    }

    init(_ error: ClusterClientError) {
        let status: ExitStatus =
            switch error {
            case .noRoutes, .unavailable, .timedOut: .unreachable
            case .noSuchKeyspace, .server: .refused
            case .invalidRequest: .usage
            case .uncertain, .unexpectedReply: .failed
            }
        self.init(status, error.description)
    }

    init(code: AdminErrorCode, _ message: String) {
        self.init(ExitStatus(rawValue: code.exitCode) ?? .failed, message)
    }
}
