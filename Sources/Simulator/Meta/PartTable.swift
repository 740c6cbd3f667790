import ClusterModel

/// Parts of documents that come again and again as they were: what they are as bytes, and what bytes are. Each is encoded,
/// and its bytes are decoded, when it is met first.
struct PartTable<Part: Hashable> {
    private var bytesOfParts: [Part: [UInt8]] = [:]
    /// By their checksums.
    private var partsOfBytes: [UInt32: (bytes: [UInt8], part: Part)] = [:]

    /// More are not kept: it begins anew.
    private static var limit: Int { 4096 }

    func bytes(of part: Part) -> [UInt8]? { bytesOfParts[part] }

    mutating func note(_ part: Part, encodedAs bytes: ByteView) {
        if bytesOfParts.count >= Self.limit { bytesOfParts = [:] }
        bytesOfParts[part] = bytes.array
    }

    func part(of bytes: ByteView) -> Part? {
        guard let known = partsOfBytes[Checksum.of(bytes)], known.bytes.withByteView({ $0 == bytes }) else {
            return nil
        }
        return known.part
    }

    mutating func note(_ part: Part, decodedFrom bytes: ByteView) {
        if partsOfBytes.count >= Self.limit { partsOfBytes = [:] }
        partsOfBytes[Checksum.of(bytes)] = (bytes.array, part)
    }
}
