/// A key as bytes, ordered by unsigned byte comparison (as LevelDB's default comparator orders it).
public struct Key: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let bytes: [UInt8]
    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    public static func < (left: Key, right: Key) -> Bool { left.bytes.lexicographicallyPrecedes(right.bytes) }

    /// Printable ASCII as it is, everything else as `\xNN`.
    public var description: String {
        var text = ""
        for byte in bytes {
            if byte >= 0x20, byte < 0x7F, byte != 0x5C {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16)
                text += "\\x" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return text
    }
}

extension Key: Codable {
    // Keys travel in JSON as base64, since they are bytes and need not be text.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let bytes = Base64.decode(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not base64")
        }
        self.bytes = bytes
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(Base64.encode(bytes))
    }
}

/// What one shard covers: an interval of slots, an interval of keys, or a set of list values.
public enum ShardRange: Hashable, Codable, Sendable {
    /// Slots `from ..< to`; `0 <= from < to <= 16384`.
    case slots(from: UInt16, to: UInt16)
    /// Keys `from ..< to`; nil = unbounded on that side.
    case keys(from: Key?, to: Key?)
    /// Keys whose prefix up to the keyspace's separator is one of these, sorted; empty and `isDefault` = all the rest.
    case values([Key], isDefault: Bool)

    /// Whether it is an interval of slots: its rows lie in a store by slot.
    public var isSlots: Bool {
        if case .slots = self { return true }
        return false
    }

    @inline(__always) public func contains(slot: UInt16) -> Bool {
        if case .slots(let from, let to) = self { return from <= slot && slot < to }
        return false
    }

    /// Whether a key interval covers the key. False for the other kinds.
    public func contains(key: Key) -> Bool {
        guard case .keys(let from, let to) = self else { return false }
        if let from, key < from { return false }
        if let to, key >= to { return false }
        return true
    }
}

/// RFC 4648 base64 with padding, for keys in JSON.
public enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    public static func encode(_ bytes: [UInt8]) -> String {
        var output: [UInt8] = []
        output.reserveCapacity((bytes.count + 2) / 3 * 4)
        var index = 0
        while index < bytes.count {
            let left = bytes.count - index
            let group =
                UInt32(bytes[index]) << 16 | (left > 1 ? UInt32(bytes[index + 1]) << 8 : 0)
                | (left > 2 ? UInt32(bytes[index + 2]) : 0)
            output.append(alphabet[Int(group >> 18)])
            output.append(alphabet[Int(group >> 12 & 63)])
            output.append(left > 1 ? alphabet[Int(group >> 6 & 63)] : 0x3D)
            output.append(left > 2 ? alphabet[Int(group & 63)] : 0x3D)
            index += 3
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// nil for anything that `encode` does not write.
    public static func decode(_ text: String) -> [UInt8]? {
        let input = Array(text.utf8)
        guard input.count % 4 == 0 else { return nil }
        var output: [UInt8] = []
        output.reserveCapacity(input.count / 4 * 3)
        for start in stride(from: 0, to: input.count, by: 4) {
            let isLast = start + 4 == input.count
            let padding = isLast ? (input[start + 3] == 0x3D ? (input[start + 2] == 0x3D ? 2 : 1) : 0) : 0
            var group: UInt32 = 0
            for offset in 0..<4 {
                let byte = input[start + offset]
                if offset >= 4 - padding {
                    group <<= 6
                    continue
                }
                guard let value = value(of: byte) else { return nil }
                group = group << 6 | value
            }
            output.append(UInt8(truncatingIfNeeded: group >> 16))
            if padding < 2 { output.append(UInt8(truncatingIfNeeded: group >> 8)) }
            if padding < 1 { output.append(UInt8(truncatingIfNeeded: group)) }
        }
        return encode(output) == text ? output : nil
    }

    private static func value(of byte: UInt8) -> UInt32? {
        switch byte {
        case 65...90: UInt32(byte - 65)
        case 97...122: UInt32(byte - 71)
        case 48...57: UInt32(byte + 4)
        case 43: 62
        case 47: 63
        default: nil
        }
    }
}
