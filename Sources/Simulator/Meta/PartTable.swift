import ClusterModel

/// Parts of documents that come again and again as they were: what they are as bytes, and what bytes are. Each is encoded,
/// and its bytes are decoded, when it is met first.
struct PartTable<Part: Hashable> {
    private var bytesOfParts: [Part: [UInt8]] = [:]
    private var partsOfBytes: [UInt64: (bytes: [UInt8], part: Part)] = [:]

    /// More are not kept: it begins anew.
    private static var limit: Int { 4096 }

    func bytes(of part: Part) -> [UInt8]? { bytesOfParts[part] }

    mutating func note(_ part: Part, encodedAs bytes: ByteView) {
        if bytesOfParts.count >= Self.limit { bytesOfParts = [:] }
        bytesOfParts[part] = bytes.array
    }

    func part(of bytes: ByteView) -> Part? {
        guard let known = partsOfBytes[Self.mixed(bytes)], known.bytes.withByteView({ $0 == bytes }) else { return nil }
        return known.part
    }

    mutating func note(_ part: Part, decodedFrom bytes: ByteView) {
        if partsOfBytes.count >= Self.limit { partsOfBytes = [:] }
        partsOfBytes[Self.mixed(bytes)] = (bytes.array, part)
    }

    /// Bytes that differ have mostly another.
    private static func mixed(_ bytes: ByteView) -> UInt64 {
        var mixed = UInt64(bytes.count)
        var place = 0
        while place + 8 <= bytes.count {
            mixed = (mixed ^ bytes.littleEndian(at: place, as: UInt64.self)) &* 0x9E37_79B9_7F4A_7C15
            mixed ^= mixed >> 32
            place += 8
        }
        while place < bytes.count {
            mixed = (mixed ^ UInt64(bytes[place])) &* 0x9E37_79B9_7F4A_7C15
            place += 1
        }
        return mixed ^ mixed >> 29
    }
}
