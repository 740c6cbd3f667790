extension Release {
    private static let format: UInt8 = 1

    /// Appends the binary form, integers little-endian: format (1 byte, 1), shard, epoch, boot, last epoch, last seq
    /// (8 bytes each), flag empty, target (length of 4 bytes, UTF-8).
    public func encode(into buffer: inout ByteBuffer) {
        buffer.append(Self.format)
        buffer.append(littleEndian: shard.rawValue)
        buffer.append(littleEndian: epoch.rawValue)
        buffer.append(littleEndian: boot.rawValue)
        buffer.append(littleEndian: lastEpoch.rawValue)
        buffer.append(littleEndian: lastSeq.rawValue)
        buffer.append(flag: isEmpty)
        buffer.append(counted: target.rawValue)
    }

    /// Reads what `encode` wrote; nil if the bytes are not exactly one release.
    public init?(decoding bytes: ByteView) {
        var reader = BinaryReader(bytes)
        guard reader.integer(UInt8.self) == Self.format, let shard = reader.integer(UInt64.self),
            let epoch = reader.counter(Epoch.self), let boot = reader.integer(UInt64.self),
            let lastEpoch = reader.counter(Epoch.self), let lastSeq = reader.counter(Seq.self),
            let isEmpty = reader.flag(), let target = reader.text(limit: 1024), reader.isComplete
        else { return nil }
        self.init(
            shard: ShardID(rawValue: shard), epoch: epoch, target: NodeID(rawValue: target),
            boot: BootNonce(rawValue: boot), lastEpoch: lastEpoch, lastSeq: lastSeq,
            isEmpty: isEmpty)
    }
}
