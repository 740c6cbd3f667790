import ClusterModel

// CONFIG: what can be seen under Redis's names and this server's own, and what can change while it runs.
extension Engine {
    mutating func runConfig(_ call: Call, _ id: CommandID) -> Attempt {
        switch id {
        case .configGet: configGet(call)
        case .configSet: return configSet(call)
        case .configResetstat:
            stats.reset()
            call.reply.ok()
        default: return reject(call, "ERR The server is running without a config file")
        }
        return .done
    }

    /// `CONFIG GET pattern [pattern ...]`: each parameter that a pattern matches, once.
    private func configGet(_ call: Call) {
        var patterns: [[UInt8]] = []
        for index in 2..<call.count { patterns.append(CommandTable.lowercased(call[index])) }
        let found = parameters(call.connection).filter { parameter in
            let name = Array(parameter.name.utf8)
            return patterns.contains { pattern in
                pattern.withByteView { pattern in name.withByteView { Glob.matches(pattern, $0) } }
            }
        }
        call.reply.map(found.count)
        for (name, value) in found {
            call.reply.bulk(name)
            call.reply.bulk(value)
        }
    }

    /// Everything that CONFIG GET knows, by name.
    private func parameters(_ place: Int) -> [(name: String, value: String)] {
        let isCluster = isClusterPort(place)
        let address = isCluster ? settings.address : settings.gateway
        let sync = settings.shown.first { $0.name == "sync" }?.value ?? "always"
        let own: [(name: String, value: String)] = [
            ("appendfsync", sync == "always" ? "always" : sync == "never" ? "no" : "everysec"), ("appendonly", "yes"),
            ("bind", address.host), ("cache", "\(settings.cacheBytes)"),
            ("cluster-enabled", isCluster ? "yes" : "no"), ("cluster-require-full-coverage", "no"),
            ("databases", "1"), ("gateway-timeout", "\(settings.gatewayTimeoutMillis)"),
            ("max-clients", "\(settings.maxClients)"), ("maxclients", "\(settings.maxClients)"), ("maxmemory", "0"),
            ("maxmemory-policy", "noeviction"), ("notify-keyspace-events", ""), ("port", "\(address.port)"),
            ("proto-max-bulk-len", "\(Limits.bulkBytes)"), ("save", ""),
            ("slowlog-log-slower-than", "\(stats.slowLog.threshold)"), ("slowlog-max-len", "\(stats.slowLog.limit)"),
            ("tcp-keepalive", "300"), ("timeout", "0"),
        ]
        // What the host was started with may have been changed since: what is known here wins.
        let names = Set(own.map(\.name))
        return (own + settings.shown.filter { !names.contains($0.name) }).sorted { $0.name < $1.name }
    }

    /// `CONFIG SET name value [name value ...]`: all of them or none.
    private mutating func configSet(_ call: Call) -> Attempt {
        guard call.count % 2 == 0 else { return reject(call, "ERR syntax error") }
        var changes: [(Changeable, Int64)] = []
        for index in stride(from: 2, to: call.count, by: 2) {
            let name = String(decoding: CommandTable.lowercased(call[index]), as: UTF8.self)
            guard let parameter = Changeable(rawValue: name) else {
                guard parameters(call.connection).contains(where: { $0.name == name }) else {
                    return reject(
                        call,
                        "ERR Unknown option or number of arguments for CONFIG SET - '\(call[index][0..<128].text)'")
                }
                return reject(call, Self.failure(name, "can't set immutable config"))
            }
            if changes.contains(where: { $0.0 == parameter }) {
                return reject(call, Self.failure(name, "duplicate parameter"))
            }
            guard let value = WholeNumber.parse(call[index + 1]) else {
                return reject(call, Self.failure(name, "argument couldn't be parsed into an integer"))
            }
            let range = parameter.range
            guard range.contains(value) else {
                return reject(
                    call,
                    Self.failure(
                        name, "argument must be between \(range.lowerBound) and \(range.upperBound) inclusive"))
            }
            changes.append((parameter, value))
        }
        for (parameter, value) in changes { set(parameter, value) }
        call.reply.ok()
        return .done
    }

    private static func failure(_ name: String, _ why: String) -> String {
        "ERR CONFIG SET failed (possibly related to argument '\(name)') - \(why)"
    }

    private mutating func set(_ parameter: Changeable, _ value: Int64) {
        switch parameter {
        case .slowerThan: stats.slowLog.threshold = value
        case .slowLength: stats.slowLog.limit = value
        case .maxClients: settings.maxClients = Int(value)
        case .cache: settings.cacheBytes = Int(value)
        }
        effects.emit(note(.info, "CONFIG SET \(parameter.rawValue) \(value)"))
    }

    private enum Changeable: String {
        case slowerThan = "slowlog-log-slower-than"
        case slowLength = "slowlog-max-len"
        case maxClients = "maxclients"
        /// Bytes of rows kept in memory.
        case cache

        var range: ClosedRange<Int64> {
            switch self {
            case .slowerThan: -1...Int64.max
            case .slowLength: 0...Int64.max
            case .maxClients: 1...4_294_967_295
            case .cache: 1 << 20...1 << 48
            }
        }
    }
}
