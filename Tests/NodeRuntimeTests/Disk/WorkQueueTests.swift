import Foundation
import Synchronization
import Testing

@testable import NodeRuntime

@Suite("a taker that gathers")
struct WorkQueueTests {
    /// Gathers on a thread of its own while `body` runs; tells what came, and after how long.
    private func gathered(within seconds: Double, _ queue: WorkQueue<Int>, _ body: () -> Void) -> ([Int]?, Double) {
        let taken = Mutex<[Int]?>(nil)
        let start = Date()
        let worker = Worker("gather") {
            let found = queue.gather(within: seconds, weight: 100)
            taken.withLock { $0 = found }
        }
        body()
        worker.wait()
        return (taken.withLock { $0 }, Date().timeIntervalSince(start))
    }

    @Test("takes what came when its time is over")
    func timeIsOver() {
        let queue = WorkQueue<Int>()
        let (taken, _) = gathered(within: 0.1, queue) {
            queue.add(1, weight: 10)
            queue.add(2, weight: 10)
        }
        #expect(taken == [1, 2])
    }

    @Test("takes it at once when it weighs enough, or somebody hurries, before or after, and never once closed")
    func early() {
        let queue = WorkQueue<Int>()
        var (taken, seconds) = gathered(within: 60, queue) {
            queue.add(1, weight: 60)
            queue.add(2, weight: 60)
        }
        #expect(taken == [1, 2])
        #expect(seconds < 30)
        (taken, seconds) = gathered(within: 60, queue) {
            queue.add(3)
            queue.hurry()
        }
        #expect(seconds < 30)
        queue.hurry()
        (taken, seconds) = gathered(within: 60, queue) {}
        #expect(seconds < 30)
        (taken, seconds) = gathered(within: 60, queue) { queue.close() }
        #expect(taken == nil)
        #expect(seconds < 30)
    }
}
