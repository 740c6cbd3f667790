import ArgumentParser
import ClusterClient
import ClusterModel

/// `shardctl key ...`
struct KeyNoun: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Single keys, through the data nodes.",
        subcommands: [KeyExplain.self, KeyGet.self, KeySet.self, KeyDelete.self, KeyScanVerb.self])
}

/// Options of the verbs on keys.
struct KeyOptions: ParsableArguments {
    @Option(name: [.customShort("k"), .long], help: "The keyspace.") var keyspace = "default"
    @Flag(help: "Keys and values are given, and written, in base64.") var base64 = false

    /// The bytes that an argument stands for.
    func bytes(_ argument: String, _ what: String) throws(CommandFailure) -> [UInt8] {
        guard base64 else { return Array(argument.utf8) }
        guard let bytes = Base64.decode(argument) else {
            throw CommandFailure(.usage, "the \(what) '\(argument)' is not base64")
        }
        return bytes
    }

    /// Bytes as a line of standard output.
    func line(_ bytes: [UInt8]) -> [UInt8] { (base64 ? Array(Base64.encode(bytes).utf8) : bytes) + [0x0A] }
}

/// Runs work on a client and turns its error into the verb's.
private func onKeys<Value: Sendable>(
    _ globals: GlobalOptions, _ options: KeyOptions,
    _ work: (ClusterClient) async throws(ClusterClientError) -> Value
) async throws(CommandFailure) -> Value {
    let client = try await globals.clusterClient(keyspace: options.keyspace)
    do {
        let value = try await work(client)
        await client.close()
        return value
    } catch {
        await client.close()
        throw CommandFailure(error)
    }
}

/// `shardctl key explain KEY`
struct KeyExplain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "How a key finds its node, step by step.",
        discussion: """
            EXAMPLES:
              shardctl key explain user1
              shardctl key explain '{user1}.cart' --keyspace shop -o json
            """)

    @Argument(help: "The key.") var key: String
    @OptionGroup var options: KeyOptions
    @OptionGroup(title: "Global options") var globals: GlobalOptions

    func run() async throws {
        let key = Key(try options.bytes(key, "key"))
        let table = try await onKeys(globals, options) { $0.routes }
        try Explanation(of: key, in: options.keyspace, by: table).show(globals)
    }
}

/// `shardctl key get KEY`
struct KeyGet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Write a key's value to standard output.",
        discussion: """
            Exits 3 when there is no such key.

            EXAMPLES:
              shardctl key get user1
              shardctl key get user1 -o json
            """)

    struct Document: Encodable {
        let key: Key
        let value: Key?

        private enum CodingKeys: String, CodingKey { case key, value }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(key, forKey: .key)
            try container.encode(value, forKey: .value)
        }
    }

    @Argument(help: "The key.") var key: String
    @OptionGroup var options: KeyOptions
    @OptionGroup(title: "Global options") var globals: GlobalOptions

    func run() async throws {
        let bytes = try options.bytes(key, "key")
        let value = try await onKeys(globals, options) { client throws(ClusterClientError) in
            try await client.get(bytes)
        }
        if globals.isJSON {
            try JSONOutput.write(Document(key: Key(bytes), value: value.map { Key($0) }))
        } else if let value {
            Terminal.write(options.line(value))
        }
        guard value != nil else { throw CommandFailure(.refused, "no such key in '\(options.keyspace)'") }
    }
}

/// `shardctl key set KEY VALUE`
struct KeySet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Store a value under a key.",
        discussion: """
            EXAMPLES:
              shardctl key set user1 Ada
              shardctl key set session1 x --ttl 60 --if-absent
            """)

    struct Document: Encodable {
        let key: Key
        let stored: Bool
    }

    @Argument(help: "The key.") var key: String
    @Argument(help: "The value.") var value: String
    @Option(help: "Seconds until the key expires.") var ttl: Int?
    @Flag(help: "Only if the key is not there.") var ifAbsent = false
    @Flag(help: "Only if the key is there.") var ifPresent = false
    @OptionGroup var options: KeyOptions
    @OptionGroup(title: "Global options") var globals: GlobalOptions

    func validate() throws {
        if ifAbsent, ifPresent { throw ValidationError("--if-absent and --if-present exclude each other") }
        if let ttl, ttl < 1 { throw ValidationError("--ttl must be 1 or more") }
    }

    func run() async throws {
        let bytes = try options.bytes(key, "key")
        let content = try options.bytes(value, "value")
        let wish = SetOptions(
            expiry: ttl.map { .after(.seconds($0)) } ?? .never,
            condition: ifAbsent ? .ifAbsent : ifPresent ? .ifPresent : .always)
        let stored = try await onKeys(globals, options) { client throws(ClusterClientError) in
            try await client.set(bytes, to: content, options: wish)
        }
        if globals.isJSON {
            try JSONOutput.write(Document(key: Key(bytes), stored: stored))
        } else if stored {
            print("OK")
        }
        guard stored else {
            throw CommandFailure(.refused, ifAbsent ? "the key is there already" : "no such key")
        }
    }
}

/// `shardctl key del KEY ...`
struct KeyDelete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "del", abstract: "Delete keys; writes how many were there.",
        discussion: """
            EXAMPLES:
              shardctl key del user1 user2
            """)

    struct Document: Encodable { let deleted: Int }

    @Argument(help: "The keys.") var keys: [String]
    @OptionGroup var options: KeyOptions
    @OptionGroup(title: "Global options") var globals: GlobalOptions

    func run() async throws {
        var list: [[UInt8]] = []
        for key in keys { list.append(try options.bytes(key, "key")) }
        let all = list
        let deleted = try await onKeys(globals, options) { client throws(ClusterClientError) in
            try await client.delete(all)
        }
        if globals.isJSON { try JSONOutput.write(Document(deleted: deleted)) } else { print(deleted) }
    }
}

/// `shardctl key scan`
struct KeyScanVerb: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scan", abstract: "Write the keys of a keyspace, one per line.",
        discussion: """
            Keys that are there throughout are written at least once; in no order.

            EXAMPLES:
              shardctl key scan --match 'user*' --limit 100
              shardctl key scan --keyspace words -o json
            """)

    struct Document: Encodable { let keys: [Key] }

    @Option(help: "A glob pattern.") var match: String?
    @Option(help: "At most so many keys.") var limit: Int?
    @OptionGroup var options: KeyOptions
    @OptionGroup(title: "Global options") var globals: GlobalOptions

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit must be 1 or more") }
    }

    func run() async throws {
        let pattern = match.map { Array($0.utf8) }
        let found = try await onKeys(globals, options) { client throws(ClusterClientError) in
            var found: [Key] = []
            var count = 0
            for try await key in client.scan(match: pattern) {
                if globals.isJSON { found.append(Key(key)) } else { Terminal.write(options.line(key)) }
                count += 1
                if count == limit { break }
            }
            return found
        }
        if globals.isJSON { try JSONOutput.write(Document(keys: found)) }
    }
}
