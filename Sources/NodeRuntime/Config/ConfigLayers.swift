internal import Foundation
internal import Yams

/// A value that cannot be used: which key, where it came from, what is wrong, what to give instead.
public struct ConfigError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String
    public init(_ text: String) { description = text }
}

/// The values of one program by key, from four layers: defaults, a YAML file, the environment, the flags; later ones win.
///
/// A key is the flag's name (`gateway-timeout`), the same in the file, and `OSTRAKA_GATEWAY_TIMEOUT` in the environment.
public struct ConfigLayers: Sendable {
    /// One key's value and where it came from, for error messages.
    private struct Value: Sendable {
        var text: String
        var source: String
    }

    private var values: [String: Value] = [:]
    private let keys: [String]

    /// - Parameters:
    ///   - keys: every key the program knows; a file with another one is refused.
    ///   - defaults: values of keys that need not be given.
    ///   - flags: what was given on the command line.
    ///   - file: path of the YAML file; nil = none.
    public init(
        keys: [String], defaults: [String: String] = [:], flags: [String: String], environment: [String: String],
        file: String?
    ) throws(ConfigError) {
        self.keys = keys
        values = defaults.mapValues { Value(text: $0, source: "the default") }
        if let file { try read(file) }
        for key in keys {
            let name = Self.variable(key)
            if let text = environment[name] { values[key] = Value(text: text, source: name) }
            if let text = flags[key] { values[key] = Value(text: text, source: "--\(key)") }
        }
    }

    /// The environment's name of a key.
    public static func variable(_ key: String) -> String {
        "OSTRAKA_" + key.uppercased().replacingOccurrences(of: "-", with: "_")
    }

    private mutating func read(_ file: String) throws(ConfigError) {
        guard let data = FileManager.default.contents(atPath: file), let text = String(data: data, encoding: .utf8)
        else {
            throw ConfigError("cannot read the configuration file \(file): give --config a YAML file that may be read")
        }
        let node: Node?
        do {
            node = try Yams.compose(yaml: text)
        } catch {
            throw ConfigError("\(file) is not YAML: \(Self.line(error))")
        }
        guard let node else { return }
        guard case .mapping(let mapping) = node else { throw ConfigError("\(file) must hold `key: value` lines") }
        var seen: Set<String> = []
        for (name, value) in mapping {
            guard seen.insert(name.string ?? "?").inserted else {
                throw ConfigError("\(file): key '\(name.string ?? "?")' is given twice")
            }
            guard let key = name.string, keys.contains(key) else {
                throw ConfigError(
                    "\(file): unknown key '\(name.string ?? "?")'; known are \(keys.sorted().joined(separator: ", "))")
            }
            if let scalar = value.scalar {
                values[key] = Value(text: scalar.string, source: "\(file): \(key)")
            } else if case .sequence(let items) = value {
                let parts = items.compactMap(\.string)
                values[key] = Value(text: parts.joined(separator: ","), source: "\(file): \(key)")
            } else {
                throw ConfigError("\(file): \(key) must be one value")
            }
        }
    }

    /// An error's text in one line.
    private static func line(_ error: any Error) -> String {
        "\(error)".split(whereSeparator: \.isNewline).joined(separator: " ")
    }

    // MARK: Typed values

    public func text(_ key: String) -> String? { values[key]?.text }

    public func required(_ key: String) throws(ConfigError) -> String {
        guard let value = values[key], !value.text.isEmpty else {
            throw ConfigError("--\(key) is missing (or \(Self.variable(key)), or `\(key):` in the --config file)")
        }
        return value.text
    }

    /// Reads a value; nil when it is not given.
    public func read<Result>(
        _ key: String, _ expected: String, _ parse: (String) -> Result?
    ) throws(ConfigError) -> Result? {
        guard let value = values[key] else { return nil }
        guard let result = parse(value.text) else {
            throw ConfigError("\(value.source): '\(value.text)' is not \(expected)")
        }
        return result
    }

    public func integer(_ key: String, _ range: ClosedRange<Int>) throws(ConfigError) -> Int? {
        try read(key, "a whole number from \(range.lowerBound) to \(range.upperBound)") { text in
            Int(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    /// Every key with its value, for --check-config; sorted.
    public var listing: [(key: String, value: String)] {
        keys.sorted().compactMap { key in values[key].map { (key, $0.text) } }
    }
}
