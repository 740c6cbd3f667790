import ClusterModel

/// Finds the parts of a reply that a node of this version wrote: what a gateway needs to put parts together.
enum ReplySlicer {
    /// Whether it is an error.
    static func isError(_ reply: ByteView) -> Bool { reply.count > 0 && reply[0] == 0x2D }

    /// The number of an integer reply.
    static func integer(_ reply: ByteView) -> Int64? {
        guard reply.count >= 4, reply[0] == 0x3A else { return nil }
        return number(reply, 1).map { $0.value }
    }

    /// The elements of an array, each as it was written; nil for anything else.
    static func elements(_ reply: ByteView) -> [ByteView]? {
        guard reply.count >= 4, reply[0] == 0x2A, let head = number(reply, 1), head.value >= 0 else { return nil }
        var place = head.end
        var elements: [ByteView] = []
        for _ in 0..<head.value {
            guard let end = end(of: reply, at: place) else { return nil }
            elements.append(reply[place..<end])
            place = end
        }
        return elements
    }

    /// The bytes of a bulk string; nil for a null or anything else.
    static func bulk(_ element: ByteView) -> ByteView? {
        guard element.count > 0, element[0] == 0x24, let head = number(element, 1), head.value >= 0 else { return nil }
        return element[head.end..<head.end + Int(head.value)]
    }

    /// Arrays in arrays that any command here answers with, and some more.
    private static let deepest = 16

    private static func end(of reply: ByteView, at place: Int, depth: Int = 0) -> Int? {
        guard place < reply.count, depth < deepest else { return nil }
        switch reply[place] {
        // Bulk strings and verbatim ones.
        case 0x24, 0x3D:
            guard let head = number(reply, place + 1) else { return nil }
            if head.value < 0 { return head.end }
            guard head.value <= Int64(reply.count - head.end) - 2 else { return nil }
            return head.end + Int(head.value) + 2
        // Arrays, sets and maps.
        case 0x2A, 0x7E, 0x25:
            guard let head = number(reply, place + 1), head.value <= Int64(reply.count) else { return nil }
            var end = head.end
            for _ in 0..<max(head.value, 0) * (reply[place] == 0x25 ? 2 : 1) {
                guard let next = self.end(of: reply, at: end, depth: depth + 1) else { return nil }
                end = next
            }
            return end
        // Integers, simple strings, errors, nulls, truths, numbers: one line.
        case 0x3A, 0x2B, 0x2D, 0x5F, 0x23, 0x2C, 0x28:
            var end = place + 1
            while end < reply.count, reply[end] != 0x0A { end += 1 }
            return end < reply.count ? end + 1 : nil
        default: return nil
        }
    }

    /// A decimal number and the place behind its line break.
    private static func number(_ reply: ByteView, _ start: Int) -> (value: Int64, end: Int)? {
        var place = start
        var isNegative = false
        var value: Int64 = 0
        if place < reply.count, reply[place] == 0x2D {
            isNegative = true
            place += 1
        }
        while place < reply.count, reply[place] >= 48, reply[place] <= 57 {
            let (scaled, overflow) = value.multipliedReportingOverflow(by: 10)
            let (next, carry) = scaled.addingReportingOverflow(Int64(reply[place] - 48))
            if overflow || carry { return nil }
            value = next
            place += 1
        }
        guard place + 2 <= reply.count, reply[place] == 13 else { return nil }
        return (isNegative ? -value : value, place + 2)
    }
}
