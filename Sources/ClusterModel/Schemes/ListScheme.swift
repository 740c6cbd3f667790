/// Explicit sets of prefixes, and a default shard for all others; moved as told.
public struct ListScheme: Scheme {
    public let parameters: SchemeParameters
    private let groups: [ListGroup]
    private let separator: UInt8

    public init(_ parameters: SchemeParameters) throws(SchemeProblem) {
        try parameters.allow(groups: true)
        separator = parameters.separator ?? 58
        let given = parameters.groups ?? []
        guard !given.isEmpty else {
            throw SchemeProblem("a list keyspace needs --values, as in --values 'eu=de,fr;us=ca,ny'")
        }
        guard given.count < Limits.shardsPerKeyspace else {
            throw SchemeProblem("--values takes at most \(Limits.shardsPerKeyspace - 1) groups, not \(given.count)")
        }
        var names: Set<String> = []
        var owners: [Key: String] = [:]
        for group in given {
            guard !group.name.isEmpty else { throw SchemeProblem("--values holds a group without a name") }
            guard names.insert(group.name).inserted else {
                throw SchemeProblem("--values names the group \(group.name) twice")
            }
            guard !group.values.isEmpty else { throw SchemeProblem("--values: the group \(group.name) is empty") }
            for value in group.values {
                if value.bytes.contains(separator) {
                    throw SchemeProblem("--values: \(value) of group \(group.name) contains the separator")
                }
                if let other = owners.updateValue(group.name, forKey: value) {
                    throw SchemeProblem("--values: \(value) stands in \(other) and in \(group.name)")
                }
            }
        }
        groups = given.map { ListGroup(name: $0.name, values: $0.values.sorted()) }
        self.parameters = SchemeParameters(kind: .list, groups: groups, separator: separator)
    }

    public func token(of key: [UInt8]) -> Token {
        .value(Key(key.firstIndex(of: separator).map { Array(key[..<$0]) } ?? key))
    }

    public func placement(
        on sites: [Site], replicas: Int, current: [PlannedShard]
    ) throws(SchemeProblem) -> [PlannedShard] {
        if !current.isEmpty { return Apportionment(sites: sites, replicas: replicas).place(current) }
        let sets = groups.map { PlannedShard(range: .values($0.values, isDefault: false)) }
        return Apportionment(sites: sites, replicas: replicas).place(
            sets + [PlannedShard(range: .values([], isDefault: true))])
    }
}
