/// `host:port`.
public struct Address: Hashable, Comparable, Codable, Sendable, CustomStringConvertible {
    public var host: String
    /// 0 (any free port, for binding only) ... 65535.
    public var port: Int

    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Reads `host:port`, `[v6]:port`; nil for anything else.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }), let port = Int(digits),
            port <= 65535
        else { return nil }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard !host.isEmpty else { return nil }
        self.init(host: host, port: port)
    }

    public static func < (left: Address, right: Address) -> Bool { (left.host, left.port) < (right.host, right.port) }
    public var description: String { host.utf8.contains(58) ? "[\(host)]:\(port)" : "\(host):\(port)" }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let value = Address(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not host:port")
        }
        self = value
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// What the metadata group holds of a data node; part of the route table.
public struct Node: Hashable, Codable, Sendable, Identifiable {
    /// Whether shards may be placed on it.
    public enum Standing: String, Hashable, Codable, Sendable { case member, draining, maintenance, removed }

    public var id: NodeID
    /// The identity of its disk.
    public var store: UniqueID
    public var boot: BootNonce
    /// Cluster port.
    public var address: Address
    public var gateway: Address
    public var peer: Address
    public var zone: String
    public var host: String
    /// Relative share of shards, above 0.
    public var weight: Double
    public var standing: Standing

    public init(
        id: NodeID, store: UniqueID, boot: BootNonce, address: Address, gateway: Address, peer: Address, zone: String,
        host: String, weight: Double, standing: Standing = .member
    ) {
        self.id = id
        self.store = store
        self.boot = boot
        self.address = address
        self.gateway = gateway
        self.peer = peer
        self.zone = zone
        self.host = host
        self.weight = weight
        self.standing = standing
    }
}
