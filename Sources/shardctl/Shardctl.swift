import ArgumentParser
import ClusterModel
import Glibc

/// The operator's tool: `shardctl [global options] NOUN VERB ...`.
struct Shardctl: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shardctl",
        abstract: "Looks at and changes an Ostraka cluster.",
        discussion: """
            Where the cluster is: --meta, or the environment variable OSTRAKA_META. Global options are accepted before the \
            noun and after the verb.

            EXAMPLES:
              shardctl --meta 127.0.0.1:7410,127.0.0.1:7411 status
              shardctl keyspace create default --scheme hash --shards 16 --yes
              shardctl shard ls default -o json
              shardctl key explain user1

            EXIT CODES:
              0 done   1 usage   2 nothing reachable   3 refused by a safety rule or by what exists
              4 failed, or outcome unknown   5 unhealthy (status only)   6 still running
            """,
        version: OstrakaVersion.text,
        subcommands: [
            Status.self, NodeNoun.self, KeyspaceNoun.self, ShardNoun.self, MetaNoun.self, RouteNoun.self, KeyNoun.self,
            SimulateNoun.self, Completion.self,
        ])

    @OptionGroup(title: "Global options") var globals: GlobalOptions
}

@main
enum Program {
    static func main() async {
        let arguments = ArgumentOrder.hoisted(Array(CommandLine.arguments.dropFirst()), root: Shardctl.self)
        do {
            var command = try Shardctl.parseAsRoot(arguments)
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            exit(report(error))
        }
    }

    /// Says what went wrong, on one line of standard error where it is not usage, and gives the exit code.
    static func report(_ error: any Error) -> Int32 {
        if let failure = error as? CommandFailure {
            if !failure.message.isEmpty { Terminal.complain("shardctl: \(failure.message)") }
            return failure.status.rawValue
        }
        let message = Shardctl.fullMessage(for: error)
        guard Shardctl.exitCode(for: error) == .success else {
            Terminal.complain(message)
            return ExitStatus.usage.rawValue
        }
        if !message.isEmpty { print(message) }
        return ExitStatus.done.rawValue
    }
}
