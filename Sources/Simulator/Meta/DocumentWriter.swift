import ClusterModel

/// What encoders write to: a document behind a pointer, so that none of its many small steps counts references or checks for
/// exclusive access. Valid for the time of `document`.
@safe struct DocumentWriter {
    private let text: UnsafeMutablePointer<DocumentText>
    private let memory: PartMemory

    /// The bytes of a value.
    static func document(of value: some Encodable, _ memory: PartMemory) throws -> [UInt8] {
        var text = DocumentText()
        try unsafe withUnsafeMutablePointer(to: &text) { pointer in
            try unsafe DocumentWriter(text: pointer, memory: memory).write(value)
        }
        return text.bytes.view.array
    }

    /// Writes a value; one that says nothing is null.
    func write(_ value: some Encodable) throws {
        if let known = memory.bytes(of: value) { return unsafe text.pointee.append(encoded: known) }
        let (depth, start) = unsafe (text.pointee.depth, text.pointee.bytes.count)
        try value.encode(to: DocumentEncoder(writer: self, depth: depth))
        unsafe text.pointee.end(from: start, depth: depth)
        unsafe memory.note(value, encodedAs: text.pointee.bytes.view[start..<text.pointee.bytes.count])
    }

    func write(_ tag: DocumentTag) { unsafe text.pointee.append(tag) }
    func write(_ value: Int64) { unsafe text.pointee.append(.integer, UInt64(bitPattern: value)) }
    func write(_ value: UInt64) { unsafe text.pointee.append(.natural, value) }
    func write(_ value: Double) { unsafe text.pointee.append(.real, value.bitPattern) }
    func write(_ value: String) { unsafe text.pointee.append(value) }

    func openObject(at depth: Int) { unsafe text.pointee.openObject(at: depth) }
    func openList() { unsafe text.pointee.openList() }
    func beginItem(_ key: String, at depth: Int) { unsafe text.pointee.beginItem(key, at: depth) }
    func beginItem(at depth: Int) { unsafe text.pointee.beginItem(at: depth) }
}
