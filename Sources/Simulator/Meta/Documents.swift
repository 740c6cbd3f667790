import ClusterModel

/// Bytes of the documents of META commands.
///
/// The daemons write them as JSON. A pure target has no JSON of its own, so the simulated ones write the same trees, with the
/// same names and through the same `Codable` conformances, in a binary form: a tag, then the content; counts are 4 bytes,
/// little-endian. No tree is made on the way: beats are the bulk of what a calm world does.
final class Documents {
    private let memory = PartMemory()

    deinit { memory.deallocate() }

    /// nil for what does not encode itself.
    func encode(_ document: some Encodable) -> [UInt8]? {
        try? DocumentWriter.document(of: document, memory)
    }

    /// nil for bytes that are no such document.
    func decode<Document: Decodable>(_ type: Document.Type, _ bytes: [UInt8]) -> Document? {
        bytes.withByteView { view in
            guard view.endOfValue(at: 0) == view.count else { return nil }
            return try? Document(from: DocumentDecoder(bytes: view, memory: memory))
        }
    }
}

/// What a value begins with.
enum DocumentTag: UInt8 {
    case null = 0
    case no = 1
    case yes = 2
    case integer = 3
    case natural = 4
    case real = 5
    case text = 6
    case list = 7
    /// Its items are sorted by their names, as in the daemons' JSON: a dictionary's order is none.
    case object = 8
}

extension ByteView {
    /// Where the value that begins at a place ends; nil = it is malformed.
    func endOfValue(at start: Int) -> Int? {
        guard start < count, let tag = DocumentTag(rawValue: self[start]) else { return nil }
        switch tag {
        case .null, .no, .yes: return start + 1
        case .integer, .natural, .real: return start + 9 <= count ? start + 9 : nil
        case .text: return endOfText(at: start + 1)
        case .list, .object:
            guard var left = countOfItems(at: start + 1) else { return nil }
            var place = start + 5
            while left > 0 {
                if tag == .object {
                    guard let end = endOfText(at: place) else { return nil }
                    place = end
                }
                guard let end = endOfValue(at: place) else { return nil }
                place = end
                left -= 1
            }
            return place
        }
    }

    /// Where a text ends whose length is at a place.
    func endOfText(at start: Int) -> Int? {
        guard let size = countOfItems(at: start), size <= count - start - 4 else { return nil }
        return start + 4 + size
    }

    func countOfItems(at start: Int) -> Int? {
        start + 4 <= count ? Int(littleEndian(at: start, as: UInt32.self)) : nil
    }
}
