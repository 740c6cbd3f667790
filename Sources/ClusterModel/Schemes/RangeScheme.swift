/// Intervals of keys in their byte order, cut at given keys; whole shards move.
public struct RangeScheme: Scheme {
    public let parameters: SchemeParameters
    private let cuts: [Key]

    public init(_ parameters: SchemeParameters) throws(SchemeProblem) {
        try parameters.allow(splitAt: true)
        cuts = parameters.splitAt ?? []
        guard cuts.count < Limits.shardsPerKeyspace else {
            throw SchemeProblem("--split-at takes at most \(Limits.shardsPerKeyspace - 1) keys, not \(cuts.count)")
        }
        for (index, cut) in cuts.enumerated() {
            guard !cut.bytes.isEmpty else { throw SchemeProblem("--split-at holds an empty key") }
            guard cut.bytes.count <= Limits.keyBytes else {
                throw SchemeProblem("--split-at holds a key above \(Limits.keyBytes) bytes")
            }
            if index > 0, cuts[index - 1] >= cut {
                throw SchemeProblem("--split-at must ascend in byte order: \(cuts[index - 1]) stands before \(cut)")
            }
        }
        self.parameters = SchemeParameters(kind: .range, splitAt: cuts)
    }

    public func token(of key: [UInt8]) -> Token { .key(Key(key)) }

    public func placement(
        on sites: [Site], replicas: Int, current: [PlannedShard]
    ) throws(SchemeProblem) -> [PlannedShard] {
        if !current.isEmpty { return Apportionment(sites: sites, replicas: replicas).place(current) }
        let bounds: [Key?] = [nil] + cuts.map { $0 } + [nil]
        let intervals = zip(bounds, bounds.dropFirst()).map { PlannedShard(range: .keys(from: $0, to: $1)) }
        return Apportionment(sites: sites, replicas: replicas).place(intervals)
    }
}
