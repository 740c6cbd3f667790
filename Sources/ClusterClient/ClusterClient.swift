public import ClusterModel
public import NIOCore
public import NIOPosix
public import Wire

/// A client of an Ostraka cluster: routes every request to the node that serves its key's shard, by a cache of the shard
/// map that the metadata group and the data nodes themselves keep right.
///
/// ```swift
/// let client = try await ClusterClient.connect(ClusterClientOptions(meta: [Address(host: "127.0.0.1", port: 7410)]))
/// try await client.set(Array("user1".utf8), to: Array("Ada".utf8))
/// let value = try await client.get(Array("user1".utf8))
/// await client.close()
/// ```
///
/// * Each request is stamped with shard and epoch; a node of another epoch corrects the client, which follows at once.
/// * What a node refused is tried again until `ClusterClientOptions.timeout`, with growing, jittered waits and within a retry
///   budget, so that a hand-over or a fail-over is waited out; what got no answer or was shed, `Limits.routeAttempts` times
///   at most. A write whose outcome is unknown is never sent again: it throws `ClusterClientError.uncertain`.
/// * The metadata group is asked only when the map is unknown or suspect: with cached routes the client works while every
///   metasrv is down.
///
/// A value of this type is a handle on one keyspace; handles made by `using(keyspace:)` share connections and routes. Safe
/// from any task.
public struct ClusterClient: Sendable {
    let core: ClusterCore
    /// The keyspace that this handle works on.
    public let keyspace: String

    /// Makes a client and fetches the shard map.
    ///
    /// - Throws: `noRoutes` when no metasrv gives it. A keyspace that does not exist is told by the first operation.
    public static func connect(
        _ options: ClusterClientOptions, on group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) async throws(ClusterClientError) -> ClusterClient {
        let core = ClusterCore(options: options, group: group)
        let client = ClusterClient(core: core, keyspace: options.keyspace)
        if let failure = await core.routes.refresh(after: core.routes.generation) {
            await core.close()
            throw .noRoutes(failure.description)
        }
        return client
    }

    /// A handle on another keyspace.
    public func using(keyspace name: String) -> ClusterClient { ClusterClient(core: core, keyspace: name) }

    /// Closes all connections, of all handles; operations that wait fail.
    public func close() async { await core.close() }

    /// How many times routes were asked for (META.ROUTES requests), since the client was made.
    public var routeFetches: Int { core.routes.fetches }

    /// The shard map as it is known now.
    public var routes: RouteTable { core.routes.table }

    /// Takes changes of the map from outside, as the metadata group pushes them.
    ///
    /// - Returns: false when the delta does not join on to what is known; nothing was changed then.
    @discardableResult
    public func apply(_ delta: RouteDelta) -> Bool { core.routes.apply(delta) }

    /// Sends any command that has a key, to the shard of that key.
    ///
    /// - Parameters:
    ///   - arguments: the command's name and its arguments.
    ///   - key: the key to route by; nil = the command's first key, by what is known of Redis's commands.
    /// - Returns: the reply, which is no error.
    /// - Throws: `server` for an error reply; `invalidRequest` for a command without a key, or one that means the
    ///   connection (SELECT, MULTI, WATCH): connections are shared.
    public func command(
        _ arguments: [[UInt8]], routedBy key: [UInt8]? = nil
    ) async throws(ClusterClientError) -> RESPValue {
        let (key, shape) = try ClusterClient.shape(arguments, routedBy: key)
        return try await core.execute(arguments, key: key, keyspace: keyspace, isRead: shape.isRead)
    }

    /// The key that a command is routed by, and its shape.
    static func shape(
        _ arguments: [[UInt8]], routedBy key: [UInt8]?
    ) throws(ClusterClientError) -> (key: [UInt8], shape: CommandShape) {
        guard let name = arguments.first else { throw .invalidRequest("a command has at least a name") }
        let shape = CommandShape.of(name)
        guard let position = shape.key else {
            throw .invalidRequest("\(Key(name)) has no key to route by, or means one connection")
        }
        if let key { return (key, shape) }
        guard position < arguments.count else { throw .invalidRequest("\(Key(name)) lacks its key") }
        return (arguments[position], shape)
    }
}
