/// Why a client's bytes are no request. After it the connection is closed, since nobody knows where the next one begins.
///
/// Texts as Redis 7.0 gives them (networking.c).
public enum ProtocolError: Hashable, Sendable {
    case invalidMultibulkLength
    case unauthenticatedMultibulkLength
    case expectedDollar(got: UInt8)
    case invalidBulkLength
    case unauthenticatedBulkLength
    case tooBigInline
    case tooBigMultibulkCount
    case tooBigBulkCount
    case unbalancedQuotes
    /// `POST` or `Host:` as a command: a browser was made to talk to this port. Closed without an answer, as Redis does.
    case httpRequest

    /// What follows `ERR `; nil when the connection is closed without an answer.
    public var text: String? {
        switch self {
        case .invalidMultibulkLength: "Protocol error: invalid multibulk length"
        case .unauthenticatedMultibulkLength: "Protocol error: unauthenticated multibulk length"
        case .expectedDollar(let byte):
            "Protocol error: expected '$', got '\(String(decoding: [byte], as: UTF8.self))'"
        case .invalidBulkLength: "Protocol error: invalid bulk length"
        case .unauthenticatedBulkLength: "Protocol error: unauthenticated bulk length"
        case .tooBigInline: "Protocol error: too big inline request"
        case .tooBigMultibulkCount: "Protocol error: too big mbulk count string"
        case .tooBigBulkCount: "Protocol error: too big bulk count string"
        case .unbalancedQuotes: "Protocol error: unbalanced quotes in request"
        case .httpRequest: nil
        }
    }
}

/// What one call of `RequestParser.parse` did.
public struct ParseResult: Sendable {
    /// Bytes at the front that need not be given again; the views in the batch point into them.
    public var consumed: Int
    /// Commands added to the batch.
    public var commands: Int
    /// Whether the limit was reached: more complete commands may follow `consumed`.
    public var isLimited: Bool
    public var error: ProtocolError?

    @inline(__always)
    init(consumed: Int, commands: Int, isLimited: Bool = false, error: ProtocolError? = nil) {
        self.consumed = consumed
        self.commands = commands
        self.isLimited = isLimited
        self.error = error
    }
}
