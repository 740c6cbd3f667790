internal import Glibc

/// A lock, and a wait for what it guards. Waits with a limit go by the monotonic clock; Foundation's go by the wall, and a step
/// of that backwards would put off all that is done every so often: syncs, flushes, looks at the disk.
@safe final class Condition: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>

    init() {
        unsafe mutex = .allocate(capacity: 1)
        unsafe mutex.initialize(to: pthread_mutex_t())
        unsafe pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        unsafe condition = .allocate(capacity: 1)
        unsafe condition.initialize(to: pthread_cond_t())
        unsafe pthread_cond_init(condition, &attributes)
        unsafe pthread_condattr_destroy(&attributes)
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    func lock() { unsafe pthread_mutex_lock(mutex) }
    func unlock() { unsafe pthread_mutex_unlock(mutex) }
    func signal() { unsafe pthread_cond_signal(condition) }
    func broadcast() { unsafe pthread_cond_broadcast(condition) }

    func withLock<Result>(_ body: () throws -> Result) rethrows -> Result {
        lock()
        defer { unlock() }
        return try body()
    }

    /// Gives the lock back until somebody signals, or for no reason.
    func wait() { unsafe pthread_cond_wait(condition, mutex) }

    /// The same, but at the latest until a time. - Returns: false when that has come.
    func wait(until limit: Limit) -> Bool {
        var time = timespec(tv_sec: Int(limit.nanos / 1_000_000_000), tv_nsec: Int(limit.nanos % 1_000_000_000))
        return unsafe pthread_cond_timedwait(condition, mutex, &time) != ETIMEDOUT
    }

    /// A time of the machine's monotonic clock.
    struct Limit {
        let nanos: UInt64

        /// - Parameter seconds: from now on, 0 ... 1e9.
        init(after seconds: Double) { nanos = Clocks.waiting() + UInt64(max(seconds, 0) * 1e9) }
    }
}
