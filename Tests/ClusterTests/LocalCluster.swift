import ClusterClient
import ClusterModel
import Foundation
import Glibc

/// Real processes of this build on ports and in a directory of their own: one metasrv, some datasrv.
final class LocalCluster {
    let meta: Address
    private let folder: String
    private var processes: [Process] = []

    struct Problem: Error, CustomStringConvertible {
        let description: String
    }

    /// Starts the processes and waits until each is ready.
    init(dataNodes: Int) async throws {
        folder =
            FileManager.default.temporaryDirectory.appendingPathComponent("ostraka-cluster-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let ports = try Self.freePorts(1 + 3 * dataNodes)
        meta = Address(host: "127.0.0.1", port: ports[0])
        var arguments = [["metasrv", "--id", "m1", "--listen", "\(meta)", "--log", "file:\(folder)/metalog"]]
        for index in 0..<dataNodes {
            let own = ports[(1 + 3 * index)...].map { "127.0.0.1:\($0)" }
            arguments.append([
                "datasrv", "--id", "d\(index + 1)", "--dir", "\(folder)/d\(index + 1)", "--listen", own[0],
                "--gateway", own[1], "--peer", own[2], "--meta", "\(meta)", "--sync", "never",
            ])
        }
        var outputs: [Pipe] = []
        for line in arguments { outputs.append(try start(line)) }
        for (line, output) in zip(arguments, outputs) { try await Self.waitUntilReady(line, output) }
    }

    deinit {
        for process in processes where process.isRunning { process.terminate() }
        for process in processes { process.waitUntilExit() }
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Asks all to stop; gives their exit codes.
    func stop() -> [Int32] {
        for process in processes { process.terminate() }
        for process in processes { process.waitUntilExit() }
        defer { processes = [] }
        return processes.map(\.terminationStatus)
    }

    /// Ends a process as a lost machine does: 0 is the metasrv.
    func kill(_ index: Int) {
        Glibc.kill(processes[index].processIdentifier, SIGKILL)
        processes[index].waitUntilExit()
    }

    /// The last lines that each process wrote to its log: what to look at first when a test failed.
    var lastWords: String {
        processes.indices.map { index in
            let text = (try? String(contentsOfFile: "\(folder)/\(index).log", encoding: .utf8)) ?? ""
            return text.split(separator: "\n").suffix(3).joined(separator: "\n")
        }.joined(separator: "\n")
    }

    private func start(_ line: [String]) throws -> Pipe {
        let process = Process()
        process.executableURL = Self.programs.appendingPathComponent(line[0])
        process.arguments = Array(line.dropFirst())
        let output = Pipe()
        process.standardOutput = output
        process.standardInput = FileHandle.nullDevice
        let log = "\(folder)/\(processes.count).log"
        _ = FileManager.default.createFile(atPath: log, contents: nil)
        process.standardError = FileHandle(forWritingAtPath: log)
        try process.run()
        processes.append(process)
        return output
    }

    /// The programs lie beside the test bundle that runs.
    private static let programs = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()

    private static func waitUntilReady(_ line: [String], _ output: Pipe) async throws {
        let said = await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: output.fileHandleForReading.availableData) }
        }
        guard said == Data("ready\n".utf8) else {
            throw Problem(description: "\(line.joined(separator: " ")) said \(said) instead of ready")
        }
    }

    /// Ports that were free a moment ago, all different: they are held together before the first is let go.
    private static func freePorts(_ count: Int) throws -> [Int] {
        var sockets: [Int32] = []
        defer { for socket in sockets { close(socket) } }
        return try (0..<count).map { _ in
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            sockets.append(descriptor)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let bound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
                }
            }
            guard bound else { throw Problem(description: "no free port: errno \(errno)") }
            return Int(UInt16(bigEndian: address.sin_port))
        }
    }
}

extension MetaClient {
    /// Gives a shard that is empty to another node, waiting for the last hand-over to be through.
    func giveOn(_ shard: ShardID) async throws {
        for _ in 0..<2000 {
            let routes = try await routes(since: .zero)
            guard let current = routes.shards.first(where: { $0.id == shard }), let epoch = current.epoch.successor
            else {
                throw LocalCluster.Problem(description: "shard \(shard) is not in the map")
            }
            let nodes = routes.nodes.map(\.id).sorted()
            let holder = current.primary.flatMap { nodes.firstIndex(of: $0.node) } ?? 0
            var wished = current
            wished.epoch = epoch
            wished.members = [
                Member(node: nodes[(holder + 1) % nodes.count], incarnation: Incarnation(rawValue: epoch.rawValue))
            ]
            wished.learners = []
            wished.proposal = Proposal(proposer: "test", request: epoch.rawValue)
            let answer = try await reconfigure(ReconfigureRequest(expected: current.epoch, configuration: wished))
            if answer.accepted { return }
            guard answer.refusal?.contains("try again") == true else {
                throw LocalCluster.Problem(description: "refused: \(answer.refusal ?? "without a reason")")
            }
            try await Task.sleep(for: .milliseconds(1))  // poll: the last hand-over is through, some seconds at most
        }
        throw LocalCluster.Problem(description: "shard \(shard) is still being handed over")
    }
}
