import ArgumentParser
import ClusterClient
import ClusterModel

/// `shardctl keyspace ...`
struct KeyspaceNoun: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keyspace", abstract: "Keyspaces: named sets of keys with a scheme and a policy.",
        subcommands: [
            KeyspaceCreate.self, KeyspaceList.self, KeyspaceShow.self, KeyspaceSet.self, KeyspaceDrop.self,
        ])
}

private func listKeyspaces(_ meta: MetaClient) async throws -> [KeyspaceInfo] {
    guard case .keyspaces(let items) = try await ask(meta, .listKeyspaces) else { throw unexpected("keyspace ls") }
    return items
}

/// `shardctl keyspace ls`
struct KeyspaceList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "All keyspaces.",
        discussion: """
            EXAMPLES:
              shardctl keyspace ls
              shardctl keyspace ls -o json
            """)

    @OptionGroup(title: "Global options") var globals: GlobalOptions

    func run() async throws {
        let keyspaces = try await listKeyspaces(globals.metaClient())
        if globals.isJSON { return try JSONOutput.write(keyspaces) }
        if keyspaces.isEmpty { return print("no keyspace yet: shardctl keyspace create default") }
        KeyspaceList.table(keyspaces).show()
    }

    static func table(_ keyspaces: [KeyspaceInfo]) -> Table {
        var table = Table([
            .left("NAME"), .left("SCHEME"), .right("SHARDS"), .right("REPLICAS"), .left("FLOW"), .left("ACK"),
            .right("MIN-IN-SYNC"), .left("READ"), .left("STATE"),
        ])
        for keyspace in keyspaces {
            table.add([
                .init(keyspace.name), .init(keyspace.scheme.rawValue), "\(keyspace.shards)", "\(keyspace.replicas)",
                .init(keyspace.flow.rawValue), .init(keyspace.ack.rawValue), "\(keyspace.minInSync)",
                .init(keyspace.read.rawValue), Words.state(keyspace.state),
            ])
        }
        return table
    }
}

/// `shardctl keyspace show K`
struct KeyspaceShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "One keyspace.",
        discussion: """
            EXAMPLES:
              shardctl keyspace show default
            """)

    @Argument(help: "The keyspace's name.") var keyspace: String
    @OptionGroup(title: "Global options") var globals: GlobalOptions

    func run() async throws {
        guard let found = try await listKeyspaces(globals.metaClient()).first(where: { $0.name == keyspace }) else {
            throw CommandFailure(.refused, "no keyspace '\(keyspace)'")
        }
        if globals.isJSON { return try JSONOutput.write(found) }
        var facts: [(String, Table.Cell)] = [
            ("name", .init(found.name)), ("id", "\(found.id)"), ("scheme", .init(found.scheme.rawValue)),
            ("shards", "\(found.shards)"), ("replicas", "\(found.replicas)"), ("flow", .init(found.flow.rawValue)),
            ("ack", .init(found.ack.rawValue)), ("min-in-sync", "\(found.minInSync)"),
            ("read", .init(found.read.rawValue)), ("state", Words.state(found.state)),
        ]
        if let nodes = found.parameters.virtualNodes { facts.append(("virtual nodes", "\(nodes)")) }
        if let keys = found.parameters.splitAt { facts.append(("split at", .init(Words.list(keys)))) }
        if let separator = found.parameters.separator { facts.append(("separator", "\(Key([separator]))")) }
        for group in found.parameters.groups ?? [] {
            facts.append(("values of \(group.name)", .init(Words.list(group.values))))
        }
        for (name, value) in found.settings.sorted(by: { $0.key < $1.key }) { facts.append((name, .init(value))) }
        Table.facts(facts).show()
    }
}

/// `shardctl keyspace set K name=value ...`
struct KeyspaceSet: AsyncParsableCommand {
    static let names = [
        "flow", "ack", "min-in-sync", "read", "replicas", "split-bytes", "merge-bytes", "auto-split", "auto-merge",
    ]
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Change a keyspace's policy or settings.",
        discussion: """
            Settings: \(names.joined(separator: ", ")).

            EXAMPLES:
              shardctl keyspace set default read=any --yes
              shardctl keyspace set default split-bytes=1073741824 auto-split=on --plan
            """)

    @Argument(help: "The keyspace's name.") var keyspace: String
    @Argument(help: ArgumentHelp("What to set.", valueName: "name=value")) var settings: [String]
    @OptionGroup(title: "Global options") var globals: GlobalOptions

    func validate() throws {
        for setting in settings {
            let name = setting.prefix { $0 != "=" }
            guard setting.contains("="), KeyspaceSet.names.contains(String(name)) else {
                throw ValidationError(
                    "'\(setting)' is not name=value with a name of: \(KeyspaceSet.names.joined(separator: ", "))")
            }
        }
    }

    func run() async throws {
        var wanted: [String: String] = [:]
        for setting in settings {
            guard let equals = setting.firstIndex(of: "=") else { continue }
            wanted[String(setting[..<equals])] = String(setting[setting.index(after: equals)...])
        }
        let change = Change(meta: try globals.metaClient(), globals: globals)
        let answer = try await change.carryOut { .setKeyspace(name: keyspace, settings: wanted, plan: $0) }
        if let answer { try DoneDocument(answer).show(globals) }
    }
}

/// `shardctl keyspace drop K`
struct KeyspaceDrop: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drop", abstract: "Delete a keyspace with all its keys.",
        discussion: """
            Exits 0 when every node that is up refuses the keyspace.

            EXAMPLES:
              shardctl keyspace drop scratch --plan
              shardctl keyspace drop scratch --yes
            """)

    @Argument(help: "The keyspace's name.") var keyspace: String
    @OptionGroup(title: "Global options") var globals: GlobalOptions

    func run() async throws {
        let meta = try globals.metaClient()
        let change = Change(meta: meta, globals: globals)
        guard let answer = try await change.carryOut({ .dropKeyspace(name: keyspace, plan: $0) }) else { return }
        let done = try DoneDocument(answer)
        if !globals.detach {
            guard try await Nodes.know(done.routeVersion, meta, within: Waiting.bound) else {
                throw CommandFailure(.stillRunning, "dropped, but some node that is up has not heard of it yet")
            }
        }
        try done.show(globals)
    }
}

/// What all data nodes know.
enum Nodes {
    /// Waits until every node that is up reports a version of the map of at least `version`.
    static func know(_ version: RouteVersion, _ meta: MetaClient, within bound: Duration) async throws -> Bool {
        try await Waiting.until(within: bound, hint: "shardctl node ls") {
            guard case .nodes(let nodes) = try await ask(meta, .listNodes) else { throw unexpected("node ls") }
            let behind = nodes.filter { ($0.state == .up || $0.state == .draining) && $0.routeVersion < version }
            return behind.isEmpty ? nil : "waiting for \(Words.count(behind.count, "node")) to hear of it"
        }
    }
}
