import ArgumentParser
import ClusterClient
import ClusterModel
import FoundationEssentials

/// How results are written.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable { case table, json }

/// Options of every verb.
struct GlobalOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp("Addresses of metasrv (default: $OSTRAKA_META).", valueName: "host:port,..."))
    var meta: String?

    @Option(name: [.customShort("o", allowingJoined: true), .customLong("output")], help: "How to write results.")
    var output: OutputFormat = .table

    @Flag(name: .long, help: "Do not ask before a change.")
    var yes = false

    @Flag(name: .long, help: "Show what a change would do, and stop.")
    var plan = false

    @Flag(name: .long, help: "Do not wait until a change has taken effect everywhere.")
    var detach = false

    @Option(
        name: .long, help: ArgumentHelp("File with the cluster's shared secret.", valueName: "file"),
        completion: .file())
    var secretFile: String?

    @Option(
        name: .long, help: ArgumentHelp("File with the clients' password for data nodes.", valueName: "file"),
        completion: .file())
    var passwordFile: String?

    var isJSON: Bool { output == .json }

    /// The metasrv addresses to use.
    func addresses() throws(CommandFailure) -> [Address] {
        let environment = ProcessInfo.processInfo.environment["OSTRAKA_META"]
        let source = meta == nil ? "$OSTRAKA_META" : "--meta"
        guard let text = meta ?? environment, !text.isEmpty else {
            throw CommandFailure(.usage, "where is the cluster? give --meta HOST:PORT,... or set OSTRAKA_META")
        }
        var addresses: [Address] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let address = Address(String(part)), address.port > 0 else {
                throw CommandFailure(.usage, "\(source): '\(part)' is not HOST:PORT")
            }
            if !addresses.contains(address) { addresses.append(address) }
        }
        return addresses
    }

    /// A client of the metadata group, bounded so that an unreachable one is told within 10 s.
    func metaClient() throws(CommandFailure) -> MetaClient {
        let addresses = try addresses()
        return MetaClient(
            options: MetaOptions(
                addresses: addresses, secret: try secret(secretFile, option: "--secret-file"),
                connectTimeout: .milliseconds(1500), requestTimeout: .seconds(5), deadline: .seconds(8), rounds: 2))
    }

    /// A client of the data nodes.
    func clusterClient(keyspace: String) async throws(CommandFailure) -> ClusterClient {
        let options = ClusterClientOptions(
            meta: try addresses(), keyspace: keyspace, secret: try secret(secretFile, option: "--secret-file"),
            password: try secret(passwordFile, option: "--password-file"), timeout: .seconds(5),
            routeTimeout: .seconds(4), connectionsPerNode: 1)
        do { return try await ClusterClient.connect(options) } catch { throw CommandFailure(error) }
    }

    private func secret(_ path: String?, option: String) throws(CommandFailure) -> [UInt8]? {
        guard let path else { return nil }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CommandFailure(.usage, "\(option): cannot read '\(path)'")
        }
        var bytes = Array(data)
        while let last = bytes.last, last == 0x0A || last == 0x0D { bytes.removeLast() }
        guard !bytes.isEmpty else { throw CommandFailure(.usage, "\(option): '\(path)' is empty") }
        return bytes
    }
}
