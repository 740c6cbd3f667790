public import ArgumentParser
import ClusterClient
public import ClusterModel

extension SchemeKind: ExpressibleByArgument {}
extension Flow: ExpressibleByArgument {}
extension Ack: ExpressibleByArgument {}
extension ReadMode: ExpressibleByArgument {}

/// `shardctl keyspace create K ...`
struct KeyspaceCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Create a keyspace.",
        discussion: """
            Exits 0 only when every shard serves and every replica is a member. A name that exists is refused.

            EXAMPLES:
              shardctl keyspace create default --yes
              shardctl keyspace create cache --scheme ring --vnodes 64 --yes
              shardctl keyspace create words --scheme range --split-at g,n,t --yes
              shardctl keyspace create users --scheme list --values 'eu=de,fr;us=us' --yes
              shardctl keyspace create default --plan
            """)

    @Argument(help: "Its name: a letter or _, then letters, digits, _ . - (64 at most).") var keyspace: String
    @Option(help: "How keys map to shards.") var scheme: SchemeKind = .hash
    @Option(help: "hash: how many shards (default: 16).") var shards: Int?
    @Option(help: "ring: virtual nodes of a node of weight 1 (default: 32).") var vnodes: Int?
    @Option(help: ArgumentHelp("range: first keys of all shards but the first.", valueName: "a,b,c"))
    var splitAt: String?
    @Option(help: ArgumentHelp("list: the values of each shard.", valueName: "s1=a,b;s2=c")) var values: String?
    @Option(help: "list: the byte that ends a key's value (default: ':').") var separator: String?
    @Option(help: "Copies of each shard (default: 3, or the nodes up if fewer).") var replicas: Int?
    @Option(help: "How writes travel (default: fanout).") var flow: Flow?
    @Option(help: "When a write is committed (default: all).") var ack: Ack?
    @Option(help: "Fewer members refuse writes (default: a majority).") var minInSync: Int?
    @Option(help: "Where reads are answered (default: primary).") var read: ReadMode?
    @OptionGroup(title: "Global options") var globals: GlobalOptions

    func validate() throws {
        do { _ = try wish() } catch { throw ValidationError(error.message) }
    }

    func run() async throws {
        let wish = try wish()
        let meta = try globals.metaClient()
        let answer = try await Change(meta: meta, globals: globals).carryOut { .createKeyspace(wish, plan: $0) }
        guard let answer else { return }
        guard case .keyspaceCreated(let version, var created, _) = answer else { throw unexpected("keyspace create") }
        if !globals.detach {
            let expected = created
            let serves = try await Waiting.until(hint: "shardctl shard ls \(keyspace)") {
                try await KeyspaceCreate.missing(of: expected, meta)
            }
            guard serves else {
                throw CommandFailure(
                    .stillRunning, "created, but not every shard serves yet: shardctl shard ls \(keyspace)")
            }
            // Every gateway would look the name up itself: waiting a moment spares it that.
            _ = try await Nodes.know(version, meta, within: .seconds(5))
            created.state = .serving
        }
        if globals.isJSON { return try JSONOutput.write(created) }
        let state = globals.detach ? "created" : "created, every shard serves"
        print("keyspace '\(keyspace)' \(state): \(created.scheme.rawValue), \(Words.count(created.shards, "shard"))")
    }

    /// What is missing until all serves; nil = nothing.
    private static func missing(of keyspace: KeyspaceInfo, _ meta: MetaClient) async throws -> String? {
        guard case .shards(let shards) = try await ask(meta, .listShards(keyspace: keyspace.name)) else {
            throw unexpected("shard ls")
        }
        let ready = shards.count { $0.state == .serving && $0.members.count >= keyspace.replicas }
        return ready == shards.count && !shards.isEmpty ? nil : "\(ready) of \(shards.count) shards serve"
    }

    /// What is asked for, checked as far as can be told here.
    func wish() throws(CommandFailure) -> KeyspaceWish {
        guard Keyspace.isWellFormed(name: keyspace) else {
            throw CommandFailure(
                .usage, "'\(keyspace)' is no keyspace name: a letter or _, then letters, digits, _ . - (64 at most)")
        }
        try refuse(shards != nil, "--shards", unless: .hash)
        try refuse(vnodes != nil, "--vnodes", unless: .ring)
        try refuse(splitAt != nil, "--split-at", unless: .range)
        try refuse(values != nil, "--values", unless: .list)
        try refuse(separator != nil, "--separator", unless: .list)
        try check(shards, "--shards", 1...Limits.shardsPerKeyspace)
        try check(vnodes, "--vnodes", 1...Limits.virtualNodes)
        try check(replicas, "--replicas", 1...64)
        try check(minInSync, "--min-in-sync", 1...(replicas ?? 64))
        var parameters = SchemeParameters(kind: scheme)
        switch scheme {
        case .hash: parameters.shards = shards
        case .ring: parameters.virtualNodes = vnodes
        case .range: parameters.splitAt = try SchemeText.splitKeys(splitAt)
        case .list:
            parameters.groups = try SchemeText.groups(values)
            parameters.separator = try SchemeText.separator(separator)
        }
        return KeyspaceWish(
            name: keyspace, scheme: parameters, replicas: replicas, flow: flow, ack: ack, minInSync: minInSync,
            read: read)
    }

    private func refuse(_ isGiven: Bool, _ option: String, unless kind: SchemeKind) throws(CommandFailure) {
        if isGiven, scheme != kind {
            throw CommandFailure(.usage, "\(option) is for --scheme \(kind.rawValue), not \(scheme.rawValue)")
        }
    }

    private func check(_ number: Int?, _ option: String, _ bounds: ClosedRange<Int>) throws(CommandFailure) {
        if let number, !bounds.contains(number) {
            throw CommandFailure(
                .usage, "\(option) must be from \(bounds.lowerBound) to \(bounds.upperBound), not \(number)")
        }
    }
}

