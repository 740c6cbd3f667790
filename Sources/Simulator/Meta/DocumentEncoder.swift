/// Writes a value's fields into a tree.
struct DocumentEncoder: Encoder {
    let node: DocumentNode
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        if case .object = node.content {} else { node.content = .object([]) }
        return KeyedEncodingContainer(KeyedWriter<Key>(node: node, codingPath: codingPath))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        node.content = .list([])
        return ListWriter(node: node, codingPath: codingPath)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { ValueWriter(node: node, codingPath: codingPath) }

    static func encode(_ value: some Encodable, _ path: [any CodingKey]) throws -> DocumentNode {
        let node = DocumentNode()
        switch value {
        case let text as String: node.content = .text(text)
        case let number as UInt64: node.content = .natural(number)
        case let number as Int: node.content = .integer(Int64(number))
        default: try value.encode(to: DocumentEncoder(node: node, codingPath: path))
        }
        return node
    }

    struct KeyedWriter<Key: CodingKey>: KeyedEncodingContainerProtocol {
        let node: DocumentNode
        let codingPath: [any CodingKey]

        mutating func encodeNil(forKey key: Key) { node.set(key.stringValue, DocumentNode()) }
        mutating func encode(_ value: some Encodable, forKey key: Key) throws {
            node.set(key.stringValue, try DocumentEncoder.encode(value, codingPath))
        }
        mutating func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type, forKey key: Key
        ) -> KeyedEncodingContainer<Nested> {
            DocumentEncoder(node: child(key), codingPath: codingPath).container(keyedBy: type)
        }
        mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
            DocumentEncoder(node: child(key), codingPath: codingPath).unkeyedContainer()
        }
        mutating func superEncoder() -> any Encoder { DocumentEncoder(node: DocumentNode(), codingPath: codingPath) }
        mutating func superEncoder(forKey key: Key) -> any Encoder {
            DocumentEncoder(node: child(key), codingPath: codingPath)
        }
        private func child(_ key: Key) -> DocumentNode {
            let child = DocumentNode()
            node.set(key.stringValue, child)
            return child
        }
    }

    struct ListWriter: UnkeyedEncodingContainer {
        let node: DocumentNode
        let codingPath: [any CodingKey]
        private(set) var count = 0

        init(node: DocumentNode, codingPath: [any CodingKey]) {
            self.node = node
            self.codingPath = codingPath
        }

        private mutating func add(_ child: DocumentNode) {
            node.append(child)
            count += 1
        }
        mutating func encodeNil() { add(DocumentNode()) }
        mutating func encode(_ value: some Encodable) throws { add(try DocumentEncoder.encode(value, codingPath)) }
        mutating func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type
        ) -> KeyedEncodingContainer<Nested> {
            let child = DocumentNode()
            add(child)
            return DocumentEncoder(node: child, codingPath: codingPath).container(keyedBy: type)
        }
        mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
            let child = DocumentNode()
            add(child)
            return DocumentEncoder(node: child, codingPath: codingPath).unkeyedContainer()
        }
        mutating func superEncoder() -> any Encoder {
            let child = DocumentNode()
            add(child)
            return DocumentEncoder(node: child, codingPath: codingPath)
        }
    }

    struct ValueWriter: SingleValueEncodingContainer {
        let node: DocumentNode
        let codingPath: [any CodingKey]

        mutating func encodeNil() { node.content = .null }
        mutating func encode(_ value: Bool) { node.content = .bool(value) }
        mutating func encode(_ value: String) { node.content = .text(value) }
        mutating func encode(_ value: Double) { node.content = .real(value) }
        mutating func encode(_ value: Float) { node.content = .real(Double(value)) }
        mutating func encode(_ value: Int) { node.content = .integer(Int64(value)) }
        mutating func encode(_ value: Int8) { node.content = .integer(Int64(value)) }
        mutating func encode(_ value: Int16) { node.content = .integer(Int64(value)) }
        mutating func encode(_ value: Int32) { node.content = .integer(Int64(value)) }
        mutating func encode(_ value: Int64) { node.content = .integer(value) }
        mutating func encode(_ value: UInt) { node.content = .natural(UInt64(value)) }
        mutating func encode(_ value: UInt8) { node.content = .natural(UInt64(value)) }
        mutating func encode(_ value: UInt16) { node.content = .natural(UInt64(value)) }
        mutating func encode(_ value: UInt32) { node.content = .natural(UInt64(value)) }
        mutating func encode(_ value: UInt64) { node.content = .natural(value) }
        mutating func encode(_ value: some Encodable) throws {
            try value.encode(to: DocumentEncoder(node: node, codingPath: codingPath))
        }
    }
}
