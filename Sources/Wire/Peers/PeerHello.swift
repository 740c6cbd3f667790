public import ClusterModel

/// Who speaks on a peer link: payload of the kinds hello and welcome.
///
/// | size | field |
/// |---|---|
/// | 16 | cluster id, high half first; zero = not known yet |
/// | 16 | store uuid |
/// | 8 | boot nonce |
/// | 1 | role of the link |
/// | 4 + n | node id, UTF-8 |
/// | 4 + n | shared secret; empty = none |
public struct PeerHello: Hashable, Sendable {
    /// What a link is for: frames of one role never wait behind those of another (RULES H5).
    public enum Role: UInt8, Sendable, CaseIterable {
        /// Forwarded commands and their replies, releases.
        case requests = 1
    }

    /// nil before the node learned it.
    public var cluster: UniqueID?
    public var node: NodeID
    public var store: UniqueID
    public var boot: BootNonce
    public var role: Role
    /// What `--secret-file` holds; never to be logged.
    public var secret: [UInt8]

    public init(
        cluster: UniqueID?, node: NodeID, store: UniqueID, boot: BootNonce, role: Role = .requests,
        secret: [UInt8] = []
    ) {
        self.cluster = cluster
        self.node = node
        self.store = store
        self.boot = boot
        self.role = role
        self.secret = secret
    }

    /// Appends the payload.
    public func encode(into buffer: inout ByteBuffer) {
        for id in [cluster ?? UniqueID(high: 0, low: 0), store] {
            buffer.append(littleEndian: id.high)
            buffer.append(littleEndian: id.low)
        }
        buffer.append(littleEndian: boot.rawValue)
        buffer.append(role.rawValue)
        buffer.append(counted: node.rawValue)
        buffer.append(counted: secret)
    }

    /// Reads what `encode` wrote; nil if the bytes are not exactly one hello of a well-formed node id.
    public init?(decoding bytes: ByteView) {
        var reader = BinaryReader(bytes)
        guard let clusterHigh = reader.integer(UInt64.self), let clusterLow = reader.integer(UInt64.self),
            let storeHigh = reader.integer(UInt64.self), let storeLow = reader.integer(UInt64.self),
            let boot = reader.integer(UInt64.self), let code = reader.integer(UInt8.self),
            let role = Role(rawValue: code), let name = reader.text(limit: 63),
            let secret = reader.bytes(limit: 64 << 10), reader.isComplete
        else { return nil }
        let isKnown = clusterHigh != 0 || clusterLow != 0
        self.init(
            cluster: isKnown ? UniqueID(high: clusterHigh, low: clusterLow) : nil, node: NodeID(rawValue: name),
            store: UniqueID(high: storeHigh, low: storeLow), boot: BootNonce(rawValue: boot), role: role,
            secret: secret.array)
        guard node.isWellFormed else { return nil }
    }

    /// Why a link with the speaker of this hello is refused; nil if it is welcome. The secrets are compared in a time
    /// that depends on their lengths alone.
    public func refusal(by own: PeerHello) -> String? {
        guard ConstantTime.equals(secret, own.secret) else { return "the shared secret differs: see --secret-file" }
        if let cluster, let known = own.cluster, cluster != known {
            return "node \(node) belongs to cluster \(cluster), this node to \(known)"
        }
        return nil
    }
}
