import ClusterModel

// Who wants another configuration asks the metadata group for it by compare-and-set: a secondary whose primary is silent, a
// primary that lost a member or has taught a learner (RULES C4, C6, C17). Nothing here trusts its own view before the group
// has said yes.
extension Engine {
    /// ns between two tries of one proposal.
    private static let proposalPause: UInt64 = 500_000_000
    private var lease: UInt64 { settings.leaseMillis * 1_000_000 }

    mutating func considerProposals() {
        for index in replication.shared {
            if let pending = replicas[index].proposal {
                repropose(index, pending)
            } else if replicas[index].isLeading {
                if replicas[index].hasBegun {
                    considerFollowers(index)
                } else if waitsInVain(index) {
                    considerTakeover(index)
                }
            } else if replicas[index].state == .following {
                considerTakeover(index)
            }
        }
    }

    private mutating func repropose(_ index: Int, _ pending: PendingProposal) {
        guard pending.request.expected.rawValue == numbers[index].epoch else {
            replicas[index].proposal = nil
            return
        }
        guard !pending.isAsked, now.monotonic - pending.sent > Engine.proposalPause else { return }
        replicas[index].proposal?.sent = now.monotonic
        replicas[index].proposal?.isAsked = true
        effects.emit(.reconfigure(pending.request))
    }

    mutating func propose(
        _ index: Int, members: [Member], learners: [Member], seals: [ReconfigureRequest.Seal]? = nil,
        leavesBehind: Bool = false, why: String
    ) {
        let current = replicas[index].configuration
        guard let epoch = current.epoch.successor else { return }
        var wished = current
        wished.epoch = epoch
        wished.members = members
        wished.learners = learners.sorted()
        wished.handedOverFrom = nil
        if members.first?.node == settings.id { wished.primaryBoot = settings.boot }
        wished.proposal = Proposal(proposer: settings.id.rawValue, request: entropy.next() >> 12)
        let request = ReconfigureRequest(
            expected: current.epoch, configuration: wished, seals: seals,
            isActive: replicas[index].active >= current.epoch, leavesBehind: leavesBehind ? true : nil)
        replicas[index].proposal = PendingProposal(request: request, sent: now.monotonic)
        effects.emit(note(.info, why, replica: index))
        effects.emit(.reconfigure(request))
    }

    /// - Parameter proposal: which one is answered: an answer that comes late is none to the one that is pending now.
    mutating func noteReconfigured(_ shard: ShardID, _ proposal: Proposal, _ answer: ReconfigureAnswer?) {
        if let current = answer?.current { noteCorrection(current) }
        guard let index = replicaIndex[shard], let pending = replicas[index].proposal,
            pending.request.configuration.proposal == proposal
        else { return }
        replicas[index].proposal?.isAsked = false
        guard let answer, !answer.accepted else { return }
        replicas[index].proposal = nil
        replicas[index].candidacy = nil
        replicas[index].patientUntil = now.monotonic + lease / 4 + entropy.next() % (lease / 4 + 1)
        effects.emit(note(.info, "its proposal was refused: \(answer.refusal ?? "")", replica: index))
    }

    // MARK: A primary's followers

    /// A follower whose log cannot be continued from here is let go; the metadata group gives the shard another copy. A
    /// member that lacks more than the log has is in sync with nothing: however few are left, it comes back as a learner.
    /// - Parameter isSure: whether the log was read, and has not got it.
    mutating func giveUp(_ index: Int, _ follower: Member, isSure: Bool = true) {
        propose(
            index, without: follower, leavesBehind: isSure && !Mutant.c17KeepsLeftBehind.isOn,
            why: "\(follower) is lost, or lacks more than this log has: it asks to go on without it")
    }

    /// Asks to go on without a follower, unless too few would be left. Returns whether it did.
    @discardableResult
    mutating func propose(_ index: Int, without follower: Member, leavesBehind: Bool = false, why: String) -> Bool {
        guard replicas[index].proposal == nil else { return false }
        let configuration = replicas[index].configuration
        let kept = configuration.members.filter { $0 != follower }
        guard
            kept == configuration.members || kept.count >= configuration.policy.minInSync
                || configuration.policy.ack != .all || leavesBehind
        else { return false }
        propose(
            index, members: kept, learners: configuration.learners.filter { $0 != follower },
            leavesBehind: leavesBehind && kept != configuration.members, why: why)
        return true
    }

