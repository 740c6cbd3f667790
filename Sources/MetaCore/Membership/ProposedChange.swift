import ClusterModel

/// Why a proposal is no change that may be made; one sentence for its proposer.
struct Objection: Error, Hashable, Sendable {
    var text: String
    init(_ text: String) { self.text = text }
}

/// Which of the few changes of a shard's members a proposal asks for (RULES C4, C10, C13, C14, C17). Whether the nodes it
/// names are up is judged elsewhere.
enum ProposedChange: Hashable, Sendable {
    /// A secondary whose primary is silent asks to go on with those that answered it; the primary is left out.
    case takeOver
    /// The primary goes on without some members or learners.
    case removal
    /// The primary makes learners that have caught up members.
    case promotion
    /// Another member is to be primary; all stay.
    case handOver
    /// The only replica goes to a node that holds no copy, as only one who knows that it is empty may ask.
    case reassignment

    /// - Parameter leavesBehind: the members that are left out are not merely cut off.
    /// - Precondition: `wished` has a member.
    init(
        _ wished: ShardConfiguration, of current: ShardConfiguration, leavesBehind: Bool = false
    ) throws(Objection) {
        guard let first = wished.members.first, let primary = current.members.first else {
            throw Objection("shard \(current.id) has no member that holds its data")
        }
        if first.node == primary.node {
            self = try Self.ofPrimary(wished, current, primary, leavesBehind)
        } else if current.policy.replicas == 1, current.members.count == 1, wished.members.count == 1,
            current.learners.isEmpty, wished.learners.isEmpty
        {
            self = .reassignment
        } else {
            self = try Self.ofOtherMember(wished, current, primary)
        }
    }

    /// The primary stays, so that it alone may propose (RULES C4).
    private static func ofPrimary(
        _ wished: ShardConfiguration, _ current: ShardConfiguration, _ primary: Member, _ leavesBehind: Bool
    ) throws(Objection) -> ProposedChange {
        let proposer = wished.proposal.proposer
        guard proposer == primary.node.rawValue else {
            throw Objection("only the primary, node \(primary.node), removes or promotes replicas, not \(proposer)")
        }
        for replica in wished.members + wished.learners { try known(replica, current) }
        if let learner = wished.learners.first(where: { !current.learners.contains($0) }) {
            throw Objection("member \(learner) does not become a learner without being removed")
        }
        let added = wished.members.filter { !current.members.contains($0) }
        let kept = current.members.filter { wished.members.contains($0) }
        guard wished.members == kept + added else { throw Objection("the members that stay keep their order") }
        if added.isEmpty {
            // A new epoch alone lets members take part again that were sealed in this one.
            let mayRenew = !current.isHeldByAll
            guard mayRenew || kept.count < current.members.count || wished.learners != current.learners else {
                throw Objection("the proposal changes nothing")
            }
            guard
                kept == current.members || kept.count >= current.policy.minInSync || current.policy.ack != .all
                    || leavesBehind || Mutant.c17KeepsTooFew.isOn
            else {
                throw Objection(tooFew(kept, current))
            }
            return .removal
        }
        guard kept == current.members, wished.learners == current.learners.filter({ !added.contains($0) }) else {
            throw Objection("a proposal either removes replicas or promotes learners")
        }
        return .promotion
    }

    private static func ofOtherMember(
        _ wished: ShardConfiguration, _ current: ShardConfiguration, _ primary: Member
    ) throws(Objection) -> ProposedChange {
        let first = wished.members[0]
        for replica in wished.members + wished.learners { try known(replica, current) }
        if let learner = wished.members.first(where: { !current.members.contains($0) }) {
            throw Objection("\(learner) is a learner of shard \(current.id): its primary makes it a member first")
        }
        if let member = wished.learners.first(where: { !current.learners.contains($0) }) {
            throw Objection("member \(member) does not become a learner without being removed")
        }
        if wished.proposal.proposer == first.node.rawValue {
            guard current.isHeldByAll else {
                throw Objection("with ack below all nobody takes over without seals")
            }
            guard !wished.members.contains(primary) else {
                throw Objection("who takes over leaves the former primary, node \(primary.node), out")
            }
            guard wished.members.count >= current.policy.minInSync || Mutant.c17KeepsTooFew.isOn else {
                throw Objection(tooFew(wished.members, current))
            }
            return .takeOver
        }
        guard wished.members.sorted() == current.members.sorted(), wished.learners == current.learners else {
            throw Objection("with a hand-over all replicas stay; only node \(first.node) itself may ask to take over")
        }
        return .handOver
    }

    /// Refuses replicas that the configuration does not have, under this very number (RULES C14).
    private static func known(_ replica: Member, _ current: ShardConfiguration) throws(Objection) {
        guard let known = current.replica(on: replica.node) else {
            throw Objection("node \(replica.node) holds no copy of shard \(current.id)")
        }
        guard known == replica else {
            throw Objection("the replica of shard \(current.id) is \(known), not \(replica)")
        }
    }

    private static func tooFew(_ kept: [Member], _ current: ShardConfiguration) -> String {
        "\(kept.count) of the members would stay, below the \(current.policy.minInSync) that must be in sync"
    }
}
