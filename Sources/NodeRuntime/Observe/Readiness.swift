internal import Synchronization

/// Whether a process serves, for whoever asks from another thread.
final class Readiness: Sendable {
    private enum State {
        case before(String)
        case serving
        case after(String)
    }

    private let state: Mutex<State>

    /// - Parameter reason: why it does not serve yet.
    init(_ reason: String) { state = Mutex(.before(reason)) }

    /// Why it does not serve; nil while it does.
    var reason: String? {
        state.withLock { state in
            switch state {
            case .before(let reason), .after(let reason): reason
            case .serving: nil
            }
        }
    }

    /// It serves from now on. False if it did before, or stops already.
    func begin() -> Bool {
        state.withLock { state in
            guard case .before = state else { return false }
            state = .serving
            return true
        }
    }

    /// It serves no more.
    func end(_ reason: String) { state.withLock { $0 = .after(reason) } }
}
