/// Writes a value's fields into a document.
struct DocumentEncoder: Encoder {
    let writer: DocumentWriter
    /// How many lists and objects are around the value.
    let depth: Int
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        writer.openObject(at: depth)
        return KeyedEncodingContainer(KeyedWriter<Key>(writer: writer, depth: depth))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        writer.openList()
        return ListWriter(writer: writer, depth: depth)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { ValueWriter(writer: writer, depth: depth) }

    /// No document is a class with another above it.
    fileprivate static func refuseSuper() -> Never { preconditionFailure("a document has no superclass") }

    struct KeyedWriter<Key: CodingKey>: KeyedEncodingContainerProtocol {
        let writer: DocumentWriter
        let depth: Int
        var codingPath: [any CodingKey] { [] }

        private func item(_ key: Key) { writer.beginItem(key.stringValue, at: depth) }

        mutating func encodeNil(forKey key: Key) {
            item(key)
            writer.write(DocumentTag.null)
        }
        mutating func encode(_ value: Bool, forKey key: Key) {
            item(key)
            writer.write(value ? DocumentTag.yes : .no)
        }
        mutating func encode(_ value: String, forKey key: Key) {
            item(key)
            writer.write(value)
        }
        mutating func encode(_ value: UInt64, forKey key: Key) {
            item(key)
            writer.write(value)
        }
        mutating func encode(_ value: some Encodable, forKey key: Key) throws {
            item(key)
            try writer.write(value)
        }
        mutating func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type, forKey key: Key
        ) -> KeyedEncodingContainer<Nested> {
            item(key)
            return DocumentEncoder(writer: writer, depth: depth + 1).container(keyedBy: type)
        }
        mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
            item(key)
            return DocumentEncoder(writer: writer, depth: depth + 1).unkeyedContainer()
        }
        mutating func superEncoder() -> any Encoder { DocumentEncoder.refuseSuper() }
        mutating func superEncoder(forKey key: Key) -> any Encoder { DocumentEncoder.refuseSuper() }
    }

    struct ListWriter: UnkeyedEncodingContainer {
        let writer: DocumentWriter
        let depth: Int
        private(set) var count = 0
        var codingPath: [any CodingKey] { [] }

        init(writer: DocumentWriter, depth: Int) {
            self.writer = writer
            self.depth = depth
        }

        private mutating func item() {
            writer.beginItem(at: depth)
            count += 1
        }
        mutating func encodeNil() {
            item()
            writer.write(DocumentTag.null)
        }
        mutating func encode(_ value: some Encodable) throws {
            item()
            try writer.write(value)
        }
        mutating func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type
        ) -> KeyedEncodingContainer<Nested> {
            item()
            return DocumentEncoder(writer: writer, depth: depth + 1).container(keyedBy: type)
        }
        mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
            item()
            return DocumentEncoder(writer: writer, depth: depth + 1).unkeyedContainer()
        }
        mutating func superEncoder() -> any Encoder { DocumentEncoder.refuseSuper() }
    }

    struct ValueWriter: SingleValueEncodingContainer {
        let writer: DocumentWriter
        let depth: Int
        var codingPath: [any CodingKey] { [] }

        mutating func encodeNil() { writer.write(DocumentTag.null) }
        mutating func encode(_ value: Bool) { writer.write(value ? DocumentTag.yes : .no) }
        mutating func encode(_ value: String) { writer.write(value) }
        mutating func encode(_ value: Double) { writer.write(value) }
        mutating func encode(_ value: Float) { writer.write(Double(value)) }
        mutating func encode(_ value: Int) { writer.write(Int64(value)) }
        mutating func encode(_ value: Int8) { writer.write(Int64(value)) }
        mutating func encode(_ value: Int16) { writer.write(Int64(value)) }
        mutating func encode(_ value: Int32) { writer.write(Int64(value)) }
        mutating func encode(_ value: Int64) { writer.write(value) }
        mutating func encode(_ value: UInt) { writer.write(UInt64(value)) }
        mutating func encode(_ value: UInt8) { writer.write(UInt64(value)) }
        mutating func encode(_ value: UInt16) { writer.write(UInt64(value)) }
        mutating func encode(_ value: UInt32) { writer.write(UInt64(value)) }
        mutating func encode(_ value: UInt64) { writer.write(value) }
        mutating func encode(_ value: some Encodable) throws {
            try value.encode(to: DocumentEncoder(writer: writer, depth: depth))
        }
    }
}
