// One-field types for every identity and counter, so that an epoch can never be passed where a seq is meant.

/// A number that counts something in one total order.
public protocol Counter: RawRepresentable, Hashable, Comparable, Codable, Sendable, CustomStringConvertible
where RawValue == UInt64 {
    init(rawValue: UInt64)
}

extension Counter {
    @inline(__always) public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    public var description: String { "\(rawValue)" }

    /// The next value, or nil at the end of the number range: a counter never wraps (RULES B8).
    @inline(__always) public var successor: Self? {
        let (next, overflow) = rawValue.addingReportingOverflow(1)
        return overflow ? nil : Self(rawValue: next)
    }

    public init(from decoder: any Decoder) throws {
        self.init(rawValue: try decoder.singleValueContainer().decode(UInt64.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
}

/// Counts the configurations of one shard; rises by one at any change of range, members or roles. 0 = none yet.
public struct Epoch: Counter {
    public let rawValue: UInt64
    @inline(__always) public init(rawValue: UInt64) { self.rawValue = rawValue }
    public static let none = Epoch(rawValue: 0)
}

/// Position in one shard's log, from 1; 0 = before the first record.
public struct Seq: Counter {
    public let rawValue: UInt64
    @inline(__always) public init(rawValue: UInt64) { self.rawValue = rawValue }
    public static let zero = Seq(rawValue: 0)
}

/// Counts every change of the whole shard map. 0 = an empty map.
public struct RouteVersion: Counter {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    public static let zero = RouteVersion(rawValue: 0)
}

/// Counts the primaries of the metadata group; fences a deposed one.
public struct Term: Counter {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    public static let zero = Term(rawValue: 0)
}

/// A position in the metadata group's shared log, from 1.
public struct LogPosition: Counter {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    public static let zero = LogPosition(rawValue: 0)
}

/// A shard's number, unique in the cluster and never used again. 0 is no shard.
public struct ShardID: Counter {
    public let rawValue: UInt64
    @inline(__always) public init(rawValue: UInt64) { self.rawValue = rawValue }
    public static let none = ShardID(rawValue: 0)
}

/// A keyspace's number, unique in the cluster and never used again (a dropped and re-created name gets a new one).
public struct KeyspaceID: Counter {
    public let rawValue: UInt64
    @inline(__always) public init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// Counts the lives of one replica's store: emptying a store begins a new incarnation first (RULES C14).
public struct Incarnation: Counter {
    public let rawValue: UInt64
    @inline(__always) public init(rawValue: UInt64) { self.rawValue = rawValue }
    public static let first = Incarnation(rawValue: 1)
}

/// A random number drawn at each start of a process; tells one boot from the next.
public struct BootNonce: Counter {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// The name a node was started with (`--id`): `[A-Za-z0-9][A-Za-z0-9_.-]{0,62}`.
public struct NodeID: RawRepresentable, Hashable, Comparable, Codable, Sendable, CustomStringConvertible {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    public static func < (left: NodeID, right: NodeID) -> Bool { left.rawValue < right.rawValue }
    public var description: String { rawValue }

    /// Whether the name is one a cluster accepts.
    public var isWellFormed: Bool {
        let bytes = Array(rawValue.utf8)
        guard let first = bytes.first, bytes.count <= 63 else { return false }
        func alphanumeric(_ byte: UInt8) -> Bool {
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
        }
        return alphanumeric(first) && bytes.allSatisfy { alphanumeric($0) || [95, 46, 45].contains($0) }
    }

    public init(from decoder: any Decoder) throws {
        self.init(rawValue: try decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
}

/// 128 random bits, drawn once when a store or a cluster is first written; the identity that outlives names (RULES H1).
public struct UniqueID: Hashable, Comparable, Codable, Sendable, CustomStringConvertible {
    public let high: UInt64
    public let low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    public static func < (left: UniqueID, right: UniqueID) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }

    /// 32 lower-case hexadecimal digits.
    public var description: String {
        func digits(_ value: UInt64) -> String {
            let text = String(value, radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }
        return digits(high) + digits(low)
    }

    /// Reads what `description` writes; nil for anything else.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 32 else { return nil }
        var halves: [UInt64] = [0, 0]
        for (index, byte) in bytes.enumerated() {
            let digit: UInt8
            switch byte {
            case 48...57: digit = byte - 48
            case 97...102: digit = byte - 87
            default: return nil
            }
            halves[index / 16] = halves[index / 16] << 4 | UInt64(digit)
        }
        self.init(high: halves[0], low: halves[1])
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let value = UniqueID(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not 32 hexadecimal digits")
        }
        self = value
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