    private mutating func considerFollowers(_ index: Int) {
        guard now.monotonic >= replicas[index].patientUntil else { return }
        let configuration = replicas[index].configuration
        if replicas[index].isSealed {
            return propose(
                index, members: configuration.members, learners: configuration.learners,
                why: "it was sealed in this epoch: it asks for the next")
        }
        let followers = replicas[index].followers
        let silent = followers.filter { $0.grantUntil < now.monotonic }
        if now.monotonic - replicas[index].adopted > lease + lease / 4,
            let first = silent.first(where: { !$0.isLearner })
        {
            // Only those that answer may stay: a proposal names the members it keeps (RULES C17).
            let gone = silent.map(\.member)
            let kept = configuration.members.filter { !gone.contains($0) }
            // With ack below all the shard goes on without it: it is let go once another copy has taken its place.
            guard configuration.policy.ack == .all || kept.count >= configuration.policy.replicas else {
                return considerLearners(index)
            }
            guard kept.count >= configuration.policy.minInSync || Mutant.c17KeepsTooFew.isOn else { return }
            return propose(
                index, members: kept, learners: configuration.learners.filter { !gone.contains($0) },
                why: "member \(first.member) is silent: it asks to go on without it")
        }
        if !considerSlowMembers(index) { considerLearners(index) }
    }

    private mutating func considerLearners(_ index: Int) {
        let configuration = replicas[index].configuration
        let followers = replicas[index].followers
        // A learner that is gone, or has forgotten its copy when told to, is no use; the group gives the shard another.
        let patience = 5 * lease
        if now.monotonic - replicas[index].adopted > patience,
            let lost = followers.first(where: { $0.isLearner && $0.grantUntil + patience < now.monotonic })
        {
            return giveUp(index, lost.member)
        }
        for place in followers.indices where followers[place].isLearner && isTaught(index, followers[place]) {
            replicas[index].followers[place].isPromoting = !Mutant.c6PromotionDoesNotCount.isOn
            let learner = followers[place].member
            updateServing(index)
            return propose(
                index, members: configuration.members + [learner],
                learners: configuration.learners.filter { $0 != learner },
                why: "learner \(learner) has caught up: it asks for its promotion")
        }
    }

    /// Whether a learner takes part in every record and has reached the log's end (RULES C5). One whose promotion was refused
    /// goes on to count (C6), and is asked for again.
    private func isTaught(_ index: Int, _ follower: Follower) -> Bool {
        if Mutant.c5PromotesUntaught.isOn { return numbers[index].isServing && follower.isReconciled }
        return numbers[index].isServing && follower.isReconciled && follower.lesson == nil
            && follower.sent == numbers[index].streamed && follower.acked >= follower.mustReach
            && follower.acked >= numbers[index].commit && follower.grantUntil > now.monotonic
            && (follower.slowSince == 0 || Mutant.h4KeepsSlowMembers.isOn)
    }

    // MARK: A secondary whose primary is silent

    /// Whether the metadata group knows this start: before, it could not tell that the directory is an older one, and what
    /// it holds must decide nothing (RULES H1).
    private var isKnown: Bool { beats.isRegistered || Mutant.h1SpeaksUnknown.isOn }

    private mutating func considerTakeover(_ index: Int) {
        guard isKnown else { return }
        let configuration = replicas[index].configuration
        guard let rank = configuration.members.firstIndex(where: { $0.node == settings.id }),
            rank > 0 || waitsInVain(index)
        else { return }
        let isFree = now.monotonic >= replicas[index].boundUntil || Mutant.c4AsksWhileBound.isOn
        guard isFree, now.monotonic >= replicas[index].patientUntil else {
            replicas[index].candidacy = nil
            return
        }
        if let candidacy = replicas[index].candidacy { return conclude(index, candidacy) }
        // The first of the members asks first.
        let pause = UInt64(max(rank, 1) - 1) * lease / 16
        guard
            now.monotonic >= max(replicas[index].boundUntil, replicas[index].patientUntil) + pause
                || Mutant.c4AsksWhileBound.isOn
        else { return }
        let electorates = electorates(index)
        // With ack below all a former primary that came back is asked as any other.
        let voters =
            electorates.isEmpty
            ? configuration.members.dropFirst().map(\.node).filter { $0 != settings.id } : self.voters(electorates)
        let candidacy = Candidacy(
            nonce: entropy.next(), began: now.monotonic, voters: voters, electorates: electorates)
        replicas[index].candidacy = candidacy
        for node in voters {
            outbox(node).append(
                TakeoverPoll(nonce: candidacy.nonce, shard: configuration.id, epoch: configuration.epoch))
        }
        conclude(index, candidacy)
    }

