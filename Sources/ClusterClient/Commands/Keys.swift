internal import ClusterModel
internal import Wire

/// Single keys. Keys and values are bytes.
extension ClusterClient {
    /// The value of a key; nil when there is none.
    public func get(_ key: [UInt8]) async throws(ClusterClientError) -> [UInt8]? {
        let reply = try await run([Array("GET".utf8), key], key: key, isRead: true)
        if reply.isNull { return nil }
        guard let bytes = reply.stringBytes else { throw .unexpectedReply("GET got no string") }
        return bytes
    }

    /// Stores a value.
    ///
    /// - Returns: whether it was stored: false only when the condition did not hold.
    @discardableResult
    public func set(
        _ key: [UInt8], to value: [UInt8], options: SetOptions = SetOptions()
    ) async throws(ClusterClientError) -> Bool {
        let reply = try await run([Array("SET".utf8), key, value] + options.arguments, key: key, isRead: false)
        return !reply.isNull
    }

    /// Deletes keys, each by a request of its own: not atomic across keys.
    ///
    /// - Returns: how many were there.
    /// - Throws: the first failure; other keys may be deleted.
    @discardableResult
    public func delete(_ keys: [[UInt8]]) async throws(ClusterClientError) -> Int {
        try await count(Array("DEL".utf8), keys)
    }

    /// How many of the keys are there; a key named twice counts twice.
    public func exists(_ keys: [[UInt8]]) async throws(ClusterClientError) -> Int {
        try await count(Array("EXISTS".utf8), keys)
    }

    /// Values of several keys, in their order; not read at one moment.
    public func get(_ keys: [[UInt8]]) async throws(ClusterClientError) -> [[UInt8]?] {
        var values: [[UInt8]?] = []
        for result in await pipeline(keys.map { [Array("GET".utf8), $0] }) {
            values.append(try result.get().stringBytes)
        }
        return values
    }

    /// Adds to the number that a key holds, 0 when it is not there.
    ///
    /// - Returns: the sum.
    /// - Throws: `server` when the value is no integer or the sum leaves 64 bits.
    @discardableResult
    public func increment(_ key: [UInt8], by amount: Int64 = 1) async throws(ClusterClientError) -> Int64 {
        try integer(
            await run([Array("INCRBY".utf8), key, Array(String(amount).utf8)], key: key, isRead: false), of: "INCRBY")
    }

    /// Lets a key expire after a time; not above 0 = now.
    ///
    /// - Returns: whether the key is there.
    @discardableResult
    public func expire(_ key: [UInt8], after time: Duration) async throws(ClusterClientError) -> Bool {
        let arguments = [Array("PEXPIRE".utf8), key, Array(String(time.wholeMilliseconds).utf8)]
        return try integer(await run(arguments, key: key, isRead: false), of: "PEXPIRE") == 1
    }

    /// How long a key has left.
    public enum TimeToLive: Hashable, Sendable {
        case absent
        case unlimited
        case left(Duration)
    }

    /// How long a key has left.
    public func timeToLive(_ key: [UInt8]) async throws(ClusterClientError) -> TimeToLive {
        let left = try integer(await run([Array("PTTL".utf8), key], key: key, isRead: true), of: "PTTL")
        switch left {
        case -2: return .absent
        case -1: return .unlimited
        default: return .left(.milliseconds(left))
        }
    }

    private func run(
        _ arguments: [[UInt8]], key: [UInt8], isRead: Bool
    ) async throws(ClusterClientError) -> RESPValue {
        try await core.execute(arguments, key: key, keyspace: keyspace, isRead: isRead)
    }

    private func integer(_ reply: RESPValue, of name: String) throws(ClusterClientError) -> Int64 {
        guard let number = reply.integerValue else { throw .unexpectedReply("\(name) got no integer") }
        return number
    }

    private func count(_ name: [UInt8], _ keys: [[UInt8]]) async throws(ClusterClientError) -> Int {
        var sum: Int64 = 0
        for result in await pipeline(keys.map { [name, $0] }) {
            sum += try integer(result.get(), of: "\(Key(name))")
        }
        return Int(sum)
    }
}
