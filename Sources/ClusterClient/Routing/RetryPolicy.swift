internal import Synchronization

/// How long to wait before a request is tried again: exponential with jitter, so that clients that failed together do not
/// come back together (RULES H7).
public struct RetryBackoff: Hashable, Sendable {
    /// The longest first wait.
    public var base: Duration
    /// Each wait is so many times longer than the one before.
    public var factor: Int
    /// No wait is longer.
    public var cap: Duration

    public init(base: Duration = .milliseconds(10), factor: Int = 2, cap: Duration = .seconds(1)) {
        self.base = base
        self.factor = max(factor, 1)
        self.cap = cap
    }

    /// The wait before try number `retry` + 1 (`retry` from 1): between a half and the whole of base x factor^(retry - 1).
    public func delay(retry: Int, using generator: inout some RandomNumberGenerator) -> Duration {
        var longest = base
        for _ in 1..<max(retry, 1) where longest < cap { longest *= factor }
        longest = min(longest, cap)
        let half = longest / 2
        return half + half * Double.random(in: 0...1, using: &generator)
    }
}

/// Bounds retries to a share of the requests, so that retries never multiply an overload (RULES H7).
///
/// A bucket of tokens: a request pays in `ratio` of a token, a retry takes one out. It starts full and holds at most
/// `reserve`, so that a short fail-over is ridden out. Safe from any thread.
public final class RetryBudget: Sendable {
    private let ratio: Double
    private let reserve: Double
    private let tokens: Mutex<Double>

    /// - Parameters:
    ///   - ratio: retries per request in the long run, 0 ... 1.
    ///   - reserve: retries that may happen at once after a quiet time.
    public init(ratio: Double = 0.1, reserve: Double = 500) {
        self.ratio = ratio
        self.reserve = reserve
        tokens = Mutex(reserve)
    }

    /// Notes one request's first try.
    public func deposit() {
        tokens.withLock { $0 = min(reserve, $0 + ratio) }
    }

    /// Takes a retry out; false = none is left, pass the error on.
    public func withdraw() -> Bool {
        tokens.withLock { tokens in
            guard tokens >= 1 else { return false }
            tokens -= 1
            return true
        }
    }
}
