import ClusterModel

/// The parts of documents that one world remembers, behind a pointer that encoders and decoders pass on. Valid as long as the
/// `Documents` it is of.
@safe struct PartMemory {
    private struct Tables {
        var reports = PartTable<ShardReport>()
        var shards = PartTable<ShardConfiguration>()
        var nodes = PartTable<Node>()
    }

    private let tables: UnsafeMutablePointer<Tables>

    init() {
        unsafe tables = UnsafeMutablePointer<Tables>.allocate(capacity: 1)
        unsafe tables.initialize(to: Tables())
    }

    func deallocate() {
        unsafe tables.deinitialize(count: 1)
        unsafe tables.deallocate()
    }

    /// What a value is as bytes, if it was encoded before.
    func bytes<Value>(of value: Value) -> [UInt8]? {
        if Value.self == ShardReport.self, let value = value as? ShardReport {
            return unsafe tables.pointee.reports.bytes(of: value)
        }
        if Value.self == ShardConfiguration.self, let value = value as? ShardConfiguration {
            return unsafe tables.pointee.shards.bytes(of: value)
        }
        if Value.self == Node.self, let value = value as? Node {
            return unsafe tables.pointee.nodes.bytes(of: value)
        }
        return nil
    }

    func note<Value>(_ value: Value, encodedAs bytes: ByteView) {
        if Value.self == ShardReport.self, let value = value as? ShardReport {
            unsafe tables.pointee.reports.note(value, encodedAs: bytes)
        } else if Value.self == ShardConfiguration.self, let value = value as? ShardConfiguration {
            unsafe tables.pointee.shards.note(value, encodedAs: bytes)
        } else if Value.self == Node.self, let value = value as? Node {
            unsafe tables.pointee.nodes.note(value, encodedAs: bytes)
        }
    }

    /// The value that bytes are, if they were decoded before.
    func value<Value>(_ type: Value.Type, of bytes: ByteView) -> Value? {
        if Value.self == ShardReport.self { return unsafe tables.pointee.reports.part(of: bytes) as? Value }
        if Value.self == ShardConfiguration.self { return unsafe tables.pointee.shards.part(of: bytes) as? Value }
        if Value.self == Node.self { return unsafe tables.pointee.nodes.part(of: bytes) as? Value }
        return nil
    }

    func note<Value>(_ value: Value, decodedFrom bytes: ByteView) {
        if Value.self == ShardReport.self, let value = value as? ShardReport {
            unsafe tables.pointee.reports.note(value, decodedFrom: bytes)
        } else if Value.self == ShardConfiguration.self, let value = value as? ShardConfiguration {
            unsafe tables.pointee.shards.note(value, decodedFrom: bytes)
        } else if Value.self == Node.self, let value = value as? Node {
            unsafe tables.pointee.nodes.note(value, decodedFrom: bytes)
        }
    }
}
