import ClusterModel

/// A command that was divided into parts by shard, until all parts are answered.
final class Gather {
    enum Kind {
        /// The sum of integers: DEL, EXISTS, DBSIZE.
        case sum
        /// All OK: MSET, FLUSHALL.
        case ok
        /// MGET: for each part the positions of its values in the whole reply.
        case values([[Int]], total: Int)
        /// The elements of all parts one after another: KEYS.
        case concatenation
        /// SCAN: one shard's part; then its own cursor, or the start of the next shard.
        case scan(ScanWalk)
        /// SHARD.RANGE: shard after shard, until the limit.
        case range(RangeWalk)
        /// RANDOMKEY: shard after shard, until one has a key.
        case random(left: [Int])
    }

    /// Where a SCAN is.
    struct ScanWalk {
        /// Index in the keyspace of the shard it is in.
        var entry: Int
        /// COUNT and MATCH as they are passed on.
        var count: [UInt8]
        var pattern: [UInt8]
        /// Keys found, as they were written.
        var found: [[UInt8]] = []
    }

    /// What SHARD.RANGE still has to do.
    struct RangeWalk {
        var from: [UInt8]
        var to: [UInt8]
        var isReverse: Bool
        var limit: Int
        /// Entries of the keyspace still to be visited.
        var left: [Int]
        /// Elements found, as they were written.
        var found: [[UInt8]] = []
    }

    /// The number in the connection's mark.
    let request: UInt64
    let connection: ConnectionID
    let keyspace: Int
    let isWrite: Bool
    var kind: Kind
    var parts: [[UInt8]?]

    init(request: UInt64, connection: ConnectionID, keyspace: Int, isWrite: Bool, kind: Kind, parts: Int) {
        self.request = request
        self.connection = connection
        self.keyspace = keyspace
        self.isWrite = isWrite
        self.kind = kind
        self.parts = Array(repeating: nil, count: parts)
    }

    /// The first error among the parts; UNCERTAIN if another part of a write was, or may have been, executed.
    var failure: [UInt8]? {
        var error: [UInt8]?
        let uncertain = parts.first { $0?.starts(with: Array("-UNCERTAIN".utf8)) == true } ?? nil
        if isWrite, let uncertain { return uncertain }
        var isExecuted = false
        for part in parts {
            guard let part else { continue }
            if part.withByteView({ ReplySlicer.isError($0) }) { error = error ?? part } else { isExecuted = true }
        }
        guard let error else { return nil }
        guard isWrite, isExecuted else { return error }
        let cause = String(decoding: error.dropFirst().dropLast(2), as: UTF8.self)
        return Array("-UNCERTAIN some shards executed their part, one answered: \(cause)\r\n".utf8)
    }
}
