/// Every bound of the system in one place; their relations are checked by `isConsistent` and a test.
public enum Limits {
    /// Longest key in bytes.
    public static let keyBytes = 64 << 10
    /// Longest value in bytes.
    public static let valueBytes = 16 << 20
    /// Longest inline command in bytes.
    public static let inlineBytes = 64 << 10
    /// Most arguments of one command.
    public static let arguments = 1 << 20
    /// Longest declared bulk length a request may carry: Redis's proto-max-bulk-len.
    public static let bulkBytes = 512 << 20
    /// Bytes of one incomplete command that are kept before its connection is closed: Redis's client-query-buffer-limit.
    public static let queryBytes = 1 << 30
    /// Unsent replies a connection may hold before it is closed.
    public static let outputBytes = 64 << 20
    /// Longest peer frame in bytes, header included.
    public static let frameBytes = 64 << 20
    /// Times a routed request is brought to servers that do not answer it, or shed it, before that is passed on.
    public static let routeAttempts = 5
    /// The grantor waits this many quarters of the lease length: W = 1.25 L (RULES A3).
    public static let grantorQuarters: UInt64 = 5
    /// Virtual nodes of one ring node.
    public static let virtualNodes = 4096
    /// Shards of one keyspace.
    public static let shardsPerKeyspace = 4096

    /// Epochs, seqs and incarnations end before this one. They rise by one from 0 and get nowhere near: what comes from outside
    /// and is as high was never given, and there may be no next one (RULES B8).
    public static let counters: UInt64 = 1 << 62

    /// Whether the bounds fit each other.
    public static var isConsistent: Bool {
        keyBytes + valueBytes < frameBytes && valueBytes <= bulkBytes && valueBytes * 2 <= outputBytes
            && shardsPerKeyspace <= Int(Slot.count) && grantorQuarters > 4
    }
}
