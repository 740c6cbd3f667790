internal import ClusterModel

extension DataHostSettings {
    /// Every key of a datasrv, as in INTERFACE.
    public static let keys = [
        "id", "dir", "listen", "gateway", "peer", "http", "meta", "zone", "host", "weight", "sync", "lease", "cache",
        "max-clients", "gateway-timeout", "secret-file", "password-file", "announce", "announce-gateway",
        "announce-peer",
    ]

    /// Checks all values; the error says what was wrong and what to do.
    public init(_ config: ConfigLayers) throws(ConfigError) {
        let id = NodeID(rawValue: try config.required("id"))
        guard id.isWellFormed else {
            throw ConfigError("--id '\(id)' must be 1 to 63 letters, digits, '_', '.' or '-', a letter or digit first")
        }
        self.init(
            id: id, directory: try config.required("dir"), listen: try config.requiredAddress("listen"),
            gateway: try config.requiredAddress("gateway"), peer: try config.requiredAddress("peer"),
            meta: try config.addresses("meta"))
        http = try config.address("http")
        announce = try config.address("announce")
        announceGateway = try config.address("announce-gateway")
        announcePeer = try config.address("announce-peer")
        zone = config.text("zone") ?? ""
        host = config.text("host") ?? ""
        weight =
            try config.read("weight", "a number above 0") { Double($0).flatMap { $0 > 0 && $0 <= 1e6 ? $0 : nil } } ?? 1
        sync = try config.sync("sync") ?? .always
        leaseMillis = try config.integer("lease", 100...60_000) ?? 1000
        cacheBytes = try config.bytes("cache") ?? 256 << 20
        maxClients = try config.integer("max-clients", 1...1_000_000) ?? 10_000
        gatewayTimeoutMillis = try config.integer("gateway-timeout", 10...600_000) ?? 5000
        secret = try config.secret("secret-file")
        password = try config.secret("password-file")
        let isGuarded = secret != nil && password != nil
        for (key, address) in [("listen", listen), ("gateway", gateway), ("peer", peer)] {
            try ConfigLayers.check(
                address, key: key, isGuarded: isGuarded, needs: "both --secret-file and --password-file")
        }
        shown = config.listing.map { (name: $0.key, value: $0.value) }
    }
}

extension MetaHostSettings {
    /// Every key of a metasrv, as in INTERFACE.
    public static let keys = ["id", "listen", "http", "log", "takeover", "down-after", "secret-file", "announce"]

    /// Checks all values; the error says what was wrong and what to do.
    public init(_ config: ConfigLayers) throws(ConfigError) {
        let id = try config.required("id")
        guard NodeID(rawValue: id).isWellFormed else {
            throw ConfigError("--id '\(id)' must be 1 to 63 letters, digits, '_', '.' or '-', a letter or digit first")
        }
        let log = try config.required("log")
        guard log.hasPrefix("file:"), log.count > 5 else {
            throw ConfigError(
                log.hasPrefix("etcd:")
                    ? "--log \(log): this version keeps its log in files only: give file:DIR"
                    : "--log '\(log)' is not file:DIR")
        }
        self.init(id: id, listen: try config.requiredAddress("listen"), log: String(log.dropFirst(5)))
        http = try config.address("http")
        announce = try config.address("announce")
        takeoverMillis = try config.integer("takeover", 200...600_000) ?? 3000
        downAfterMillis = try config.integer("down-after", 500...86_400_000) ?? 30_000
        secret = try config.secret("secret-file")
        try ConfigLayers.check(listen, key: "listen", isGuarded: secret != nil, needs: "--secret-file")
    }
}
