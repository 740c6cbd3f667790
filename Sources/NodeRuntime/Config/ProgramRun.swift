public import ArgumentParser
internal import ClusterModel
internal import Foundation
internal import Glibc
public import Logging
internal import Metrics

/// What the two servers' programs share: logging to standard error, the ready line, one-line failures.
public enum ProgramRun {
    /// A logger to standard error; the level is `LOG_LEVEL`, by default info.
    public static func logger(_ label: String, node: String) -> Logger {
        var logger = Logger(label: label) { StreamLogHandler.standardError(label: $0) }
        let wanted = ProcessInfo.processInfo.environment["LOG_LEVEL"] ?? "info"
        logger.logLevel = Logger.Level(rawValue: wanted.lowercased()) ?? .info
        logger[metadataKey: "node"] = "\(node)"
        return logger
    }

    /// Makes the registry that all of the process's metrics go to; to be called once, before anything is measured.
    public static func metrics() -> PrometheusRegistry {
        let registry = PrometheusRegistry()
        MetricsSystem.bootstrap(registry)
        return registry
    }

    /// `ready` and a newline on standard output, flushed: the server serves.
    public static func tellReady() {
        FileHandle.standardOutput.write(Data("ready\n".utf8))
    }

    /// One line on standard error that says what, and where it can be told what to do, and the end.
    public static func fail(_ program: String, _ error: any Error) -> Never {
        let advice = (error as? DiskError)?.remedy.map { "; \($0), then start it again" } ?? ""
        FileHandle.standardError.write(Data("\(program): \(error)\(advice)\n".utf8))
        exit(1)
    }

    /// Runs a server's program from its command line. A usage error is told on standard error and ends with 1, as in
    /// every program of Ostraka.
    public static func main<Program: ParsableCommand>(_ program: Program.Type) {
        do {
            var command = try program.parseAsRoot()
            try command.run()
        } catch {
            if program.exitCode(for: error) == .success { program.exit(withError: error) }
            FileHandle.standardError.write(Data("\(program.fullMessage(for: error))\n".utf8))
            exit(1)
        }
    }

    /// The layers of a program's configuration.
    public static func layers(
        keys: [String], defaults: [String: String], flags: [String: String?], file: String?
    ) throws(ConfigError) -> ConfigLayers {
        try ConfigLayers(
            keys: keys, defaults: defaults, flags: flags.compactMapValues { $0 },
            environment: ProcessInfo.processInfo.environment,
            file: file ?? ProcessInfo.processInfo.environment["OSTRAKA_CONFIG"])
    }

    /// What --check-config prints: the values in force, one a line; secrets are named by their files.
    public static func show(_ layers: ConfigLayers) {
        for (key, value) in layers.listing { print("\(key): \(value)") }
        print("configuration ok")
    }
}
