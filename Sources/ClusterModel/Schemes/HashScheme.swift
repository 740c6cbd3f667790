/// N equal intervals of slots at creation; whole shards move.
public struct HashScheme: Scheme {
    public let parameters: SchemeParameters
    private let shards: Int

    public init(_ parameters: SchemeParameters) throws(SchemeProblem) {
        try parameters.allow(shards: true)
        shards = parameters.shards ?? 16
        guard (1...Limits.shardsPerKeyspace).contains(shards) else {
            throw SchemeProblem("--shards must be 1 to \(Limits.shardsPerKeyspace), not \(shards)")
        }
        self.parameters = SchemeParameters(kind: .hash, shards: shards)
    }

    public func token(of key: [UInt8]) -> Token { .slot(Slot(ofKey: key)) }

    public func placement(
        on sites: [Site], replicas: Int, current: [PlannedShard]
    ) throws(SchemeProblem) -> [PlannedShard] {
        if !current.isEmpty { return Apportionment(sites: sites, replicas: replicas).place(current) }
        let slots = Int(Slot.count)
        let intervals = (0..<shards).map { index in
            PlannedShard(
                range: .slots(
                    from: UInt16(index * slots / shards), to: UInt16((index + 1) * slots / shards)))
        }
        return Apportionment(sites: sites, replicas: replicas).place(intervals)
    }
}
