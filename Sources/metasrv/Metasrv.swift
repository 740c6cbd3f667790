import ArgumentParser
import ClusterModel
import NodeRuntime

@main
struct Metasrv: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metasrv",
        abstract: "A metadata server: owns the map of shards, alone or with standbys over one shared log.",
        discussion: """
            Every flag has a key of the same name in the --config file (YAML) and a name in the environment,
            OSTRAKA_ and the flag in capitals: file, environment, flags; later ones win.

            EXAMPLE
              metasrv --id m1 --listen 127.0.0.1:7410 --log file:/var/lib/ostraka/meta
            """,
        version: OstrakaVersion.text)

    @Option(help: "Name of this process in the group.") var id: String?
    @Option(help: "Address to serve on, host:port.") var listen: String?
    @Option(help: "Address for /healthz, /readyz and /metrics.") var http: String?
    @Option(help: "The shared log: file:DIR, a local or shared directory.") var log: String?
    @Option(help: "ms without a sign of the primary before a standby takes over (3000).") var takeover: String?
    @Option(help: "ms without a beat before a data node counts as down (30000).") var downAfter: String?
    @Option(help: "File with the secret that all processes of the cluster share.") var secretFile: String?
    @Option(help: "Address by which others reach this process, if it is not --listen.") var announce: String?
    @Option(help: "YAML file with values for these flags.") var config: String?
    @Flag(help: "Check the configuration, print it, and end.") var checkConfig = false

    func run() throws {
        do {
            let layers = try ProgramRun.layers(
                keys: MetaHostSettings.keys, defaults: MetaHostSettings.defaults,
                flags: [
                    "id": id, "listen": listen, "http": http, "log": log, "takeover": takeover,
                    "down-after": downAfter, "secret-file": secretFile, "announce": announce,
                ], file: config)
            let settings = try MetaHostSettings(layers)
            if checkConfig { return ProgramRun.show(layers) }
            let logger = ProgramRun.logger("metasrv", node: settings.id)
            let host = try MetaHost(
                settings, logger: logger, metrics: [ProgramRun.metrics().source], ready: { ProgramRun.tellReady() })
            host.run()
        } catch {
            ProgramRun.fail("metasrv", error)
        }
    }

    static func main() { ProgramRun.main(Metasrv.self) }
}
