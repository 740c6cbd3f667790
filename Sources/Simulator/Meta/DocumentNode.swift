import ClusterModel

/// A document as a tree: what the documents of META commands are between their types and their bytes.
///
/// The daemons write them as JSON. A pure target has no JSON of its own, so the simulated ones write the same trees, with the
/// same names and through the same `Codable` conformances, in a binary form.
final class DocumentNode {
    enum Content {
        case null
        case bool(Bool)
        case integer(Int64)
        case natural(UInt64)
        case real(Double)
        case text(String)
        case list([DocumentNode])
        case object([(key: String, value: DocumentNode)])
    }

    var content: Content

    init(_ content: Content = .null) { self.content = content }

    func append(_ node: DocumentNode) {
        guard case .list(var items) = content else { return }
        content = .null
        items.append(node)
        content = .list(items)
    }

    func set(_ key: String, _ node: DocumentNode) {
        guard case .object(var items) = content else { return }
        content = .null
        items.append((key, node))
        content = .object(items)
    }

    // MARK: Bytes: a tag, then the content; counts are 4 bytes, little-endian

    func write(to buffer: inout ByteBuffer) {
        switch content {
        case .null: buffer.append(UInt8(0))
        case .bool(let value): buffer.append(value ? UInt8(2) : UInt8(1))
        case .integer(let value):
            buffer.append(UInt8(3))
            buffer.append(littleEndian: value)
        case .natural(let value):
            buffer.append(UInt8(4))
            buffer.append(littleEndian: value)
        case .real(let value):
            buffer.append(UInt8(5))
            buffer.append(littleEndian: value.bitPattern)
        case .text(let value):
            buffer.append(UInt8(6))
            buffer.append(counted: value)
        case .list(let items):
            buffer.append(UInt8(7))
            buffer.append(littleEndian: UInt32(items.count))
            for item in items { item.write(to: &buffer) }
        case .object(let items):
            buffer.append(UInt8(8))
            buffer.append(littleEndian: UInt32(items.count))
            // Sorted, as the daemons' JSON: a dictionary's order is none.
            for item in items.sorted(by: { $0.key < $1.key }) {
                buffer.append(counted: item.key)
                item.value.write(to: &buffer)
            }
        }
    }

    convenience init?(_ reader: inout BinaryReader) {
        guard let tag = reader.integer(UInt8.self) else { return nil }
        switch tag {
        case 0: self.init(.null)
        case 1, 2: self.init(.bool(tag == 2))
        case 3:
            guard let value = reader.integer(Int64.self) else { return nil }
            self.init(.integer(value))
        case 4:
            guard let value = reader.integer(UInt64.self) else { return nil }
            self.init(.natural(value))
        case 5:
            guard let value = reader.integer(UInt64.self) else { return nil }
            self.init(.real(Double(bitPattern: value)))
        case 6:
            guard let value = reader.text() else { return nil }
            self.init(.text(value))
        case 7:
            guard let count = reader.count(ofAtLeast: 1) else { return nil }
            var items: [DocumentNode] = []
            for _ in 0..<count {
                guard let item = DocumentNode(&reader) else { return nil }
                items.append(item)
            }
            self.init(.list(items))
        case 8:
            guard let count = reader.count(ofAtLeast: 5) else { return nil }
            var items: [(key: String, value: DocumentNode)] = []
            for _ in 0..<count {
                guard let key = reader.text(), let item = DocumentNode(&reader) else { return nil }
                items.append((key, item))
            }
            self.init(.object(items))
        default: return nil
        }
    }
}

/// Bytes of the documents of META commands.
enum Documents {
    /// nil for what does not encode itself.
    static func encode(_ document: some Encodable) -> [UInt8]? {
        let encoder = DocumentEncoder(node: DocumentNode(), codingPath: [])
        do {
            try document.encode(to: encoder)
        } catch {
            return nil
        }
        var buffer = ByteBuffer(capacity: 1024)
        encoder.node.write(to: &buffer)
        return buffer.view.array
    }

    /// nil for bytes that are no such document.
    static func decode<Document: Decodable>(_ type: Document.Type, _ bytes: [UInt8]) -> Document? {
        bytes.withByteView { view in
            var reader = BinaryReader(view)
            guard let node = DocumentNode(&reader), reader.isComplete else { return nil }
            return try? Document(from: DocumentDecoder(node: node, codingPath: []))
        }
    }
}
