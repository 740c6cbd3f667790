import ArgumentParser
import ClusterModel
import NodeRuntime

@main
struct Datasrv: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "datasrv",
        abstract: "A data node: keeps shards on LevelDB and serves them through the Redis protocol.",
        discussion: """
            Every flag has a key of the same name in the --config file (YAML) and a name in the environment,
            OSTRAKA_ and the flag in capitals: file, environment, flags; later ones win.

            EXAMPLE
              datasrv --id d1 --dir /var/lib/ostraka/d1 --listen 127.0.0.1:7511 --gateway 127.0.0.1:7512 \\
                --peer 127.0.0.1:7513 --meta 127.0.0.1:7410,127.0.0.1:7420
            """,
        version: OstrakaVersion.text)

    @Option(help: "Name of this node in the cluster.") var id: String?
    @Option(help: "Directory of log and stores; created if missing.") var dir: String?
    @Option(help: "Cluster port: stock Redis Cluster clients.") var listen: String?
    @Option(help: "Gateway port: stock single-server clients, any key.") var gateway: String?
    @Option(help: "Peer port: other data nodes.") var peer: String?
    @Option(help: "Address for /healthz, /readyz and /metrics.") var http: String?
    @Option(help: "Addresses of the metasrv group, host:port[,host:port...].") var meta: String?
    @Option(help: "Zone this node lies in.") var zone: String?
    @Option(help: "Host this node shares its fate with.") var host: String?
    @Option(help: "Relative share of shards (1).") var weight: String?
    @Option(help: "When the log is synced: always, interval:MS or never (always).") var sync: String?
    @Option(help: "Lease between replicas in ms (1000).") var lease: String?
    @Option(help: "Bytes of rows kept in memory (256MiB).") var cache: String?
    @Option(help: "Most client connections (10000).") var maxClients: String?
    @Option(help: "ms a gateway waits for a serving primary (5000).") var gatewayTimeout: String?
    @Option(help: "File with the secret that all processes of the cluster share.") var secretFile: String?
    @Option(help: "File with the password that clients must AUTH with.") var passwordFile: String?
    @Option(help: "Address by which clients reach the cluster port, if it is not --listen.") var announce: String?
    @Option(help: "The same for the gateway port.") var announceGateway: String?
    @Option(help: "The same for the peer port.") var announcePeer: String?
    @Option(help: "YAML file with values for these flags.") var config: String?
    @Flag(help: "Check the configuration, print it, and end.") var checkConfig = false

    func run() throws {
        do {
            let layers = try ProgramRun.layers(
                keys: DataHostSettings.keys, defaults: DataHostSettings.defaults, flags: flags, file: config)
            let settings = try DataHostSettings(layers)
            if checkConfig { return ProgramRun.show(layers) }
            let logger = ProgramRun.logger("datasrv", node: "\(settings.id)")
            let host = try DataHost(
                settings, logger: logger, metrics: [ProgramRun.metrics().source], ready: { ProgramRun.tellReady() })
            try host.run()
        } catch {
            ProgramRun.fail("datasrv", error)
        }
    }

    private var flags: [String: String?] {
        [
            "id": id, "dir": dir, "listen": listen, "gateway": gateway, "peer": peer, "http": http, "meta": meta,
            "zone": zone, "host": host, "weight": weight, "sync": sync, "lease": lease, "cache": cache,
            "max-clients": maxClients, "gateway-timeout": gatewayTimeout, "secret-file": secretFile,
            "password-file": passwordFile, "announce": announce, "announce-gateway": announceGateway,
            "announce-peer": announcePeer,
        ]
    }

    static func main() { ProgramRun.main(Datasrv.self) }
}
