/// A reply arena: RESP written byte by byte into memory that the connection reuses.
///
/// Source: Redis serialization protocol specification, RESP2 and RESP3. `resp3` chooses where the two differ.
public struct ReplyBuffer: ~Copyable, Sendable {
    public var bytes: ByteBuffer
    /// Whether the connection asked for RESP3 by HELLO 3.
    public var resp3: Bool

    public init(capacity: Int = 256, resp3: Bool = false) {
        bytes = ByteBuffer(capacity: capacity)
        self.resp3 = resp3
    }

    @inline(__always) private mutating func header(_ type: UInt8, _ number: Int64) {
        bytes.append(type)
        bytes.append(decimal: number)
        bytes.append("\r\n")
    }

    /// `+text`; the text has no line break.
    @inline(__always) public mutating func simple(_ text: StaticString) {
        bytes.append(0x2B)
        bytes.append(text)
        bytes.append("\r\n")
    }

    @inline(__always) public mutating func ok() { bytes.append("+OK\r\n") }

    /// `-text`: line breaks in it become spaces, since an error is one line.
    public mutating func error(_ text: String) {
        bytes.append(0x2D)
        for byte in text.utf8 { bytes.append(byte == 13 || byte == 10 ? 32 : byte) }
        bytes.append("\r\n")
    }

    public mutating func error(_ text: StaticString) {
        bytes.append(0x2D)
        bytes.append(text)
        bytes.append("\r\n")
    }

    @inline(__always) public mutating func integer(_ number: Int64) { header(0x3A, number) }
    @inline(__always) public mutating func integer(_ number: Int) { header(0x3A, Int64(number)) }

    @inline(__always) public mutating func bulk(_ view: ByteView) {
        header(0x24, Int64(view.count))
        bytes.append(view)
        bytes.append("\r\n")
    }

    public mutating func bulk(_ array: [UInt8]) { array.withByteView { bulk($0) } }

    public mutating func bulk(_ text: String) {
        var copy = text
        copy.withUTF8 { bulk(unsafe ByteView($0)) }
    }

    /// A bulk string that a decimal number fills.
    public mutating func bulk(decimal number: Int64) {
        var digits = ByteBuffer(capacity: 24)
        digits.append(decimal: number)
        bulk(digits.view)
    }

    @inline(__always) public mutating func null() {
        if resp3 { bytes.append("_\r\n") } else { bytes.append("$-1\r\n") }
    }

    /// The null of replies that are arrays.
    public mutating func nullArray() {
        if resp3 { bytes.append("_\r\n") } else { bytes.append("*-1\r\n") }
    }

    @inline(__always) public mutating func array(_ count: Int) { header(0x2A, Int64(count)) }

    /// A map of `pairs` keys; RESP2 has a flat array.
    public mutating func map(_ pairs: Int) {
        if resp3 { header(0x25, Int64(pairs)) } else { header(0x2A, Int64(pairs * 2)) }
    }

    public mutating func set(_ count: Int) { header(resp3 ? 0x7E : 0x2A, Int64(count)) }

    public mutating func boolean(_ value: Bool) {
        if resp3 { bytes.append(value ? "#t\r\n" : "#f\r\n") } else { integer(value ? 1 : 0) }
    }

    /// A double given as its text; RESP2 has a bulk string.
    public mutating func double(text: String) {
        if resp3 {
            bytes.append(0x2C)
            bytes.append(text: text)
            bytes.append("\r\n")
        } else {
            bulk(text)
        }
    }

    /// Text of a known format (`txt`); RESP2 has a bulk string.
    public mutating func verbatim(_ text: String) {
        guard resp3 else { return bulk(text) }
        header(0x3D, Int64(text.utf8.count + 4))
        bytes.append("txt:")
        bytes.append(text: text)
        bytes.append("\r\n")
    }
}
