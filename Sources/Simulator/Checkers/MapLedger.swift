import ClusterModel
import MetaCore

/// The shared log applied by somebody who sees every entry at once: one content per (shard, epoch) (RULES I3), equal states
/// at equal positions (I4), ranges that cover the space (I12).
final class MapLedger {
    private unowned let world: World
    private var state = ClusterState()
    private var states: [LogPosition: ClusterState] = [:]
    private var configurations: [Name: ShardConfiguration] = [:]
    private var checked: [String: LogPosition] = [:]
    /// The newest configuration of each shard.
    private var newest: [ShardID: ShardConfiguration] = [:]
    /// Proposals of primaries that leave members out which lack more than their logs have.
    private var leftBehind: Set<Proposal> = []

    private struct Name: Hashable {
        var shard: ShardID
        var epoch: Epoch
    }

    init(world: World) { self.world = world }

    func configuration(_ shard: ShardID, _ epoch: Epoch) -> ShardConfiguration? {
        configurations[Name(shard: shard, epoch: epoch)]
    }

    /// All shards as they are now.
    var shards: [ShardConfiguration] { state.shards.values.map(\.value) }

    /// Whether copies count as lost whose nodes came back with older directories, whatever they hold by now.
    var hasOutdatedCopies: Bool { state.outdated != nil }

    /// An entry stands in the log; the same one may be told more than once.
    func added(_ entry: LogEntry, at position: LogPosition) {
        guard position > state.position else { return }
        let before = state.routeVersion
        // One entry may change a shard more than once.
        var seen = before
        var changed: [ShardConfiguration] = []
        do {
            try state.apply(LogRecord(position: position, entry: entry)) { state in
                changed += state.shards.values.filter { $0.version > seen }.map(\.value)
                seen = state.routeVersion
            }
        } catch {
            return violate("I4: the entry at \(position) cannot follow those before it: \(error)")
        }
        states[position] = state
        for shard in changed { note(shard) }
        if state.routeVersion > before { checkRanges() }
    }

    private func note(_ shard: ShardConfiguration) {
        let name = Name(shard: shard.id, epoch: shard.epoch)
        if let known = configurations[name], known != shard {
            violate("I3: epoch \(shard.epoch) of shard \(shard.id) has two contents")
        }
        if configurations[name] == nil { checkMembers(shard) }
        configurations[name] = shard
        let members = shard.members.map(\.description).joined(separator: " ")
        let learners =
            shard.learners.isEmpty ? "" : " learners \(shard.learners.map(\.description).joined(separator: " "))"
        world.trace.note(
            world.now, 44, shard.epoch.rawValue,
            "shard \(shard.id) epoch \(shard.epoch): \(members)\(learners) by \(shard.proposal.proposer)")
    }

    /// C17: no change leaves fewer members than min-in-sync, where members are in sync by being members, but for those whose
    /// lives have ended. I6: all members of a later configuration hold what was committed in earlier ones; of policies that
    /// ask for fewer, one does.
    private func checkMembers(_ shard: ShardConfiguration) {
        if let former = newest[shard.id], shard.policy.ack == .all,
            shard.members.count < min(former.members.count, shard.policy.minInSync), !isOfEnded(former, shard),
            !isWithoutLeftBehind(former, shard)
        {
            violate("C17: epoch \(shard.epoch) of shard \(shard.id) keeps \(shard.members.count) members")
        }
        newest[shard.id] = shard
        guard shard.isCopied, let ledger = world.ledger else { return }
        var lacking: [String] = []
        for member in shard.members {
            guard let node = world.index(of: member.node),
                let seq = ledger.lacking(shard.id, member.incarnation, node: node)
            else { continue }
            // What came back with an older directory is taught by the primary, and is none before (RULES H1).
            let mayLead = member == shard.primary && world.nodes[node].boot == shard.primaryBoot
            if !mayLead, ledger.isOutdated(node: node) { continue }
            lacking.append("\(member) lacks record \(seq)")
        }
        let allowed = shard.isHeldByAll ? 0 : shard.members.count - 1
        if lacking.count > allowed {
            violate(
                "I6: members of epoch \(shard.epoch) of shard \(shard.id) lack what was committed: "
                    + lacking.joined(separator: ", "))
        }
    }

    /// Whether only members have left whose lives had ended, or who came back with less than they had (RULES H1): the
    /// metadata group may have heard of that, and not yet that they have it again.
    private func isOfEnded(_ former: ShardConfiguration, _ shard: ShardConfiguration) -> Bool {
        former.members.allSatisfy { member in
            shard.members.contains(member) || world.ledger?.hasEnded(shard.id, member) ?? false
                || world.ledger?.wasSetBack(member) ?? false
        }
    }

    /// A node asks for a change of a shard's members.
    func proposed(_ request: ReconfigureRequest) {
        if request.leavesBehind == true { leftBehind.insert(request.configuration.proposal) }
    }

    /// Whether the primary has said that those who left lack more than its log has, and their logs are shorter indeed.
    private func isWithoutLeftBehind(_ former: ShardConfiguration, _ shard: ShardConfiguration) -> Bool {
        guard leftBehind.contains(shard.proposal), let primary = shard.primary.flatMap({ world.index(of: $0.node) })
        else {
            return false
        }
        return former.members.filter { !shard.members.contains($0) }.allSatisfy { member in
            guard let node = world.index(of: member.node), let ledger = world.ledger else { return false }
            return ledger.length(shard.id, node: node) < ledger.length(shard.id, node: primary)
        }
    }

    /// B10: a proposal was refused with the word that it has won.
    func checkRefusal(_ request: ReconfigureRequest, _ answer: ReconfigureAnswer, to name: String) {
        let wished = request.configuration
        guard !answer.accepted, answer.current?.epoch == wished.epoch, answer.current?.proposal == wished.proposal
        else {
            return
        }
        violate("B10: \(name) was refused epoch \(wished.epoch) of shard \(wished.id), which it had won")
    }

    private func checkRanges() {
        for keyspace in state.keyspaces.values {
            let ranges = state.shards(of: keyspace.id).map(\.range)
            if !Self.coversSlots(ranges), !Self.coversKeys(ranges), keyspace.value.scheme.kind != .list {
                violate("I12: the shards of keyspace \(keyspace.value.name) do not cover it once")
            }
        }
    }

    private static func coversSlots(_ ranges: [ShardRange]) -> Bool {
        var spans: [(from: UInt16, to: UInt16)] = []
        for range in ranges {
            guard case .slots(let from, let to) = range else { return false }
            spans.append((from, to))
        }
        var next: UInt16 = 0
        for span in spans.sorted(by: { $0.from < $1.from }) {
            guard span.from == next else { return false }
            next = span.to
        }
        return next == Slot.count
    }

    private static func coversKeys(_ ranges: [ShardRange]) -> Bool {
        var ends: [Key?: Key?] = [:]
        for range in ranges {
            guard case .keys(let from, let to) = range, ends[from] == nil else { return false }
            ends[from] = to
        }
        var next: Key?
        for _ in ranges {
            guard let end = ends[next] else { return false }
            next = end
        }
        return next == nil && !ranges.isEmpty
    }

    /// A metasrv knows the log up to a position: its state is the one there.
    func check(_ other: ClusterState, of name: String) {
        guard other.position > .zero, checked[name] != other.position, let own = states[other.position] else { return }
        checked[name] = other.position
        if other != own { violate("I4: \(name) has another state at position \(other.position)") }
    }

    private func violate(_ text: String) { world.violate(.invariant, text) }
}
