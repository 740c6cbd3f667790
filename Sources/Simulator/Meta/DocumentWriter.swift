import ClusterModel

/// The bytes of a document while its parts are written, each right behind the one before. An object's items are put in order
/// when it is closed, which is when something is written to what it is part of.
final class DocumentWriter {
    /// A list or an object that is not closed.
    private struct Open {
        /// Where its tag is.
        var start: Int
        var count: UInt32 = 0
        /// Its first item in `items`; nil = it is a list.
        var firstItem: Int?
    }

    private var bytes = ByteBuffer(capacity: 1024)
    private var open: [Open] = []
    /// The items of all open objects, by where they begin.
    private var items: [(key: String, start: Int)] = []

    var array: [UInt8] { bytes.view.array }
    /// How many lists and objects are open.
    var depth: Int { open.count }

    /// Writes a value; one that says nothing is null.
    func write(_ value: some Encodable) throws {
        let (depth, start) = (open.count, bytes.count)
        try value.encode(to: DocumentEncoder(writer: self, depth: depth))
        close(to: depth)
        if bytes.count == start { tag(.null) }
    }

    func tag(_ tag: DocumentTag) { bytes.append(tag.rawValue) }

    func write(_ value: Int64) {
        tag(.integer)
        bytes.append(littleEndian: value)
    }

    func write(_ value: UInt64) {
        tag(.natural)
        bytes.append(littleEndian: value)
    }

    func write(_ value: Double) {
        tag(.real)
        bytes.append(littleEndian: value.bitPattern)
    }

    func write(_ value: String) {
        tag(.text)
        bytes.append(counted: value)
    }

    // MARK: Lists and objects

    /// Opens an object at a depth, unless it is open there.
    func openObject(at depth: Int) {
        if open.count > depth, open[depth].firstItem != nil { return close(to: depth + 1) }
        begin(.object, firstItem: items.count)
    }

    func openList() { begin(.list, firstItem: nil) }

    private func begin(_ kind: DocumentTag, firstItem: Int?) {
        open.append(Open(start: bytes.count, firstItem: firstItem))
        tag(kind)
        bytes.append(littleEndian: UInt32(0))
    }

    /// The next item of the object that was opened at a depth begins.
    func item(_ key: String, at depth: Int) {
        close(to: depth + 1)
        open[depth].count += 1
        items.append((key, bytes.count))
        bytes.append(counted: key)
    }

    /// The next item of the list that was opened at a depth begins.
    func item(at depth: Int) {
        close(to: depth + 1)
        open[depth].count += 1
    }

    /// Closes what was opened behind a depth.
    private func close(to depth: Int) {
        while open.count > depth {
            let last = open.removeLast()
            bytes.replace(at: last.start + 1, littleEndian: last.count)
            guard let first = last.firstItem else { continue }
            sort(from: first)
            items.removeSubrange(first...)
        }
    }

    /// Puts the items from one on, which reach to the end, in the order of their keys.
    private func sort(from first: Int) {
        let own = items[first...]
        guard zip(own, own.dropFirst()).contains(where: { $1.key < $0.key }) else { return }
        let end = bytes.count
        var order = own.indices.map { $0 }
        order.sort { items[$0].key < items[$1].key }
        var sorted = ByteBuffer(capacity: end - items[first].start)
        for place in order {
            sorted.append(bytes.view[items[place].start..<(place + 1 < items.count ? items[place + 1].start : end)])
        }
        bytes.truncate(to: items[first].start)
        bytes.append(sorted.view)
    }
}
