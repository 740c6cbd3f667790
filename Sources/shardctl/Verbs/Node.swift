import ArgumentParser
import ClusterClient
import ClusterModel

/// `shardctl node ...`
struct NodeNoun: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node", abstract: "Data nodes.",
        subcommands: [
            NodeList.self, NodeShow.self, NodeWeight.self, NodeMaintenance.self, NodeDrain.self, NodeUndrain.self,
            NodeRemove.self,
        ])
}

/// The nodes by the primary metasrv's word.
private func listNodes(_ meta: MetaClient) async throws -> [NodeInfo] {
    guard case .nodes(let items) = try await ask(meta, .listNodes) else { throw unexpected("node ls") }
    return items
}

/// `shardctl node ls`
struct NodeList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "All nodes.",
        discussion: """
            EXAMPLES:
              shardctl node ls
              shardctl node ls -o json
            """)

    @OptionGroup(title: "Global options") var globals: GlobalOptions

    func run() async throws {
        let nodes = try await listNodes(globals.metaClient())
        if globals.isJSON { return try JSONOutput.write(nodes) }
        if nodes.isEmpty { return print("no node has registered yet") }
        NodeList.table(nodes).show()
    }

    static func table(_ nodes: [NodeInfo]) -> Table {
        var table = Table([
            .left("ID"), .left("STATE"), .left("ADDRESS"), .left("GATEWAY"), .left("ZONE"), .left("HOST"),
            .right("WEIGHT"), .right("PRIMARIES"), .right("REPLICAS"), .right("BYTES"),
        ])
        for node in nodes {
            table.add([
                "\(node.id)", Words.state(node), "\(node.address)", "\(node.gateway)", .init(node.zone),
                .init(node.host), .init(Words.weight(node.weight)), "\(node.primaries)", "\(node.replicas)",
                .init(Words.bytes(node.bytes)),
            ])
        }
        return table
    }
}

/// `shardctl node show N`
struct NodeShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "One node and the shards it holds.",
        discussion: """
            EXAMPLES:
              shardctl node show d1
            """)

    @Argument(help: "The node's --id.") var node: String
    @OptionGroup(title: "Global options") var globals: GlobalOptions

    func run() async throws {
        let meta = try globals.metaClient()
        let id = NodeID(rawValue: node)
        guard let found = try await listNodes(meta).first(where: { $0.id == id }) else {
            throw CommandFailure(.refused, "no node '\(node)'")
        }
        if globals.isJSON { return try JSONOutput.write(found) }
        Table.facts([
            ("id", "\(found.id)"), ("uuid", "\(found.uuid)"), ("state", Words.state(found)),
            ("cluster port", "\(found.address)"), ("gateway port", "\(found.gateway)"),
            ("peer port", "\(found.peer)"), ("zone", .init(found.zone)), ("host", .init(found.host)),
            ("weight", .init(Words.weight(found.weight))), ("primaries", "\(found.primaries)"),
            ("replicas", "\(found.replicas)"), ("bytes", .init(Words.bytes(found.bytes))),
            ("route version", "\(found.routeVersion)"),
        ]).show()
        guard case .shards(let shards) = try await ask(meta, .listShards(keyspace: nil)) else {
            throw unexpected("shard ls")
        }
        let held = shards.filter { $0.members.contains(id) || $0.learners.contains(id) }
        if !held.isEmpty {
            print("")
            ShardList.table(held).show()
        }
    }
}

/// `shardctl node weight N W`
struct NodeWeight: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "weight", abstract: "Set a node's relative share of shards.",
        discussion: """
            EXAMPLES:
              shardctl node weight d1 2 --yes
            """)

    @Argument(help: "The node's --id.") var node: String
    @Argument(help: "Above 0; 1 is the usual share.") var weight: Double
    @OptionGroup(title: "Global options") var globals: GlobalOptions

    func validate() throws {
        guard weight > 0, weight.isFinite else { throw ValidationError("the weight must be a number above 0") }
    }

    func run() async throws {
        try await changeNode(globals) { .setWeight(node: NodeID(rawValue: node), weight: weight, plan: $0) }
    }
}

/// `shardctl node maintenance N on|off`
struct NodeMaintenance: AsyncParsableCommand {
    enum Switch: String, ExpressibleByArgument, CaseIterable { case on, off }

    static let configuration = CommandConfiguration(
        commandName: "maintenance", abstract: "Keep roles and new copies off a node while it is worked on.",
        discussion: """
            The shards it is primary of are handed to other members; its copies stay.

            EXAMPLES:
              shardctl node maintenance d1 on --yes
              shardctl node maintenance d1 off --yes
            """)

    @Argument(help: "The node's --id.") var node: String
    @Argument(help: "on or off") var mode: Switch
    @OptionGroup(title: "Global options") var globals: GlobalOptions

    func run() async throws {
        try await changeNode(globals) { .setMaintenance(node: NodeID(rawValue: node), on: mode == .on, plan: $0) }
    }
}

/// `shardctl node drain N`
struct NodeDrain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain", abstract: "Empty a node: other nodes take its roles and copies.",
        discussion: """
            Each copy leaves once another node has one in its place; 'shardctl node ls' shows how many are left.
            Refused where the copies could go nowhere.

            EXAMPLES:
              shardctl node drain d4 --yes
            """)

    @Argument(help: "The node's --id.") var node: String
    @OptionGroup(title: "Global options") var globals: GlobalOptions

    func run() async throws {
        try await changeNode(globals) { .setDraining(node: NodeID(rawValue: node), on: true, plan: $0) }
    }
}

/// `shardctl node undrain N`
struct NodeUndrain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "undrain", abstract: "Stop emptying a node: it takes copies again.",
        discussion: """
            What has left does not come back by itself.

            EXAMPLES:
              shardctl node undrain d4 --yes
            """)

    @Argument(help: "The node's --id.") var node: String
    @OptionGroup(title: "Global options") var globals: GlobalOptions

    func run() async throws {
        try await changeNode(globals) { .setDraining(node: NodeID(rawValue: node), on: false, plan: $0) }
    }
}

/// `shardctl node remove N`
struct NodeRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Retire a node that is down.",
        discussion: """
            Its store is never accepted again; its name is free for another. Refused while it may come back with its
            copies (until it has been down for metasrv's --down-after), and where it has the only copy of a shard.

            EXAMPLES:
              shardctl node remove d4 --yes
            """)

    @Argument(help: "The node's --id.") var node: String
    @OptionGroup(title: "Global options") var globals: GlobalOptions

    func run() async throws {
        try await changeNode(globals) { .removeNode(node: NodeID(rawValue: node), plan: $0) }
    }
}

private func changeNode(_ globals: GlobalOptions, _ request: (Bool) -> AdminRequest) async throws {
    let change = Change(meta: try globals.metaClient(), globals: globals)
    guard let answer = try await change.carryOut(request) else { return }
    try DoneDocument(answer).show(globals)
}

/// What a small change came to.
struct DoneDocument: Encodable {
    let routeVersion: RouteVersion
    let summary: String

    init(_ answer: AdminAnswer) throws(CommandFailure) {
        guard case .done(let version, let summary) = answer else { throw unexpected("a change") }
        routeVersion = version
        self.summary = summary
    }

    func show(_ globals: GlobalOptions) throws {
        if globals.isJSON { try JSONOutput.write(self) } else { print(summary) }
    }
}
