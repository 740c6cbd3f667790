internal import Foundation
internal import Synchronization

/// Work for one or more threads, taken in order, many at once.
final class WorkQueue<Job>: @unchecked Sendable {
    private let condition = Condition()
    private var jobs: [Job] = []
    /// Of all jobs that wait.
    private var weight = 0
    /// What ends a `gather`; nil = nobody gathers.
    private var enough: Int?
    private var isHurried = false
    private var isClosed = false

    /// Adds a job; the taker is woken if it waits for one.
    func add(_ job: Job, weight more: Int = 0) {
        condition.lock()
        jobs.append(job)
        weight += more
        if enough.map({ weight >= $0 }) ?? (jobs.count == 1) { condition.signal() }
        condition.unlock()
    }

    /// Somebody waits for what was added: the `gather` of now, or the next, takes no time.
    func hurry() {
        condition.lock()
        isHurried = true
        if enough != nil { condition.signal() }
        condition.unlock()
    }

    /// All jobs that wait; blocks until there is one. Nil once the queue is closed and empty. With a time limit an empty
    /// array may come back.
    func takeAll(within seconds: Double? = nil) -> [Job]? {
        condition.lock()
        defer { condition.unlock() }
        if let seconds {
            let limit = Condition.Limit(after: seconds)
            while jobs.isEmpty, !isClosed { if !condition.wait(until: limit) { break } }
        } else {
            while jobs.isEmpty, !isClosed { condition.wait() }
        }
        if jobs.isEmpty, isClosed { return nil }
        return take()
    }

    /// What waits after so long, or as soon as it weighs enough or somebody hurries; nil once the queue is closed. For a
    /// queue with one taker.
    func gather(within seconds: Double, weight limit: Int) -> [Job]? {
        condition.lock()
        defer { condition.unlock() }
        let end = Condition.Limit(after: seconds)
        enough = limit
        while weight < limit, !isHurried, !isClosed { if !condition.wait(until: end) { break } }
        enough = nil
        isHurried = false
        if isClosed { return nil }
        return take()
    }

    private func take() -> [Job] {
        let taken = jobs
        jobs = []
        weight = 0
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
    private let done = Condition()
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
