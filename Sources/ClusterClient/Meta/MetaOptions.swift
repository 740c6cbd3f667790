public import ClusterModel

/// Where the metadata group is and how long to try.
public struct MetaOptions: Sendable {
    /// Addresses of metasrv processes, in the order they are tried. Those that NOTPRIMARY names are tried too.
    public var addresses: [Address]
    /// The cluster's shared secret, sent with AUTH; nil = none.
    public var secret: [UInt8]?
    /// Longest time for one connection with its handshake.
    public var connectTimeout: Duration
    /// Longest wait for one answer.
    public var requestTimeout: Duration
    /// Longest time for a request with all its tries.
    public var deadline: Duration
    /// Rounds over all addresses before a request gives up though its deadline has not come, when none answered at all.
    public var rounds: Int
    /// Waits between rounds.
    public var backoff: RetryBackoff

    public init(
        addresses: [Address], secret: [UInt8]? = nil, connectTimeout: Duration = .seconds(2),
        requestTimeout: Duration = .seconds(5), deadline: Duration = .seconds(8), rounds: Int = 3,
        backoff: RetryBackoff = RetryBackoff(base: .milliseconds(50), factor: 2, cap: .milliseconds(500))
    ) {
        self.addresses = addresses
        self.secret = secret
        self.connectTimeout = connectTimeout
        self.requestTimeout = requestTimeout
        self.deadline = deadline
        self.rounds = max(rounds, 1)
        self.backoff = backoff
    }
}
