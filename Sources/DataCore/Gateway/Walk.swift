import ClusterModel

/// A walk over the rows of one shard that a command here waits for: chunk after chunk, each a `Scan`.
struct Walk {
    enum Mode {
        /// One chunk; the reply is the cursor behind it and the keys that match.
        case page(pattern: [UInt8])
        case count
        /// All keys that match.
        case keys(pattern: [UInt8])
        /// One key drawn from the first chunk behind a random position.
        case random(isSecondTry: Bool)
        /// Keys with values, up to the limit.
        case range(isReverse: Bool)
    }

    let id: UInt64
    let replica: Int
    /// Everything up to this record must be in the store before it is read.
    let after: UInt64
    let connection: ConnectionID
    let mode: Mode
    let scheme: SchemeKind
    /// Index of the shard in its keyspace.
    let entry: Int
    var from: [UInt8]
    var to: [UInt8]?
    var limit: Int
    /// Elements of the reply so far, as they are written.
    var elements = ReplyBytes()
    var isStarted = false

    /// Bytes that are copied with the walk that holds them only by reference.
    final class ReplyBytes {
        var buffer = ReplyBuffer(capacity: 1024)
        var count = 0
    }

    /// Rows of one chunk of a walk that reads all.
    static let chunk = 4096
}

/// The bounds of a shard's rows in its store.
enum RowBounds {
    /// The first row key a shard may have, and the end, exclusive.
    static func of(_ range: ShardRange) -> (from: [UInt8], to: [UInt8]) {
        switch range {
        case .slots(let from, let to): (row(bigEndian(from)), row(bigEndian(to)))
        case .keys(let from, let to): (row(from?.bytes ?? []), to.map { row($0.bytes) } ?? end)
        case .values: (row([]), end)
        }
    }

    /// The row key of what lies behind the kind byte.
    static func row(_ rest: [UInt8]) -> [UInt8] { [RowKey.dataKind] + rest }
    /// Behind all rows.
    static var end: [UInt8] { [RowKey.dataKind + 1] }

    private static func bigEndian(_ slot: UInt16) -> [UInt8] {
        [UInt8(truncatingIfNeeded: slot >> 8), UInt8(truncatingIfNeeded: slot)]
    }
}
