import ClusterModel

/// The bytes of a document while its parts are written, each right behind the one before. An object's items are put in order
/// when it is closed, which is when something is written to what it is part of.
struct DocumentText: ~Copyable {
    /// A list or an object that is not closed.
    private struct Open {
        /// Where its tag is.
        var start: Int
        var count: UInt32 = 0
        /// Its first item in `items`; nil = it is a list.
        var firstItem: Int?
    }

    private struct Item {
        var key: String
        var start: Int
    }

    private(set) var bytes = ByteBuffer(capacity: 1024)
    private var open: [Open] = []
    /// The items of all open objects.
    private var items: [Item] = []
    /// Items in the order of their keys, and their bytes.
    private var order: [Int] = []
    private var ordered = ByteBuffer(capacity: 512)

    /// How many lists and objects are open.
    var depth: Int { open.count }

    mutating func append(_ tag: DocumentTag) { bytes.append(tag.rawValue) }

    mutating func append(_ tag: DocumentTag, _ bits: UInt64) {
        append(tag)
        bytes.append(littleEndian: bits)
    }

    mutating func append(_ text: String) {
        append(.text)
        bytes.append(counted: text)
    }

    /// A whole value.
    mutating func append(encoded value: [UInt8]) { bytes.append(value) }

    /// Opens an object at a depth, unless it is open there.
    mutating func openObject(at depth: Int) {
        if open.count > depth, open[depth].firstItem != nil { return close(to: depth + 1) }
        begin(.object, firstItem: items.count)
    }

    mutating func openList() { begin(.list, firstItem: nil) }

    private mutating func begin(_ kind: DocumentTag, firstItem: Int?) {
        open.append(Open(start: bytes.count, firstItem: firstItem))
        append(kind)
        bytes.append(littleEndian: UInt32(0))
    }

    /// The next item of the object that was opened at a depth begins.
    mutating func beginItem(_ key: String, at depth: Int) {
        beginItem(at: depth)
        items.append(Item(key: key, start: bytes.count))
        bytes.append(counted: key)
    }

    /// The next item of the list that was opened at a depth begins.
    mutating func beginItem(at depth: Int) {
        close(to: depth + 1)
        open[depth].count += 1
    }

    /// A value that began here has written all it has to say; if that is nothing it is null.
    mutating func end(from start: Int, depth: Int) {
        close(to: depth)
        if bytes.count == start { append(.null) }
    }

    /// Closes what was opened behind a depth.
    private mutating func close(to depth: Int) {
        while open.count > depth {
            let last = open.removeLast()
            bytes.replace(at: last.start + 1, littleEndian: last.count)
            guard let first = last.firstItem else { continue }
            sort(from: first)
            items.removeLast(items.count - first)
        }
    }

    /// Puts the items from one on, which reach to the end, in the order of their keys.
    private mutating func sort(from first: Int) {
        guard first < items.count else { return }
        order.removeAll(keepingCapacity: true)
        var isInOrder = true
        for index in first..<items.count {
            var place = order.count
            while place > 0, items[index].key < items[order[place - 1]].key { place -= 1 }
            if place == order.count { order.append(index) } else { order.insert(index, at: place) }
            isInOrder = isInOrder && place == order.count - 1
        }
        guard !isInOrder else { return }
        let begin = items[first].start
        ordered.removeAll()
        for index in order {
            let end = index + 1 < items.count ? items[index + 1].start : bytes.count
            ordered.append(bytes.view[items[index].start..<end])
        }
        bytes.truncate(to: begin)
        bytes.append(ordered.view)
    }
}
