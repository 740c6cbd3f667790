internal import ClusterModel
internal import Wire

/// What spans shards: asked of any node's gateway port, which follows the map itself. A cursor is a position in the
/// keyspace and no node's memory, so another gateway goes on where one was lost.
extension ClusterClient {
    /// One step of a scan.
    public struct ScanPage: Hashable, Sendable {
        /// Where to go on; 0 = the end.
        public var cursor: UInt64
        public var keys: [[UInt8]]

        public init(cursor: UInt64, keys: [[UInt8]]) {
            self.cursor = cursor
            self.keys = keys
        }
    }

    /// One step of a scan over the whole keyspace. Keys that are there from the first step to the last are returned, each
    /// at least once.
    ///
    /// - Parameters:
    ///   - cursor: 0 to begin, else the last page's.
    ///   - match: a glob pattern of keys; nil = all.
    ///   - count: about how many keys to look at, at least 1.
    public func scan(
        from cursor: UInt64, match: [UInt8]? = nil, count: Int = 100
    ) async throws(ClusterClientError) -> ScanPage {
        var arguments = [Array("SCAN".utf8), Array(String(cursor).utf8)]
        if let match { arguments += [Array("MATCH".utf8), match] }
        arguments += [Array("COUNT".utf8), Array(String(max(count, 1)).utf8)]
        let reply = try await core.askGateway(arguments, keyspace: keyspace)
        guard let parts = reply.elements, parts.count == 2, let digits = parts[0].stringBytes,
            let next = UInt64(String(decoding: digits, as: UTF8.self)), let found = parts[1].elements
        else { throw .unexpectedReply("SCAN got no cursor and keys") }
        return ScanPage(cursor: next, keys: found.compactMap(\.stringBytes))
    }

    /// All keys of the keyspace that match, page by page as they are asked for.
    public func scan(match: [UInt8]? = nil, count: Int = 1000) -> KeyScan {
        KeyScan(client: self, match: match, count: count)
    }

    /// A row of a range keyspace.
    public struct Row: Hashable, Sendable {
        public var key: [UInt8]
        public var value: [UInt8]

        public init(key: [UInt8], value: [UInt8]) {
            self.key = key
            self.value = value
        }
    }

    /// Rows of a range keyspace in the order of their keys, across shards.
    ///
    /// - Parameters:
    ///   - from: the first key, inclusive; nil = from the beginning.
    ///   - to: the end, exclusive; nil = to the end. `from` <= `to` also when reversed.
    ///   - limit: at most so many rows, from 1.
    ///   - reverse: the greatest key first.
    public func range(
        from: [UInt8]? = nil, to: [UInt8]? = nil, limit: Int = 1000, reverse: Bool = false
    ) async throws(ClusterClientError) -> [Row] {
        for bound in [from, to] where bound == [0x2D] || bound == [0x2B] {
            throw .invalidRequest("the keys '-' and '+' cannot be bounds: they stand for open ends")
        }
        var arguments = [
            Array("SHARD.RANGE".utf8), from ?? [0x2D], to ?? [0x2B], Array("LIMIT".utf8),
            Array(String(max(limit, 1)).utf8),
        ]
        if reverse { arguments.append(Array("REV".utf8)) }
        let reply = try await core.askGateway(arguments, keyspace: keyspace)
        guard let found = reply.elements else { throw .unexpectedReply("SHARD.RANGE got no rows") }
        var rows: [Row] = []
        for row in found {
            guard let pair = row.elements, pair.count == 2, let key = pair[0].stringBytes,
                let value = pair[1].stringBytes
            else { throw .unexpectedReply("SHARD.RANGE got a row that is no pair") }
            rows.append(Row(key: key, value: value))
        }
        return rows
    }
}

/// The keys of a keyspace as an asynchronous sequence. A key may come more than once while the keyspace changes.
public struct KeyScan: AsyncSequence, Sendable {
    public typealias Element = [UInt8]
    public typealias Failure = ClusterClientError

    let client: ClusterClient
    let match: [UInt8]?
    let count: Int

    public func makeAsyncIterator() -> Iterator { Iterator(scan: self) }

    public struct Iterator: AsyncIteratorProtocol {
        public typealias Failure = ClusterClientError

        let scan: KeyScan
        private var page: [[UInt8]] = []
        private var position = 0
        private var cursor: UInt64 = 0
        private var isOver = false

        init(scan: KeyScan) { self.scan = scan }

        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(ClusterClientError) -> [UInt8]? {
            while position == page.count {
                if isOver { return nil }
                let next = try await scan.client.scan(from: cursor, match: scan.match, count: scan.count)
                page = next.keys
                position = 0
                cursor = next.cursor
                isOver = cursor == 0
            }
            defer { position += 1 }
            return page[position]
        }
    }
}
