import ArgumentParser
import ClusterClient
import ClusterModel

/// `shardctl shard ...`
struct ShardNoun: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shard", abstract: "Shards: the pieces of a keyspace and where they are.",
        subcommands: [ShardList.self, ShardShow.self, ShardWhere.self, ShardPromote.self])
}

/// `shardctl shard ls [K]`
struct ShardList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "All shards, or those of one keyspace.",
        discussion: """
            EXAMPLES:
              shardctl shard ls
              shardctl shard ls default -o json
            """)

    @Argument(help: "The keyspace's name.") var keyspace: String?
    @OptionGroup(title: "Global options") var globals: GlobalOptions

    func run() async throws {
        guard case .shards(let shards) = try await ask(globals.metaClient(), .listShards(keyspace: keyspace)) else {
            throw unexpected("shard ls")
        }
        if globals.isJSON { return try JSONOutput.write(shards) }
        if shards.isEmpty { return print("no shard yet: shardctl keyspace create default") }
        ShardList.table(shards).show()
    }

    static func table(_ shards: [ShardInfo]) -> Table {
        var table = Table([
            .right("ID"), .left("KEYSPACE"), .left("RANGE"), .right("EPOCH"), .left("PRIMARY"), .left("MEMBERS"),
            .left("LEARNERS"), .left("STATE"), .right("BYTES"),
        ])
        for shard in shards {
            table.add([
                "\(shard.id)", .init(shard.keyspace), .init(Words.range(of: shard)), "\(shard.epoch)",
                .init(shard.primary?.description ?? "-"), .init(Words.list(shard.members)),
                .init(Words.list(shard.learners)), Words.state(shard.state), .init(Words.bytes(shard.bytes)),
            ])
        }
        return table
    }
}

/// `shardctl shard show S`
struct ShardShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "One shard.",
        discussion: """
            EXAMPLES:
              shardctl shard show 3
            """)

    @Argument(help: "The shard's number.") var shard: UInt64
    @OptionGroup(title: "Global options") var globals: GlobalOptions

    func run() async throws {
        guard case .shards(let shards) = try await ask(globals.metaClient(), .listShards(keyspace: nil)) else {
            throw unexpected("shard ls")
        }
        guard let found = shards.first(where: { $0.id == ShardID(rawValue: shard) }) else {
            throw CommandFailure(.refused, "no shard \(shard)")
        }
        if globals.isJSON { return try JSONOutput.write(found) }
        Table.facts([
            ("id", "\(found.id)"), ("keyspace", .init(found.keyspace)), ("range", .init(Words.range(of: found))),
            ("epoch", "\(found.epoch)"), ("flow", .init(found.flow.rawValue)), ("ack", .init(found.ack.rawValue)),
            ("primary", .init(found.primary?.description ?? "-")), ("members", .init(Words.list(found.members))),
            ("learners", .init(Words.list(found.learners))), ("state", Words.state(found.state)),
            ("bytes", .init(Words.bytes(found.bytes))),
        ]).show()
    }
}

/// `shardctl shard where K KEY`
struct ShardWhere: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "where", abstract: "The shard of a key, by the metadata group's map.",
        discussion: """
            EXAMPLES:
              shardctl shard where default user1
            """)

    @Argument(help: "The keyspace's name.") var keyspace: String
    @Argument(help: "The key.") var key: String
    @OptionGroup(title: "Global options") var globals: GlobalOptions

    func run() async throws {
        let meta = try globals.metaClient()
        var table = RouteTable()
        do {
            _ = table.apply(try await meta.routes(since: .zero))
        } catch {
            throw CommandFailure(error)
        }
        try Explanation(of: Key(Array(key.utf8)), in: keyspace, by: table).show(globals)
    }
}

/// `shardctl shard promote S --to N`
struct ShardPromote: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "promote", abstract: "Make another member of a shard its primary.",
        discussion: """
            The present primary hands its role over at its last record; commands wait meanwhile. Exits 0 when the other
            member serves.

            EXAMPLES:
              shardctl shard promote 3 --to d2 --yes
            """)

    @Argument(help: "The shard's number.") var shard: UInt64
    @Option(help: "The --id of a node that is a member of the shard.") var to: String
    @OptionGroup(title: "Global options") var globals: GlobalOptions

    func run() async throws {
        let meta = try globals.metaClient()
        let (id, target) = (ShardID(rawValue: shard), NodeID(rawValue: to))
        let change = Change(meta: meta, globals: globals)
        guard let answer = try await change.carryOut({ .promote(shard: id, to: target, plan: $0) }) else { return }
        let done = try DoneDocument(answer)
        if !globals.detach {
            let isServed = try await Waiting.until(within: Waiting.bound, hint: "shardctl shard show \(shard)") {
                guard case .shards(let shards) = try await ask(meta, .listShards(keyspace: nil)) else {
                    throw unexpected("shard ls")
                }
                let serves = shards.first { $0.id == id }?.primary == target
                return serves ? nil : "waiting for node \(target) to serve shard \(shard)"
            }
            guard isServed else {
                throw CommandFailure(.stillRunning, "handed over, but node \(target) does not serve shard \(shard) yet")
            }
        }
        try done.show(globals)
    }
}
