import ClusterModel

extension ShardConfiguration {
    /// The one that follows by the metadata group's own word, alike but for epoch and proposal; nil behind the last epoch
    /// there is.
    var next: ShardConfiguration? {
        guard let epoch = epoch.successor else { return nil }
        var next = self
        next.epoch = epoch
        next.proposal = Proposal(proposer: "metasrv", request: epoch.rawValue)
        return next
    }
}
