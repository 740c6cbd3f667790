internal import ClusterModel

/// Counts the tries of one operation and decides, after each, whether another one may follow and when: at most
/// `Limits.routeAttempts`, within the deadline and the retry budget.
struct RetryLoop: Sendable {
    private let core: ClusterCore
    private let deadline: ContinuousClock.Instant
    private(set) var attempts = 0
    private var waits = 0
    private var generator = SystemRandomNumberGenerator()
    /// What the route cache had fetched when the last try was routed.
    private var generation: UInt64 = 0

    init(core: ClusterCore, deadline: ContinuousClock.Instant) {
        self.core = core
        self.deadline = deadline
    }

    /// Time left for the next try.
    var left: Duration { max(deadline - ContinuousClock.now, .milliseconds(1)) }

    /// Begins a try: the map is looked at after this.
    mutating func begin() {
        attempts += 1
        generation = core.routes.generation
    }

    /// Does what must come before the next try.
    ///
    /// - Returns: nil when the next try may begin, else why there is none.
    mutating func prepare(for again: Verdict.Again, reason: String) async -> ClusterClientError? {
        guard attempts < Limits.routeAttempts else { return .unavailable(reason, attempts: attempts) }
        var delay = Duration.zero
        var refreshes = false
        switch again {
        case .redirected:
            // Following what was just learned costs no budget: there are no more such tries than changes of the map.
            if attempts > 2 { delay = nextDelay() }
        case .wait, .refresh:
            guard core.budget.withdraw() else {
                return .unavailable("\(reason) (the retry budget is used up)", attempts: attempts)
            }
            delay = nextDelay()
            if case .refresh = again { refreshes = true } else { refreshes = attempts > 2 }
        }
        guard ContinuousClock.now + delay < deadline else { return .unavailable(reason, attempts: attempts) }
        if refreshes { _ = await core.routes.refresh(after: generation) }
        if delay > .zero {
            do { try await Task.sleep(for: delay) } catch {
                return .unavailable("cancelled while waiting to try again: \(reason)", attempts: attempts)
            }
        }
        return nil
    }

    private mutating func nextDelay() -> Duration {
        waits += 1
        return core.options.backoff.delay(retry: waits, using: &generator)
    }
}
