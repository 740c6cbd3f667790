internal import Synchronization

/// Whether a process serves, for whoever asks from another thread.
final class Readiness: Sendable {
    private let why: Mutex<String?>

    /// - Parameter reason: why it does not serve yet.
    init(_ reason: String) { why = Mutex(reason) }

    /// nil once it serves.
    var reason: String? { why.withLock { $0 } }

    /// It serves from now on. False if it did before.
    func begin() -> Bool {
        why.withLock { why in
            defer { why = nil }
            return why != nil
        }
    }

    /// It serves no more.
    func end(_ reason: String) { why.withLock { $0 = reason } }
}
