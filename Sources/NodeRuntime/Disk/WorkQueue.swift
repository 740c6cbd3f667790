internal import Foundation
internal import Synchronization

/// Work for one or more threads, taken in order, many at once.
final class WorkQueue<Job>: @unchecked Sendable {
    private let condition = NSCondition()
    private var jobs: [Job] = []
    private var isClosed = false

    /// Adds a job; the taker is woken if it waits.
    func add(_ job: Job) {
        condition.lock()
        jobs.append(job)
        if jobs.count == 1 { condition.signal() }
        condition.unlock()
    }

    /// All jobs that wait; blocks until there is one. Nil once the queue is closed and empty. With a time limit an empty
    /// array may come back.
    func takeAll(within seconds: Double? = nil) -> [Job]? {
        condition.lock()
        defer { condition.unlock() }
        if let seconds {
            let limit = Date(timeIntervalSinceNow: seconds)
            while jobs.isEmpty, !isClosed { if !condition.wait(until: limit) { break } }
        } else {
            while jobs.isEmpty, !isClosed { condition.wait() }
        }
        if jobs.isEmpty, isClosed { return nil }
        let taken = jobs
        jobs = []
        return taken
    }

    /// What waits now, without blocking; nil once the queue is closed.
    func takeMore() -> [Job]? {
        condition.lock()
        defer { condition.unlock() }
        if isClosed { return nil }
        let taken = jobs
        jobs = []
        return taken
    }

    /// One job; blocks until there is one. Nil once the queue is closed and empty.
    func takeOne() -> Job? {
        condition.lock()
        defer { condition.unlock() }
        while jobs.isEmpty, !isClosed { condition.wait() }
        if jobs.isEmpty { return nil }
        let job = jobs.removeFirst()
        if !jobs.isEmpty { condition.signal() }
        return job
    }

    func close() {
        condition.lock()
        isClosed = true
        condition.broadcast()
        condition.unlock()
    }
}

/// A named thread that can be waited for.
final class Worker: @unchecked Sendable {
    private let done = NSCondition()
    private var isDone = false

    init(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let thread = Thread { [self] in
            body()
            done.lock()
            isDone = true
            done.broadcast()
            done.unlock()
        }
        thread.name = name
        thread.stackSize = 1 << 20
        thread.start()
    }

    func wait() {
        done.lock()
        while !isDone { done.wait() }
        done.unlock()
    }
}
