import ClusterModel

/// Records on their way from a primary (chain: from the member before) to a replica. Layout, integers little-endian:
///
/// | size | field |
/// |---|---|
/// | 4 | number of parts |
/// | 48 each | part: shard, epoch of the configuration, commit point, epoch and seq of the record before, last seq |
/// | ... | records as in a log batch (`RecordHeader`, payload), those of several shards as they were logged; the incarnation is the sender's |
struct RecordStream {
    struct Part {
        var shard: ShardID
        /// Of the configuration the sender acts in.
        var epoch: UInt64
        var commit: UInt64
        /// The record before the first: where the receiver's log must end, or what it must already have.
        var previousEpoch: UInt64
        var previous: UInt64
        /// The last record of the part; `previous` if there is none.
        var last: UInt64

        static let size = 48
    }

    static func begin(_ parts: [Part], in buffer: inout ByteBuffer) {
        buffer.append(littleEndian: UInt32(parts.count))
        for part in parts {
            buffer.append(littleEndian: part.shard.rawValue)
            buffer.append(littleEndian: part.epoch)
            buffer.append(littleEndian: part.commit)
            buffer.append(littleEndian: part.previousEpoch)
            buffer.append(littleEndian: part.previous)
            buffer.append(littleEndian: part.last)
        }
    }

    /// The parts and the records behind them; nil if the body is malformed.
    static func read(_ body: ByteView) -> (parts: [Part], records: ByteView)? {
        var reader = BinaryReader(body)
        guard let count = reader.count(ofAtLeast: Part.size) else { return nil }
        var parts: [Part] = []
        parts.reserveCapacity(count)
        for _ in 0..<count {
            guard let shard = reader.integer(UInt64.self), let epoch = reader.counter(Epoch.self),
                let commit = reader.counter(Seq.self), let previousEpoch = reader.counter(Epoch.self),
                let previous = reader.counter(Seq.self), let last = reader.counter(Seq.self)
            else { return nil }
            parts.append(
                Part(
                    shard: ShardID(rawValue: shard), epoch: epoch.rawValue, commit: commit.rawValue,
                    previousEpoch: previousEpoch.rawValue, previous: previous.rawValue, last: last.rawValue))
        }
        return (parts, body[body.count - reader.remaining..<body.count])
    }
}