    mutating func notePoll(_ poll: TakeoverPoll, from node: NodeID) {
        guard let index = replicaIndex[poll.shard], takesPolls(index, poll) else { return }
        let hasLapsed = now.monotonic >= replicas[index].boundUntil || Mutant.a8SealsWhileBound.isOn
        if poll.seals, hasLapsed, isKnown, numbers[index].epoch <= poll.epoch.rawValue {
            return seal(index, poll, for: node)
        }
        outbox(node).append(
            TakeoverVote(
                nonce: poll.nonce, shard: poll.shard, epoch: Epoch(rawValue: numbers[index].epoch),
                incarnation: Incarnation(rawValue: numbers[index].incarnation),
                hasLapsed: hasLapsed || Mutant.c4AsksWhileBound.isOn, lastEpoch: replicas[index].lastEpoch,
                last: Seq(rawValue: numbers[index].durable)))
    }

    /// Whether a replica is asked about take-overs at all: a primary is not while it serves, or may.
    private func takesPolls(_ index: Int, _ poll: TakeoverPoll) -> Bool {
        switch replicas[index].state {
        case .following: true
        // A copy that was left out, and a primary that restarted, may hold what was committed with ack below all.
        case .stopped: !electorates(index).isEmpty
        case .starting, .serving: !electorates(index).isEmpty && leaseEnd(index) <= now.monotonic
        case .dropped: false
        }
    }

    mutating func noteVote(_ vote: TakeoverVote, from node: NodeID) {
        if vote.nonce == 0 { return noteSealedFollower(vote, from: node) }
        guard let index = replicaIndex[vote.shard], let candidacy = replicas[index].candidacy,
            candidacy.nonce == vote.nonce, candidacy.voters.contains(node) || node == settings.id
        else { return }
        let speaker = Member(node: node, incarnation: vote.incarnation)
        guard
            candidacy.electorates.isEmpty
                ? replicas[index].configuration.members.contains(speaker)
                : candidacy.electorates.contains(where: { $0.members.contains(speaker) })
        else { return }
        if vote.epoch.rawValue > numbers[index].epoch { beats.isDue = true }
        guard vote.hasLapsed, vote.epoch.rawValue <= numbers[index].epoch else {
            // It hears the primary, or knows better: this one is cut off, not the primary (RULES C17).
            replicas[index].candidacy = nil
            replicas[index].patientUntil = now.monotonic + lease / 2
            return
        }
        replicas[index].candidacy?.granted.append(node)
        if vote.isSealed {
            replicas[index].candidacy?.sealed.append(
                ReconfigureRequest.Seal(member: speaker, lastEpoch: vote.lastEpoch, last: vote.last))
        }
        replicas[index].candidacy?.voters.removeAll { $0 == node }
    }

    /// Asks for the role once all have answered, or have been waited for long enough.
    private mutating func conclude(_ index: Int, _ candidacy: Candidacy) {
        guard candidacy.electorates.isEmpty else { return concludeSealing(index, candidacy) }
        let waited = now.monotonic - candidacy.began
        guard candidacy.voters.isEmpty || waited > lease / 5 else { return }
        let configuration = replicas[index].configuration
        let kept = configuration.members.filter { member in
            member.node == settings.id || candidacy.granted.contains(member.node)
        }
        guard kept.count >= configuration.policy.minInSync || Mutant.c17KeepsTooFew.isOn else {
            replicas[index].candidacy = nil
            replicas[index].patientUntil = now.monotonic + lease / 2 + entropy.next() % (lease / 4 + 1)
            return
        }
        replicas[index].candidacy = nil
        let own = kept.filter { $0.node == settings.id }
        propose(
            index, members: own + kept.filter { $0.node != settings.id }, learners: configuration.learners,
            why:
                "its primary is silent: it asks to take over with \(kept.count) of \(configuration.members.count) members"
        )
    }
}
