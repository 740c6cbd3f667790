internal import ClusterModel

extension DataHostSettings {
    /// Every key of a datasrv, as in INTERFACE.
    public static let keys = [
        "id", "dir", "listen", "gateway", "peer", "http", "meta", "zone", "host", "weight", "sync", "lease", "cache",
        "max-clients", "gateway-timeout", "secret-file", "password-file", "announce", "announce-gateway",
        "announce-peer",
    ]

    /// Values of the keys that need not be given, as in INTERFACE.
    public static let defaults = [
        "weight": "1", "sync": "always", "lease": "1000", "cache": "256MiB", "max-clients": "10000",
        "gateway-timeout": "5000",
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
        let bound = [("listen", listen), ("gateway", gateway), ("peer", peer)] + (http.map { [("http", $0)] } ?? [])
        for (key, address) in bound {
            try ConfigLayers.check(
                address, key: key, isGuarded: isGuarded, needs: "both --secret-file and --password-file")
        }
        // By CONFIG GET, to whoever may connect: nothing of where secrets lie.
        shown = config.listing.filter { !$0.key.hasSuffix("-file") }.map { (name: $0.key, value: $0.value) }
        let redis =
            switch sync {
            case .always: "always"
            case .interval: "everysec"
            case .never: "no"
            }
        shown.append((name: "appendfsync", value: redis))
    }
}

extension MetaHostSettings {
    /// Every key of a metasrv, as in INTERFACE.
    public static let keys = ["id", "listen", "http", "log", "takeover", "down-after", "secret-file", "announce"]

    /// Values of the keys that need not be given, as in INTERFACE.
    public static let defaults = ["takeover": "3000", "down-after": "30000"]

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
        for (key, address) in [("listen", listen)] + (http.map { [("http", $0)] } ?? []) {
            try ConfigLayers.check(address, key: key, isGuarded: secret != nil, needs: "--secret-file")
        }
    }
}
