import ClusterModel

/// The files of a `FileLog`: one line that names kind, format, number, CRC-32C and length, then the content and a newline.
/// The content is JSON, so that people can read a log with ordinary tools.
///
///     ostraka-log 1 17 5f0c2a9b 142
///     {"commands":[{"beat":{"term":3}}],"term":3,"wall":...,"writer":"..."}
enum SealedText {
    /// What a file begins with.
    enum Kind: String { case log, snapshot, floor }

    /// What is in a file.
    enum Content: Equatable {
        case whole(number: UInt64, content: [UInt8])
        /// It ends early, or its checksum fails: half-written, or damaged.
        case broken
        /// Its first line is of another kind or of a format this program does not know.
        case foreign
    }

    static let format = 1

    static func seal(_ kind: Kind, number: UInt64, _ content: [UInt8]) -> [UInt8] {
        let crc = content.withByteView { Checksum.of($0) }
        let hex = String(crc, radix: 16)
        let padded = String(repeating: "0", count: 8 - hex.count) + hex
        return Array("ostraka-\(kind.rawValue) \(format) \(number) \(padded) \(content.count)\n".utf8) + content + [10]
    }

    static func open(_ kind: Kind, _ bytes: [UInt8]) -> Content {
        guard let lineEnd = bytes.prefix(128).firstIndex(of: 10) else { return .broken }
        let words = bytes[..<lineEnd].split(separator: 32, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        guard words.count == 5, let number = number(words[2]), let crc = UInt32(words[3], radix: 16),
            let length = number64(words[4])
        else { return bytes.first == 0 ? .broken : .foreign }
        guard words[0] == "ostraka-\(kind.rawValue)", words[1] == "\(format)" else { return .foreign }
        let rest = bytes.count - lineEnd - 1
        guard rest > 0, length == rest - 1, bytes[bytes.count - 1] == 10 else { return .broken }
        let content = Array(bytes[(lineEnd + 1)..<(bytes.count - 1)])
        guard content.withByteView({ Checksum.of($0) }) == crc else { return .broken }
        return .whole(number: number, content: content)
    }

    private static func number(_ text: String) -> UInt64? {
        text.utf8.allSatisfy { (48...57).contains($0) } ? UInt64(text) : nil
    }

    private static func number64(_ text: String) -> Int? { number(text).flatMap { Int(exactly: $0) } }
}
