import ArgumentParser
import ClusterClient
import ClusterModel
import FoundationEssentials

/// `shardctl meta ...`
struct MetaNoun: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "meta", abstract: "The metadata group.", subcommands: [MetaShow.self, MetaLog.self])
}

/// `shardctl meta status`
struct MetaShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Every metasrv: role, term, position in the shared log.",
        discussion: """
            EXAMPLES:
              shardctl meta status
            """)

    /// One metasrv; `status` is null when it did not answer.
    struct Row: Encodable {
        let address: Address
        let status: MetaStatus?

        private enum CodingKeys: String, CodingKey { case address, status }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(address, forKey: .address)
            try container.encode(status, forKey: .status)
        }
    }

    @OptionGroup(title: "Global options") var globals: GlobalOptions

    func run() async throws {
        let rows = await (try globals.metaClient()).statuses().map { Row(address: $0.address, status: $0.status) }
        if globals.isJSON { try JSONOutput.write(rows) } else { MetaShow.table(rows).show() }
        if rows.allSatisfy({ $0.status == nil }) {
            throw CommandFailure(
                .unreachable,
                "no metasrv reachable at \(rows.map(\.address.description).joined(separator: ", "))")
        }
    }

    static func table(_ rows: [Row]) -> Table {
        var table = Table([
            .left("ADDRESS"), .left("ID"), .left("ROLE"), .right("TERM"), .right("POSITION"), .right("ROUTE-VERSION"),
            .left("PRIMARY"),
        ])
        for row in rows {
            guard let status = row.status else {
                table.add(["\(row.address)", "-", .init("unreachable", .bad)])
                continue
            }
            table.add([
                "\(row.address)", .init(status.id),
                .init(status.role.rawValue, status.role == .primary ? .good : .plain), "\(status.term)",
                "\(status.position)", "\(status.routeVersion)", .init(status.primary?.description ?? "-"),
            ])
        }
        return table
    }
}

/// `shardctl meta log`
struct MetaLog: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log", abstract: "The newest entries of the shared log, oldest first.",
        discussion: """
            EXAMPLES:
              shardctl meta log --tail 50
            """)

    @Option(help: "How many entries, 1 ... 1024.") var tail = 20
    @OptionGroup(title: "Global options") var globals: GlobalOptions

    func validate() throws {
        guard (1...1024).contains(tail) else { throw ValidationError("--tail must be from 1 to 1024") }
    }

    func run() async throws {
        guard case .log(let entries) = try await ask(globals.metaClient(), .logTail(count: tail)) else {
            throw unexpected("meta log")
        }
        if globals.isJSON { return try JSONOutput.write(entries) }
        var table = Table([.right("POSITION"), .right("TERM"), .left("TIME"), .left("COMMAND")])
        for entry in entries {
            let time = Date(timeIntervalSince1970: Double(entry.wall) / 1000).formatted(.iso8601)
            table.add(["\(entry.position)", "\(entry.term)", .init(time), .init(MetaLog.line(entry.command))])
        }
        table.show()
    }

    /// A command on one line.
    static func line(_ command: ClusterCommand) -> String {
        switch command {
        case .found(let cluster): "found cluster \(cluster)"
        case .takeOver(let term, let id, let listen): "\(id) at \(listen) takes over in term \(term)"
        case .beat(let term): "beat of term \(term)"
        case .register(let node, let configurations, let isSetBack):
            "register node \(node.id) at \(node.address), \(Words.count(configurations.count, "new epoch"))"
                + (isSetBack == true ? "; its directory is an older one" : "")
        case .updateNode(let node):
            "node \(node.id): \(node.standing.rawValue), weight \(Words.weight(node.weight))"
                + (node.zone.isEmpty ? "" : ", zone \(node.zone)")
        case .createKeyspace(let keyspace, let shards):
            "create keyspace '\(keyspace.name)' (\(keyspace.scheme.kind.rawValue), \(Words.count(shards.count, "shard")))"
        case .updateKeyspace(let keyspace, let shards):
            "change keyspace '\(keyspace.name)', \(Words.count(shards.count, "new epoch"))"
        case .dropKeyspace(let id): "drop keyspace number \(id)"
        case .reconfigure(let expected, let shard):
            "shard \(shard.id): epoch \(expected) -> \(shard.epoch), members \(Words.list(shard.members))"
        }
    }
}
