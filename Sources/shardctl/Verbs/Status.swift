import ArgumentParser
import ClusterClient
import ClusterModel

/// `shardctl status`
struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Health, fault tolerance now, shards, tasks, metadata group.",
        discussion: """
            Exits 0 when healthy, 5 when not, 2 when no metasrv is reachable. The document is written in every case.

            EXAMPLES:
              shardctl status
              shardctl status -o json
            """)

    @OptionGroup(title: "Global options") var globals: GlobalOptions

    func run() async throws {
        let meta = try globals.metaClient()
        do {
            guard case .status(var document) = try await meta.admin(.status) else { throw unexpected("status") }
            document.meta.standbys = Status.standbys(await meta.statuses())
            try show(document)
            if document.health != .healthy { throw CommandFailure(.unhealthy, "") }
        } catch let error as MetaClientError {
            let standbys = Status.standbys(await meta.statuses())
            try show(Status.unknown(error, standbys: standbys))
            // A standby that answers is reachable: then the cluster is ill, not out of reach.
            let failure = CommandFailure(error)
            throw CommandFailure(standbys.isEmpty ? failure.status : .unhealthy, failure.message)
        }
    }

    static func standbys(_ statuses: [(address: Address, status: MetaStatus?)]) -> [Address] {
        statuses.compactMap { $0.status?.role == .standby ? $0.address : nil }
    }

    /// The document when no primary of the metadata group answers.
    static func unknown(_ error: MetaClientError, standbys: [Address]) -> ClusterStatus {
        ClusterStatus(
            health: .down, faultTolerance: 0, nodes: .init(up: 0, down: 0),
            shards: .init(total: 0, serving: 0, underReplicated: 0), meta: .init(primary: nil, standbys: standbys),
            routeVersion: .zero,
            warnings: ["nothing is known of nodes and shards, which may serve all the same: \(error.description)"])
    }

    private func show(_ document: ClusterStatus) throws {
        if globals.isJSON { return try JSONOutput.write(document) }
        print(Status.text(document, colour: Terminal.takesColour), terminator: "")
    }

    static func text(_ document: ClusterStatus, colour: Bool) -> String {
        let health: Table.Cell =
            switch document.health {
            case .healthy: .init("healthy", .good)
            case .degraded: .init("degraded", .warning)
            case .down: .init("down", .bad)
            }
        let shards = document.shards
        var facts: [(String, Table.Cell)] = [
            ("health", health),
            ("fault tolerance", .init("\(Words.count(document.faultTolerance, "node")) may be lost now")),
            ("nodes", .init("\(document.nodes.up) up, \(document.nodes.down) down")),
            (
                "shards",
                .init("\(shards.serving) of \(shards.total) serving, \(shards.underReplicated) under-replicated")
            ),
            ("metadata", .init("primary \(document.meta.primary?.description ?? "none")")),
            ("", .init("standbys \(Words.list(document.meta.standbys))")),
            ("route version", .init("\(document.routeVersion)")),
        ]
        for (index, task) in document.tasks.enumerated() {
            let percent = Int((task.progress * 100).rounded())
            facts.append(
                (index == 0 ? "tasks" : "", .init("\(task.id) \(task.kind) \(task.state) \(percent) %: \(task.step)")))
        }
        for (index, warning) in document.warnings.enumerated() {
            facts.append((index == 0 ? "warnings" : "", .init(warning, .warning)))
        }
        return Table.facts(facts).render(colour: colour)
    }
}
