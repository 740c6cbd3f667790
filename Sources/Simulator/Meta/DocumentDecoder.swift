/// Reads a value's fields out of a tree.
struct DocumentDecoder: Decoder {
    let node: DocumentNode
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .object(let items) = node.content else { throw Self.mismatch("an object", codingPath) }
        return KeyedDecodingContainer(KeyedReader<Key>(items: items, codingPath: codingPath))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .list(let items) = node.content else { throw Self.mismatch("a list", codingPath) }
        return ListReader(items: items, codingPath: codingPath)
    }

    func singleValueContainer() -> any SingleValueDecodingContainer { ValueReader(node: node, codingPath: codingPath) }

    static func mismatch(_ wanted: String, _ path: [any CodingKey]) -> DecodingError {
        .dataCorrupted(DecodingError.Context(codingPath: path, debugDescription: "not \(wanted)"))
    }

    struct KeyedReader<Key: CodingKey>: KeyedDecodingContainerProtocol {
        let items: [(key: String, value: DocumentNode)]
        let codingPath: [any CodingKey]

        var allKeys: [Key] { items.compactMap { Key(stringValue: $0.key) } }
        private func find(_ key: Key) throws -> DocumentNode {
            guard let found = items.first(where: { $0.key == key.stringValue }) else {
                throw DecodingError.keyNotFound(
                    key, DecodingError.Context(codingPath: codingPath, debugDescription: "missing"))
            }
            return found.value
        }
        func contains(_ key: Key) -> Bool { items.contains { $0.key == key.stringValue } }
        func decodeNil(forKey key: Key) throws -> Bool {
            if case .null = try find(key).content { return true }
            return false
        }
        func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
            try Value(from: DocumentDecoder(node: try find(key), codingPath: codingPath))
        }
        func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type, forKey key: Key
        ) throws -> KeyedDecodingContainer<Nested> {
            try DocumentDecoder(node: try find(key), codingPath: codingPath).container(keyedBy: type)
        }
        func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
            try DocumentDecoder(node: try find(key), codingPath: codingPath).unkeyedContainer()
        }
        func superDecoder() throws -> any Decoder { DocumentDecoder(node: DocumentNode(), codingPath: codingPath) }
        func superDecoder(forKey key: Key) throws -> any Decoder {
            DocumentDecoder(node: try find(key), codingPath: codingPath)
        }
    }

    struct ListReader: UnkeyedDecodingContainer {
        let items: [DocumentNode]
        let codingPath: [any CodingKey]
        private(set) var currentIndex = 0

        init(items: [DocumentNode], codingPath: [any CodingKey]) {
            self.items = items
            self.codingPath = codingPath
        }

        var count: Int? { items.count }
        var isAtEnd: Bool { currentIndex >= items.count }
        private mutating func take() throws -> DocumentDecoder {
            guard !isAtEnd else { throw DocumentDecoder.mismatch("one more item", codingPath) }
            currentIndex += 1
            return DocumentDecoder(node: items[currentIndex - 1], codingPath: codingPath)
        }
        mutating func decodeNil() throws -> Bool {
            guard !isAtEnd, case .null = items[currentIndex].content else { return false }
            currentIndex += 1
            return true
        }
        mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try Value(from: try take()) }
        mutating func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type
        ) throws -> KeyedDecodingContainer<Nested> { try take().container(keyedBy: type) }
        mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
            try take().unkeyedContainer()
        }
        mutating func superDecoder() throws -> any Decoder { try take() }
    }

    struct ValueReader: SingleValueDecodingContainer {
        let node: DocumentNode
        let codingPath: [any CodingKey]

        func decodeNil() -> Bool {
            if case .null = node.content { return true }
            return false
        }
        func decode(_ type: Bool.Type) throws -> Bool {
            guard case .bool(let value) = node.content else { throw mismatch("a truth value") }
            return value
        }
        func decode(_ type: String.Type) throws -> String {
            guard case .text(let value) = node.content else { throw mismatch("a text") }
            return value
        }
        func decode(_ type: Double.Type) throws -> Double {
            guard case .real(let value) = node.content else { throw mismatch("a number") }
            return value
        }
        func decode(_ type: Float.Type) throws -> Float { Float(try decode(Double.self)) }
        func decode(_ type: Int.Type) throws -> Int { try whole() }
        func decode(_ type: Int8.Type) throws -> Int8 { try whole() }
        func decode(_ type: Int16.Type) throws -> Int16 { try whole() }
        func decode(_ type: Int32.Type) throws -> Int32 { try whole() }
        func decode(_ type: Int64.Type) throws -> Int64 { try whole() }
        func decode(_ type: UInt.Type) throws -> UInt { try whole() }
        func decode(_ type: UInt8.Type) throws -> UInt8 { try whole() }
        func decode(_ type: UInt16.Type) throws -> UInt16 { try whole() }
        func decode(_ type: UInt32.Type) throws -> UInt32 { try whole() }
        func decode(_ type: UInt64.Type) throws -> UInt64 { try whole() }
        func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
            try Value(from: DocumentDecoder(node: node, codingPath: codingPath))
        }

        private func whole<Number: FixedWidthInteger>() throws -> Number {
            switch node.content {
            case .integer(let value): if let number = Number(exactly: value) { return number }
            case .natural(let value): if let number = Number(exactly: value) { return number }
            default: break
            }
            throw mismatch("a whole number in range")
        }
        private func mismatch(_ wanted: String) -> DecodingError { DocumentDecoder.mismatch(wanted, codingPath) }
    }
}
