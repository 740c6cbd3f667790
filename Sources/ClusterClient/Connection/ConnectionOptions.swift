public import Wire

/// How a `RESPConnection` is made and bounded.
public struct ConnectionOptions: Sendable {
    /// Longest time for the TCP connection and the handshake together.
    public var connectTimeout: Duration
    /// Deadline of a request that names none, counted from when it was handed over.
    public var requestTimeout: Duration
    /// What AUTH is sent with first: the cluster's secret to a metasrv, the clients' password to a data node.
    public var credentials: [UInt8]?
    /// Whether RESP3 is asked for by HELLO 3 (needed for push frames).
    public var resp3: Bool
    /// The keyspace to SELECT; nil = the server's default.
    public var keyspace: String?
    /// Bytes of requests that may wait to be written; above, a request is refused as `overloaded`.
    public var queuedBytes: Int
    /// Called with each push frame, on the connection's event loop: it must return at once.
    public var onPush: (@Sendable (RESPValue) -> Void)?

    public init(
        connectTimeout: Duration = .seconds(2), requestTimeout: Duration = .seconds(5), credentials: [UInt8]? = nil,
        resp3: Bool = false, keyspace: String? = nil, queuedBytes: Int = 64 << 20,
        onPush: (@Sendable (RESPValue) -> Void)? = nil
    ) {
        self.connectTimeout = connectTimeout
        self.requestTimeout = requestTimeout
        self.credentials = credentials
        self.resp3 = resp3
        self.keyspace = keyspace
        self.queuedBytes = queuedBytes
        self.onPush = onPush
    }
}
