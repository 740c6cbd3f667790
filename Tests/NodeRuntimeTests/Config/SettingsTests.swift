import ClusterModel
import Testing

@testable import NodeRuntime

@Suite struct SettingsTests {
    private static let data = [
        "id": "d1", "dir": "/tmp/d1", "listen": "127.0.0.1:7511", "gateway": "127.0.0.1:7512",
        "peer": "127.0.0.1:7513", "meta": "127.0.0.1:7410,127.0.0.1:7420",
    ]
    private static let meta = ["id": "m1", "listen": "127.0.0.1:7410", "log": "file:/tmp/log"]

    private func dataSettings(_ changes: [String: String] = [:]) throws -> DataHostSettings {
        try DataHostSettings(
            ConfigLayers(
                keys: DataHostSettings.keys, defaults: DataHostSettings.defaults,
                flags: Self.data.merging(changes) { $1 }.filter { $0.value != "-" }, environment: [:], file: nil))
    }

    private func metaSettings(_ changes: [String: String] = [:]) throws -> MetaHostSettings {
        try MetaHostSettings(
            ConfigLayers(
                keys: MetaHostSettings.keys, defaults: MetaHostSettings.defaults,
                flags: Self.meta.merging(changes) { $1 }.filter { $0.value != "-" }, environment: [:], file: nil))
    }

    @Test func defaultsAreThoseOfTheContract() throws {
        let data = try dataSettings()
        #expect(data.leaseMillis == 1000 && data.gatewayTimeoutMillis == 5000 && data.cacheBytes == 256 << 20)
        #expect(data.maxClients == 10_000 && data.weight == 1 && data.sync == .always)
        #expect(data.meta.map(\.port) == [7410, 7420])
        let meta = try metaSettings()
        #expect(meta.takeoverMillis == 3000 && meta.downAfterMillis == 30_000 && meta.log == "/tmp/log")
    }

    @Test func valuesAreTyped() throws {
        let data = try dataSettings(["sync": "interval:50", "cache": "1g", "weight": "2.5", "zone": "a"])
        #expect(data.sync == .interval(milliseconds: 50))
        #expect(data.cacheBytes == 1 << 30 && data.weight == 2.5 && data.zone == "a")
        #expect(data.shown.contains { $0.name == "appendfsync" && $0.value == "everysec" })
    }

    @Test(arguments: [
        ("id", "-", "--id is missing"), ("dir", "-", "--dir is missing"), ("meta", "-", "--meta is missing"),
        ("id", "a b", "must be 1 to 63"), ("listen", "7511", "--listen: '7511' is not an address"),
        ("listen", "127.0.0.1:70000", "--listen"), ("meta", "127.0.0.1:1,,", "list of addresses"),
        ("sync", "sometimes", "always, never, or interval:MS"), ("sync", "interval:0", "interval:MS"),
        ("cache", "much", "such as 256MiB"), ("weight", "0", "above 0"), ("weight", "nan", "above 0"),
        ("max-clients", "0", "from 1"), ("lease", "5", "from 100"), ("secret-file", "/nowhere/s", "/nowhere/s"),
        ("listen", "0.0.0.0:7511", "both --secret-file and --password-file"),
        ("http", "10.0.0.1:80", "both --secret-file and --password-file"),
    ])
    func aWrongValueIsRefusedWithWhatToDo(_ key: String, _ value: String, _ reason: String) throws {
        let error = #expect(throws: ConfigError.self) { try dataSettings([key: value]) }
        let line = try #require(error?.description)
        #expect(line.contains(reason) && line.contains(key), "\(line)")
    }

    @Test(arguments: [
        ("log", "/tmp/log", "is not file:DIR"), ("log", "file:", "is not file:DIR"),
        ("log", "etcd:http:127.0.0.1", "files only"), ("takeover", "1", "from 200"),
        ("listen", "[::]:7410", "give --secret-file"), ("http", "0.0.0.0:1", "give --secret-file"),
    ])
    func metasrvRefusesToo(_ key: String, _ value: String, _ reason: String) throws {
        let error = #expect(throws: ConfigError.self) { try metaSettings([key: value]) }
        #expect(try #require(error?.description).contains(reason))
    }

    @Test func secretsOpenOtherAddressesAndAreShownNowhere() throws {
        let secret = try ConfigFile("s3cret\n", named: "secret")
        let password = try ConfigFile("p4ss\r\n", named: "password")
        let settings = try dataSettings([
            "listen": "0.0.0.0:7511", "secret-file": secret.path, "password-file": password.path,
        ])
        #expect(settings.secret == Array("s3cret".utf8))
        #expect(settings.password == Array("p4ss".utf8))
        #expect(!settings.shown.contains { $0.value.contains("s3cret") || $0.value.contains("p4ss") })
        #expect(!settings.shown.contains { $0.name.hasSuffix("-file") })
    }

    @Test func anEmptySecretIsRefused() throws {
        let empty = try ConfigFile("\n", named: "secret")
        let error = #expect(throws: ConfigError.self) { try dataSettings(["secret-file": empty.path]) }
        #expect(try #require(error?.description).contains("is empty"))
    }

    @Test(arguments: [
        ("", "", true), ("a", "a", true), ("a", "b", false), ("ab", "a", false), ("secret", "secreT", false),
    ])
    func constantTime(_ left: String, _ right: String, _ isEqual: Bool) {
        #expect(ConstantTime.equals(Array(left.utf8), Array(right.utf8)) == isEqual)
    }
}