/// Reads what the schemes' options say.
enum SchemeText {
    /// `a,b,c`, ascending by their bytes.
    static func splitKeys(_ text: String?) throws(CommandFailure) -> [Key]? {
        guard let text else { return nil }
        let keys = text.split(separator: ",", omittingEmptySubsequences: false).map { Key(Array($0.utf8)) }
        for (index, key) in keys.enumerated() {
            guard !key.bytes.isEmpty else { throw CommandFailure(.usage, "--split-at: a key is empty") }
            if index > 0, keys[index - 1] >= key {
                throw CommandFailure(.usage, "--split-at: keys must ascend, '\(key)' does not")
            }
        }
        return keys
    }

    /// `s1=a,b;s2=c`: no value twice, no name twice.
    static func groups(_ text: String?) throws(CommandFailure) -> [ListGroup]? {
        guard let text else { throw CommandFailure(.usage, "--scheme list needs --values 's1=a,b;s2=c'") }
        var groups: [ListGroup] = []
        var seen: Set<Key> = []
        for part in text.split(separator: ";", omittingEmptySubsequences: false) {
            guard let equals = part.firstIndex(of: "="), equals != part.startIndex else {
                throw CommandFailure(.usage, "--values: '\(part)' is not name=value,value")
            }
            let name = String(part[..<equals])
            guard !groups.contains(where: { $0.name == name }) else {
                throw CommandFailure(.usage, "--values: '\(name)' is named twice")
            }
            let list = part[part.index(after: equals)...].split(separator: ",", omittingEmptySubsequences: false)
            var values: [Key] = []
            for value in list.map({ Key(Array($0.utf8)) }) {
                guard !value.bytes.isEmpty else {
                    throw CommandFailure(.usage, "--values: '\(name)' has an empty value")
                }
                guard seen.insert(value).inserted else {
                    throw CommandFailure(.usage, "--values: the value '\(value)' is given twice")
                }
                values.append(value)
            }
            groups.append(ListGroup(name: name, values: values.sorted()))
        }
        return groups
    }

    static func separator(_ text: String?) throws(CommandFailure) -> UInt8? {
        guard let text else { return nil }
        guard let byte = text.utf8.first, text.utf8.count == 1 else {
            throw CommandFailure(.usage, "--separator must be one byte")
        }
        return byte
    }
}
