/// One reply or push of a server, RESP2 or RESP3.
///
/// Source: Redis serialization protocol specification. Strings are bytes: nothing says that they are UTF-8.
public indirect enum RESPValue: Hashable, Sendable {
    /// `+`: a short text of the server.
    case simpleString([UInt8])
    /// `-`, or `!` in RESP3: the error's line without its sign.
    case error([UInt8])
    case integer(Int64)
    case bulkString([UInt8])
    /// `$-1`, `*-1` or `_`.
    case null
    case array([RESPValue])
    /// Pairs in the server's order.
    case map([Pair])
    case set([RESPValue])
    /// A message nobody asked for; its place among the replies means nothing.
    case push([RESPValue])
    case double(Double)
    case boolean(Bool)
    /// Decimal digits with an optional sign.
    case bigNumber([UInt8])
    /// Text of a format named by three bytes, `txt` or `mkd`.
    case verbatim(format: [UInt8], [UInt8])

    public struct Pair: Hashable, Sendable {
        public var key: RESPValue
        public var value: RESPValue

        public init(key: RESPValue, value: RESPValue) {
            self.key = key
            self.value = value
        }
    }
}

/// Why a server's bytes are no reply. The connection is of no more use: nobody knows where the next reply begins.
public enum ReplyError: Error, Hashable, Sendable, CustomStringConvertible {
    case unknownType(UInt8)
    /// A length or number that is none, or out of range.
    case invalidNumber
    /// A line without an end in `ReplyParser.lineBytes` bytes.
    case tooLongLine
    case tooDeep
    case missingLineEnd

    public var description: String {
        switch self {
        case .unknownType(let byte): "no RESP type begins with byte \(byte)"
        case .invalidNumber: "a length or number of a reply is malformed"
        case .tooLongLine: "a line of a reply has no end"
        case .tooDeep: "a reply is nested too deep"
        case .missingLineEnd: "a string of a reply is longer than declared"
        }
    }
}
