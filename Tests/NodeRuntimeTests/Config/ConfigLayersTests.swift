import Testing

@testable import NodeRuntime

@Suite struct ConfigLayersTests {
    private func layers(
        file: String? = nil, environment: [String: String] = [:], flags: [String: String] = [:]
    ) throws -> ConfigLayers {
        let written = try file.map { try ConfigFile($0) }
        return try withExtendedLifetime(written) {
            try ConfigLayers(
                keys: ["zone", "gateway-timeout", "meta"], defaults: ["zone": "default"], flags: flags,
                environment: environment, file: written?.path)
        }
    }

    struct Case: Sendable, CustomStringConvertible {
        var file: String?
        var environment: String?
        var flag: String?
        var expected: String
        var description: String { "\(file ?? "-") < \(environment ?? "-") < \(flag ?? "-")" }
    }

    @Test(arguments: [
        Case(expected: "default"), Case(file: "f", expected: "f"), Case(environment: "e", expected: "e"),
        Case(flag: "g", expected: "g"), Case(file: "f", environment: "e", expected: "e"),
        Case(file: "f", flag: "g", expected: "g"), Case(environment: "e", flag: "g", expected: "g"),
        Case(file: "f", environment: "e", flag: "g", expected: "g"), Case(file: "f", environment: "", expected: ""),
    ])
    func laterLayersWin(_ layer: Case) throws {
        let found = try layers(
            file: layer.file.map { "zone: \($0)\n" },
            environment: layer.environment.map { ["OSTRAKA_ZONE": $0] } ?? [:],
            flags: layer.flag.map { ["zone": $0] } ?? [:])
        #expect(found.text("zone") == layer.expected)
    }

    @Test func namesInTheEnvironment() throws {
        #expect(ConfigLayers.variable("gateway-timeout") == "OSTRAKA_GATEWAY_TIMEOUT")
        #expect(try layers(environment: ["OSTRAKA_GATEWAY_TIMEOUT": "7"]).integer("gateway-timeout", 1...9) == 7)
    }

    @Test func listsMayBeSequences() throws {
        #expect(try layers(file: "meta: [127.0.0.1:1, 127.0.0.1:2]\n").text("meta") == "127.0.0.1:1,127.0.0.1:2")
        #expect(try layers(file: "meta:\n- 127.0.0.1:1\n").text("meta") == "127.0.0.1:1")
        #expect(try layers(file: "# nothing\n").text("meta") == nil)
    }

    @Test(arguments: [
        ("zoen: a\n", "unknown key 'zoen'"), ("zone: a\nzone: b\n", "zone"), ("- a\n", "must hold `key: value` lines"),
        ("zone: {a: b}\n", "zone must be one value"), ("zone: 'a\n", "is not YAML"), ("zone: [a\n", "is not YAML"),
    ])
    func badFilesAreRefusedByNameAndReason(_ text: String, _ reason: String) throws {
        let file = try ConfigFile(text)
        let error = #expect(throws: ConfigError.self) {
            try ConfigLayers(keys: ["zone"], flags: [:], environment: [:], file: file.path)
        }
        let line = try #require(error?.description)
        #expect(line.contains(file.path) && line.contains(reason) && !line.contains("\n"), "\(line)")
    }

    @Test func aMissingFileIsNamed() throws {
        let error = #expect(throws: ConfigError.self) {
            try ConfigLayers(keys: [], flags: [:], environment: [:], file: "/nowhere/a.yaml")
        }
        #expect(try #require(error?.description).contains("/nowhere/a.yaml"))
    }

    @Test func errorsNameWhereTheValueCameFrom() throws {
        let given = [
            try layers(environment: ["OSTRAKA_GATEWAY_TIMEOUT": "soon"]),
            try layers(flags: ["gateway-timeout": "soon"]),
        ]
        for (layers, source) in zip(given, ["OSTRAKA_GATEWAY_TIMEOUT", "--gateway-timeout"]) {
            let error = #expect(throws: ConfigError.self) { try layers.integer("gateway-timeout", 1...9) }
            let line = try #require(error?.description)
            #expect(line.hasPrefix(source) && line.contains("'soon'") && line.contains("from 1 to 9"), "\(line)")
        }
    }

    @Test(arguments: [
        ("0", 0), ("1048576", 1_048_576), ("256MiB", 268_435_456), ("256mb", 268_435_456), ("1g", 1_073_741_824),
        ("2KiB", 2048), ("1t", 1_099_511_627_776), ("7b", 7),
    ])
    func sizes(_ text: String, _ bytes: Int) { #expect(ConfigLayers.bytes(text) == bytes) }

    @Test(arguments: ["", "-1", "1.5g", "g", "1 g", "1x", "9223372036854775807k", "99999999999999999999", "１g"])
    func noSizes(_ text: String) { #expect(ConfigLayers.bytes(text) == nil) }

    @Test(arguments: ["127.0.0.1", "127.9.8.7", "localhost", "::1"])
    func loopback(_ host: String) { #expect(ConfigLayers.isLoopback(host)) }

    @Test(arguments: ["127.evil.example", "127.0.0.1.example", "0.0.0.0", "::", "10.0.0.1", "127.0.0.256", "127", ""])
    func notLoopback(_ host: String) { #expect(!ConfigLayers.isLoopback(host)) }
}
