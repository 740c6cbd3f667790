/// Reads a binary document from its front. Any read beyond the end, or of a value that is out of its range, marks the
/// reader as failed and gives nil; it never traps. `nil` once means nil from then on.
public struct BinaryReader {
    private var rest: ByteView
    /// Whether a read was refused: the document is malformed.
    public private(set) var hasFailed = false

    public init(_ bytes: ByteView) { rest = bytes }

    /// Bytes not read yet.
    public var remaining: Int { rest.count }
    /// Whether all was read and nothing was refused.
    public var isComplete: Bool { !hasFailed && rest.isEmpty }

    /// A little-endian integer.
    public mutating func integer<Number: FixedWidthInteger>(_ type: Number.Type = Number.self) -> Number? {
        let size = MemoryLayout<Number>.size
        guard rest.count >= size else { return fail() }
        let value = rest.littleEndian(at: 0, as: type)
        rest = rest[size..<rest.count]
        return value
    }

    /// A little-endian number of 8 bytes that counts something: below `Limits.counters` (RULES B8).
    public mutating func counter<Value: Counter>(_ type: Value.Type = Value.self) -> Value? {
        guard let number = integer(UInt64.self) else { return nil }
        guard number < Limits.counters else { return fail() }
        return Value(rawValue: number)
    }

    /// `size` bytes, as a view into the document.
    public mutating func view(_ size: Int) -> ByteView? {
        guard size >= 0, rest.count >= size else { return fail() }
        let part = rest[0..<size]
        rest = rest[size..<rest.count]
        return part
    }

    /// A length of 4 bytes, then so many bytes, at most `limit`.
    public mutating func bytes(limit: Int = .max) -> ByteView? {
        guard let size = integer(UInt32.self) else { return nil }
        guard size <= limit else { return fail() }
        return view(Int(size))
    }

    /// Text written by `append(counted:)`; nil if it is no UTF-8.
    public mutating func text(limit: Int = .max) -> String? {
        guard let bytes = bytes(limit: limit) else { return nil }
        guard let text = unsafe String(validating: bytes.buffer, as: UTF8.self) else { return fail() }
        return text
    }

    /// A byte that is 0 or 1.
    public mutating func flag() -> Bool? {
        guard let byte = integer(UInt8.self) else { return nil }
        guard byte <= 1 else { return fail() }
        return byte == 1
    }

    /// A number of elements that take at least `size` bytes each: more than can follow is refused, so that memory
    /// follows the document's length and never what it declares.
    public mutating func count(ofAtLeast size: Int) -> Int? {
        guard let declared = integer(UInt32.self) else { return nil }
        guard Int(declared) <= rest.count / max(size, 1) else { return fail() }
        return Int(declared)
    }

    /// Refuses what was read: out of range.
    public mutating func fail<Value>() -> Value? {
        hasFailed = true
        rest = .empty
        return nil
    }
}

extension ByteBuffer {
    /// A length of 4 bytes, then the bytes. - Precondition: fewer than 2^32 bytes.
    public mutating func append(counted bytes: [UInt8]) {
        append(littleEndian: UInt32(bytes.count))
        append(bytes)
    }

    /// A length of 4 bytes, then the text's UTF-8. - Precondition: fewer than 2^32 bytes.
    public mutating func append(counted text: String) {
        append(littleEndian: UInt32(text.utf8.count))
        append(text: text)
    }

    public mutating func append(flag: Bool) { append(flag ? 1 : 0) }
}

extension ByteView {
    /// The little-endian integer at `offset`. - Precondition: it lies within the view.
    @inline(__always)
    public func littleEndian<Number: FixedWidthInteger>(at offset: Int, as type: Number.Type) -> Number {
        precondition(offset >= 0 && offset <= count - MemoryLayout<Number>.size)
        return unsafe Number(littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: type))
    }
}
