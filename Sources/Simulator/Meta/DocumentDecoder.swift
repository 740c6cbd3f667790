import ClusterModel

/// Reads a value's fields out of a document whose form is known to be good.
struct DocumentDecoder: Decoder {
    /// The value, from its tag on.
    let bytes: ByteView
    let memory: PartMemory
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard tag == .object else { throw Self.mismatch("an object") }
        return KeyedDecodingContainer(KeyedReader<Key>(items: items, memory: memory))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard tag == .list else { throw Self.mismatch("a list") }
        return ListReader(bytes, memory)
    }

    func singleValueContainer() -> any SingleValueDecodingContainer { ValueReader(bytes: bytes, memory: memory) }

    private var tag: DocumentTag? { DocumentTag(rawValue: bytes[0]) }

    /// A named part of an object.
    struct Item {
        let key: ByteView
        let value: ByteView
    }

    private var items: [Item] {
        let count = bytes.countOfItems(at: 1) ?? 0
        var items: [Item] = []
        items.reserveCapacity(count)
        var place = 5
        while items.count < count, let middle = bytes.endOfText(at: place), let end = bytes.endOfValue(at: middle) {
            items.append(Item(key: bytes[place + 4..<middle], value: bytes[middle..<end]))
            place = end
        }
        return items
    }

    private func value<Value: Decodable>(_ type: Value.Type) throws -> Value {
        if let known = memory.value(type, of: bytes) { return known }
        let value = try Value(from: self)
        memory.note(value, decodedFrom: bytes)
        return value
    }

    static func mismatch(_ wanted: String) -> DecodingError {
        .dataCorrupted(DecodingError.Context(codingPath: [], debugDescription: "not \(wanted)"))
    }

    struct KeyedReader<Key: CodingKey>: KeyedDecodingContainerProtocol {
        let items: [Item]
        let memory: PartMemory
        var codingPath: [any CodingKey] { [] }

        var allKeys: [Key] { items.compactMap { Key(stringValue: $0.key.text) } }
        private func look(_ key: Key) -> ByteView? {
            var name = key.stringValue
            return name.withUTF8 { utf8 in
                let name = unsafe ByteView(utf8)
                for item in items where item.key == name { return item.value }
                return nil
            }
        }
        private func find(_ key: Key) throws -> DocumentDecoder {
            guard let found = look(key) else {
                throw DecodingError.keyNotFound(
                    key, DecodingError.Context(codingPath: codingPath, debugDescription: "missing"))
            }
            return DocumentDecoder(bytes: found, memory: memory)
        }
        func contains(_ key: Key) -> Bool { look(key) != nil }
        func decodeNil(forKey key: Key) throws -> Bool { try find(key).tag == .null }
        func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool {
            try ValueReader(bytes: try find(key).bytes, memory: memory).decode(type)
        }
        func decode(_ type: String.Type, forKey key: Key) throws -> String {
            try ValueReader(bytes: try find(key).bytes, memory: memory).decode(type)
        }
        func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 {
            try ValueReader(bytes: try find(key).bytes, memory: memory).decode(type)
        }
        func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
            try find(key).value(type)
        }
        func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type, forKey key: Key
        ) throws -> KeyedDecodingContainer<Nested> { try find(key).container(keyedBy: type) }
        func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
            try find(key).unkeyedContainer()
        }
        func superDecoder() throws -> any Decoder { throw DocumentDecoder.mismatch("of a superclass") }
        func superDecoder(forKey key: Key) throws -> any Decoder { try find(key) }
    }

    struct ListReader: UnkeyedDecodingContainer {
        private let bytes: ByteView
        private let memory: PartMemory
        private let size: Int
        /// Where the next item begins.
        private var place = 5
        private(set) var currentIndex = 0
        var codingPath: [any CodingKey] { [] }

        init(_ bytes: ByteView, _ memory: PartMemory) {
            self.bytes = bytes
            self.memory = memory
            size = bytes.countOfItems(at: 1) ?? 0
        }

        var count: Int? { size }
        var isAtEnd: Bool { currentIndex >= size }
        private mutating func take() throws -> DocumentDecoder {
            guard !isAtEnd, let end = bytes.endOfValue(at: place) else {
                throw DocumentDecoder.mismatch("one more item")
            }
            defer { place = end }
            currentIndex += 1
            return DocumentDecoder(bytes: bytes[place..<end], memory: memory)
        }
        mutating func decodeNil() throws -> Bool {
            guard !isAtEnd, bytes[place] == DocumentTag.null.rawValue else { return false }
            place += 1
            currentIndex += 1
            return true
        }
        mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try take().value(type) }
        mutating func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type
        ) throws -> KeyedDecodingContainer<Nested> { try take().container(keyedBy: type) }
        mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
            try take().unkeyedContainer()
        }
        mutating func superDecoder() throws -> any Decoder { try take() }
    }

    struct ValueReader: SingleValueDecodingContainer {
        let bytes: ByteView
        let memory: PartMemory
        var codingPath: [any CodingKey] { [] }

        private var tag: DocumentTag? { DocumentTag(rawValue: bytes[0]) }
        func decodeNil() -> Bool { tag == .null }
        func decode(_ type: Bool.Type) throws -> Bool {
            switch tag {
            case .yes: return true
            case .no: return false
            default: throw DocumentDecoder.mismatch("a truth value")
            }
        }
        func decode(_ type: String.Type) throws -> String {
            guard tag == .text else { throw DocumentDecoder.mismatch("a text") }
            var reader = BinaryReader(bytes[1..<bytes.count])
            guard let text = reader.text() else { throw DocumentDecoder.mismatch("a text of UTF-8") }
            return text
        }
        func decode(_ type: Double.Type) throws -> Double {
            guard tag == .real else { throw DocumentDecoder.mismatch("a number") }
            return Double(bitPattern: bytes.littleEndian(at: 1, as: UInt64.self))
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
            try Value(from: DocumentDecoder(bytes: bytes, memory: memory))
        }

        private func whole<Number: FixedWidthInteger>() throws -> Number {
            let number: Number? =
                switch tag {
                case .integer: Number(exactly: bytes.littleEndian(at: 1, as: Int64.self))
                case .natural: Number(exactly: bytes.littleEndian(at: 1, as: UInt64.self))
                default: nil
                }
            guard let number else { throw DocumentDecoder.mismatch("a whole number in range") }
            return number
        }
    }
}
