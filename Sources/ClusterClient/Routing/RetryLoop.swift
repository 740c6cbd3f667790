internal import ClusterModel

/// Counts the tries of one operation and decides, after each, whether another one may follow and when.
///
/// * A node that says "not executed, not here" or "not now" is part of a hand-over or a fail-over, which ends: the operation
///   waits it out until its deadline, each wait longer than the one before, within the retry budget.
/// * When the map has moved on since the try, the new way is followed at once and patience begins anew: each such try
///   follows a change of the map, so there are no more of them than changes. A pause here would only let a map that changes
///   fast move on again.
/// * What a server may have choked on, or shed, is not brought to it more than `Limits.routeAttempts` times.
struct RetryLoop: Sendable {
    private let core: ClusterCore
    private let deadline: ContinuousClock.Instant
    private(set) var attempts = 0
    /// Tries that a server failed to answer, or shed.
    private var failures = 0
    /// Waits since the map last moved on under this operation.
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
        var delay = Duration.zero
        if again == .redirected {
            waits = 0
        } else {
            if again.isFailure { failures += 1 }
            guard failures < Limits.routeAttempts else { return .unavailable(reason, attempts: attempts) }
            guard core.budget.withdraw() else {
                return .unavailable("\(reason) (the retry budget is used up)", attempts: attempts)
            }
            waits += 1
            delay = core.options.backoff.delay(retry: waits, using: &generator)
        }
        // The next try gets at least as long as the wait before it: a write begun at the last moment would end in doubt.
        guard ContinuousClock.now + delay * 2 < deadline else { return .unavailable(reason, attempts: attempts) }
        // A node that is only behind the map catches up by itself within the first waits.
        if again.isMapSuspect || waits > 2 { _ = await core.routes.refresh(after: generation) }
        if delay > .zero {
            do { try await Task.sleep(for: delay) } catch {
                return .unavailable("cancelled while waiting to try again: \(reason)", attempts: attempts)
            }
        }
        return ContinuousClock.now < deadline ? nil : .unavailable(reason, attempts: attempts)
    }
}
