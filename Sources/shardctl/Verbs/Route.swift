import ArgumentParser
import ClusterClient
import ClusterModel

/// `shardctl route ...`
struct RouteNoun: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "route", abstract: "The versioned shard map that clients cache.", subcommands: [RouteShow.self])
}

/// `shardctl route show [--since V]`
struct RouteShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "The shard map, or what changed in it since a version.",
        discussion: """
            EXAMPLES:
              shardctl route show
              shardctl route show --since 12 -o json
            """)

    @Option(help: "Only what is newer than this version.") var since: UInt64 = 0
    @OptionGroup(title: "Global options") var globals: GlobalOptions

    func run() async throws {
        let delta: RouteDelta
        do {
            delta = try await globals.metaClient().routes(since: RouteVersion(rawValue: since))
        } catch let error as MetaClientError {
            throw CommandFailure(error)
        }
        if globals.isJSON { return try JSONOutput.write(delta) }
        print(RouteShow.text(delta, colour: Terminal.takesColour), terminator: "")
    }

    static func text(_ delta: RouteDelta, colour: Bool) -> String {
        var sections = [
            Table.facts([
                ("cluster", "\(delta.cluster)"),
                ("version", .init(delta.since == .zero ? "\(delta.version)" : "\(delta.since) -> \(delta.version)")),
            ])
        ]
        var nodes = Table([.left("NODE"), .left("CLUSTER PORT"), .left("GATEWAY"), .left("STANDING")])
        for node in delta.nodes {
            nodes.add(["\(node.id)", "\(node.address)", "\(node.gateway)", .init(node.standing.rawValue)])
        }
        var keyspaces = Table([.right("NUMBER"), .left("KEYSPACE"), .left("SCHEME")])
        for keyspace in delta.keyspaces {
            keyspaces.add(["\(keyspace.id)", .init(keyspace.name), .init(keyspace.scheme.kind.rawValue)])
        }
        for id in delta.droppedKeyspaces { keyspaces.add(["\(id)", .init("(dropped)", .warning)]) }
        var shards = Table([.right("SHARD"), .right("KEYSPACE"), .left("RANGE"), .right("EPOCH"), .left("MEMBERS")])
        for shard in delta.shards {
            shards.add([
                "\(shard.id)", "\(shard.keyspace)", .init(Words.range(shard.range)), "\(shard.epoch)",
                .init(Words.list(shard.members.map(\.node))),
            ])
        }
        for id in delta.droppedShards { shards.add(["\(id)", "", .init("(dropped)", .warning)]) }
        sections += [nodes, keyspaces, shards].filter { !$0.rows.isEmpty }
        return sections.map { $0.render(colour: colour) }.joined(separator: "\n")
    }
}
