internal import ClusterModel
internal import NIOCore

/// The shard and epoch that a request was routed by.
struct Stamp: Hashable, Sendable {
    var keyspace: KeyspaceID
    var shard: ShardID
    var epoch: Epoch
}

/// One request, with the stamp in front of it if it has one: `SHARD.STAMP keyspace shard epoch COMMAND arguments...`.
struct Request: Sendable {
    var stamp: Stamp?
    var arguments: [[UInt8]]

    init(_ arguments: [[UInt8]], stamp: Stamp? = nil) {
        self.arguments = arguments
        self.stamp = stamp
    }

    func write(into buffer: inout NIOCore.ByteBuffer) {
        guard let stamp else { return RequestEncoder.write(arguments, into: &buffer) }
        RequestEncoder.writeHeader(count: arguments.count + 4, into: &buffer)
        RequestEncoder.writeBulk("SHARD.STAMP".utf8, into: &buffer)
        RequestEncoder.writeBulk(stamp.keyspace.description.utf8, into: &buffer)
        RequestEncoder.writeBulk(stamp.shard.description.utf8, into: &buffer)
        RequestEncoder.writeBulk(stamp.epoch.description.utf8, into: &buffer)
        for argument in arguments { RequestEncoder.writeBulk(argument, into: &buffer) }
    }
}

/// Writes requests as the Redis serialization protocol has them: an array of bulk strings.
enum RequestEncoder {
    static func write(_ arguments: [[UInt8]], into buffer: inout NIOCore.ByteBuffer) {
        writeHeader(count: arguments.count, into: &buffer)
        for argument in arguments { writeBulk(argument, into: &buffer) }
    }

    static func writeHeader(count: Int, into buffer: inout NIOCore.ByteBuffer) {
        writeLength(0x2A, count, into: &buffer)
    }

    static func writeBulk(_ bytes: some Collection<UInt8>, into buffer: inout NIOCore.ByteBuffer) {
        writeLength(0x24, bytes.count, into: &buffer)
        buffer.writeBytes(bytes)
        buffer.writeInteger(0x0D0A as UInt16)
    }

    private static func writeLength(_ type: UInt8, _ length: Int, into buffer: inout NIOCore.ByteBuffer) {
        buffer.writeInteger(type)
        buffer.writeString(String(length))
        buffer.writeInteger(0x0D0A as UInt16)
    }
}
