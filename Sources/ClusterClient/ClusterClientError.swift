/// Why an operation of a `ClusterClient` gave no result.
public enum ClusterClientError: Error, Hashable, Sendable, CustomStringConvertible {
    /// No keyspace of that name, by the metadata group's own word. Not executed.
    case noSuchKeyspace(String)
    /// The shard map is not known and no metasrv gave it. Not executed.
    case noRoutes(String)
    /// No node took the request within the bounds on tries and time. Not executed.
    case unavailable(String, attempts: Int)
    /// The request left and its outcome is not known: it may have been executed, now or in a moment. It was not sent
    /// again (RULES G1).
    case uncertain(String)
    /// A read got no answer in time.
    case timedOut(String)
    /// A definite refusal by the server, as WRONGTYPE. Not executed.
    case server(ServerError)
    /// The request itself is wrong. Not sent.
    case invalidRequest(String)
    /// A reply of another shape than the command's.
    case unexpectedReply(String)

    /// Whether the operation is certain not to have been executed.
    public var isDefinite: Bool {
        switch self {
        case .uncertain, .unexpectedReply: false
        default: true
        }
    }

    public var description: String {
        switch self {
        case .noSuchKeyspace(let name):
            "no keyspace '\(name)': create it with `shardctl keyspace create \(name) --scheme hash`"
        case .noRoutes(let why): "the shard map is not known: \(why)"
        case .unavailable(let why, let attempts):
            "not executed after \(attempts) \(attempts == 1 ? "try" : "tries"): \(why)"
        case .uncertain(let why): "outcome unknown: \(why)"
        case .timedOut(let why): "no answer in time: \(why)"
        case .server(let error): error.description
        case .invalidRequest(let why): why
        case .unexpectedReply(let what): "unexpected reply: \(what)"
        }
    }
}
