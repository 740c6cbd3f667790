/// What happens at a time.
enum Event {
    case action(() -> Void)
    /// The first packet of a lane arrives. There are many such, and none needs a closure.
    case arrival(Link, Link.Side)
}

/// What happens when: a heap by time; events of the same time come in the order they were added.
struct EventQueue {
    private struct Entry {
        var time: UInt64
        var order: UInt64
        /// Its place in `events`.
        var slot: Int

        func precedes(_ other: Entry) -> Bool {
            time != other.time ? time < other.time : order < other.order
        }
    }

    private var heap: [Entry] = []
    private var events: [Event?] = []
    private var free: [Int] = []
    private var nextOrder: UInt64 = 0

    /// The time of the next event, ns.
    var nextTime: UInt64? { heap.first?.time }

    mutating func add(_ time: UInt64, _ event: Event) {
        let slot: Int
        if let known = free.popLast() {
            slot = known
            events[slot] = event
        } else {
            slot = events.count
            events.append(event)
        }
        heap.append(Entry(time: time, order: nextOrder, slot: slot))
        nextOrder += 1
        rise(heap.count - 1)
    }

    mutating func removeFirst() -> Event? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            sink()
        }
        free.append(first.slot)
        return events[first.slot].take()
    }

    mutating func removeAll() { self = EventQueue() }

    private mutating func rise(_ start: Int) {
        var place = start
        let entry = heap[place]
        while place > 0, entry.precedes(heap[(place - 1) / 2]) {
            heap[place] = heap[(place - 1) / 2]
            place = (place - 1) / 2
        }
        heap[place] = entry
    }

    private mutating func sink() {
        var place = 0
        let entry = heap[0]
        while true {
            var child = place * 2 + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1].precedes(heap[child]) { child += 1 }
            guard heap[child].precedes(entry) else { break }
            heap[place] = heap[child]
            place = child
        }
        heap[place] = entry
    }
}
