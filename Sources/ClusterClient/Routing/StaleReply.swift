internal import ClusterModel

/// What a data node says to a stamp that is not its own: `STALE shard epoch [base64 of its configuration's binary form]`.
struct StaleReply: Hashable, Sendable {
    var shard: ShardID
    /// The newest epoch the node knows of the shard; 0 = it knows none.
    var epoch: Epoch
    /// The configuration of that epoch.
    var configuration: ShardConfiguration?

    /// Reads what follows the word STALE; nil for anything that is not of that form. A hint about another shard than the
    /// one named, or of another epoch, or without a primary, is dropped.
    init?(_ message: String) {
        let words = message.split(separator: " ")
        guard words.count >= 2, let shard = UInt64(words[0]), let epoch = UInt64(words[1]) else { return nil }
        self.shard = ShardID(rawValue: shard)
        self.epoch = Epoch(rawValue: epoch)
        guard words.count > 2, let bytes = Base64.decode(String(words[2])) else { return }
        guard let hint = bytes.withByteView({ ShardConfiguration(decoding: $0) }) else { return }
        if hint.id == self.shard, hint.epoch == self.epoch, hint.primary != nil { configuration = hint }
    }
}
