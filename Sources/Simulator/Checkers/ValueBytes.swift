/// A value as a key of look-ups. Its hash follows from its length and its end alone: what is appended to differs there, and
/// may be long.
struct ValueBytes: Hashable {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func hash(into hasher: inout Hasher) {
        var end: UInt64 = 0
        for byte in bytes.suffix(8) { end = end << 8 | UInt64(byte) }
        hasher.combine(bytes.count)
        hasher.combine(end)
    }
}
