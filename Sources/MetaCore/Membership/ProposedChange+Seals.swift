import ClusterModel

extension ProposedChange {
    /// With ack below all: judges that enough members of every configuration that may have committed something were sealed,
    /// and that the wished primary's log is the longest among them (RULES C7).
    /// - Parameter current: without `unsettled` if it is known to have been active.
    static func sealed(
        _ wished: ShardConfiguration, _ seals: [ReconfigureRequest.Seal], of current: ShardConfiguration
    ) throws(Objection) -> ProposedChange {
        let electorates = current.electorates
        let sealed = seals.map(\.member)
        if let lacking = electorates.first(where: { !$0.isSealed(by: sealed) }) {
            let names = lacking.members.map(\.description).joined(separator: ", ")
            throw Objection(
                "of the members \(names) of shard \(current.id) \(lacking.sealQuorum) must be sealed before another one "
                    + "becomes primary")
        }
        guard let first = wished.members.first, let best = seals.first(where: { $0.member == first }) else {
            throw Objection("the wished primary is none of those that were sealed")
        }
        if let longer = seals.first(where: { !best.covers($0) }) {
            throw Objection("\(longer.member) has a longer log than \(best.member)")
        }
        let known = electorates.flatMap(\.members) + current.learners
        if let stranger = (wished.members + wished.learners).first(where: { !known.contains($0) }) {
            throw Objection("\(stranger) is no replica of shard \(current.id)")
        }
        guard wished.members.dropFirst().sorted() == current.members.filter({ $0 != first }).sorted(),
            wished.learners == current.learners.filter({ $0 != first })
        else { throw Objection("who takes over with seals leaves all other replicas where they are") }
        return .takeOver
    }
}
