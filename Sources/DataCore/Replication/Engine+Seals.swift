import ClusterModel

// Take-over with ack below all. A member alone may lack what others committed, so enough members of every configuration
// that may have committed something are sealed, durably, before one of them, the one with the longest log, becomes primary
// (RULES A8, C7). They are asked first: nobody is sealed for a candidate that cannot win.
extension Engine {
    /// The configurations of which members must be sealed before another primary takes over; empty = none: every member has
    /// all that was committed.
    func electorates(_ index: Int) -> [Electorate] {
        let shard = replicas[index].configuration
        let isActive = replicas[index].active >= shard.epoch
        let all = isActive ? [shard.electorate] : shard.electorates
        return all.contains { $0.ack != .all } ? all : []
    }

    // MARK: The candidate

    /// Whom a candidate asks: all members of all those configurations.
    func voters(_ electorates: [Electorate]) -> [NodeID] {
        var voters: [NodeID] = []
        for member in electorates.flatMap(\.members) where member.node != settings.id && !voters.contains(member.node) {
            voters.append(member.node)
        }
        return voters
    }

    /// Goes on with a candidacy: asks, then seals, then proposes.
    mutating func concludeSealing(_ index: Int, _ candidacy: Candidacy) {
        let own = ownMember(index)
        let isOver = candidacy.voters.isEmpty || now.monotonic - candidacy.began > settings.leaseMillis * 200_000
        if !candidacy.seals {
            let willing = candidacy.electorates.flatMap(\.members).filter { member in
                member == own || candidacy.granted.contains(member.node)
            }
            let isEnough = candidacy.electorates.allSatisfy { $0.isSealed(by: willing) }
            if isEnough { return beginSealing(index, candidacy) }
            if isOver { giveUpCandidacy(index) }
            return
        }
        let sealed = candidacy.sealed.map(\.member)
        guard candidacy.electorates.allSatisfy({ $0.isSealed(by: sealed) }) else {
            if isOver { giveUpCandidacy(index) }
            return
        }
        proposeSealed(index, candidacy.sealed)
    }

    private mutating func beginSealing(_ index: Int, _ asked: Candidacy) {
        let shard = replicas[index].configuration
        let next = Candidacy(
            nonce: entropy.next(), began: now.monotonic, voters: voters(asked.electorates),
            electorates: asked.electorates, seals: true)
        replicas[index].candidacy = next
        let poll = TakeoverPoll(nonce: next.nonce, shard: shard.id, epoch: shard.epoch, seals: true)
        seal(index, poll, for: settings.id)
        for node in next.voters { outbox(node).append(poll) }
    }

    private mutating func giveUpCandidacy(_ index: Int) {
        let lease = settings.leaseMillis * 1_000_000
        replicas[index].candidacy = nil
        replicas[index].patientUntil = now.monotonic + lease / 2 + entropy.next() % (lease / 4 + 1)
    }

    /// Asks for the one of the sealed whose log is longest to be primary. The others stay members: those that are away come
    /// back to a log that has all they knew to be committed.
    private mutating func proposeSealed(_ index: Int, _ seals: [ReconfigureRequest.Seal]) {
        replicas[index].candidacy = nil
        let shard = replicas[index].configuration
        // The candidate itself, else the first in chain order, of those with the longest log.
        let order = [settings.id] + shard.members.map(\.node)
        func rank(_ seal: ReconfigureRequest.Seal) -> Int { order.firstIndex(of: seal.member.node) ?? order.count }
        let longest = seals.filter { seal in seals.allSatisfy { seal.covers($0) } }
        guard let best = longest.min(by: { rank($0) < rank($1) })?.member else { return }
        let others = shard.members.filter { $0 != best }
        let answered = others.filter { member in seals.contains { $0.member == member } }
        let silent = others.filter { member in !seals.contains { $0.member == member } }
        propose(
            index, members: [best] + answered + silent, learners: shard.learners.filter { $0 != best }, seals: seals,
            why: "its primary is silent: it asks for \(best) to take over, whose log is the longest of "
                + "\(seals.count) that are sealed")
    }

    // MARK: Who is asked

    /// Promises not to take part in the epoch of a poll, nor in any before it. The answer waits until that is durable.
    mutating func seal(_ index: Int, _ poll: TakeoverPoll, for node: NodeID) {
        guard let next = poll.epoch.successor else { return }
        if replicas[index].sealedBelow < next {
            replicas[index].sealedBelow = next
            numbers[index].mayRead = false
            logSeal(index, next)
        }
        let ticket = batch.isEmpty ? nextTicket - 1 : nextTicket
        replication.held.append(
            HeldAnswer(ticket: ticket, node: node, replica: index, epoch: numbers[index].epoch, sealedFor: poll))
        sendHeld()
    }

    /// The seal is durable, and all that was logged before it.
    mutating func answerSealed(_ index: Int, _ poll: TakeoverPoll, to node: NodeID) {
        guard replicas[index].sealedBelow > poll.epoch else { return }
        let vote = TakeoverVote(
            nonce: poll.nonce, shard: poll.shard, epoch: Epoch(rawValue: numbers[index].epoch),
            incarnation: Incarnation(rawValue: numbers[index].incarnation), hasLapsed: true, isSealed: true,
            lastEpoch: replicas[index].lastEpoch, last: Seq(rawValue: numbers[index].last))
        if node == settings.id { noteVote(vote, from: node) } else { outbox(node).append(vote) }
    }

    /// A primary asks a sealed replica for a lease: it is told, so that a new epoch lets that one take part again.
    mutating func tellSealed(_ index: Int, to node: NodeID) {
        outbox(node).append(
            TakeoverVote(
                nonce: 0, shard: ShardID(rawValue: numbers[index].shard), epoch: Epoch(rawValue: numbers[index].epoch),
                incarnation: Incarnation(rawValue: numbers[index].incarnation), hasLapsed: true, isSealed: true,
                lastEpoch: replicas[index].lastEpoch, last: Seq(rawValue: numbers[index].last)))
    }

    /// A member of the epoch that is led here was sealed in it by a candidate that did not come through.
    mutating func noteSealedFollower(_ vote: TakeoverVote, from node: NodeID) {
        guard let index = replicaIndex[vote.shard], replicas[index].isLeading, replicas[index].hasBegun,
            replicas[index].proposal == nil, numbers[index].epoch == vote.epoch.rawValue,
            now.monotonic >= replicas[index].patientUntil,
            replicas[index].configuration.member(on: node)?.incarnation == vote.incarnation
        else { return }
        let shard = replicas[index].configuration
        replicas[index].patientUntil = now.monotonic + settings.leaseMillis * 1_000_000
        propose(
            index, members: shard.members, learners: shard.learners,
            why: "member \(node) was sealed in this epoch: it asks for the next")
    }

    /// A primary that waits for a release that does not come, with ack below all, is no better than any other member: the
    /// log it holds may lack what the former one committed (RULES C13).
    func waitsInVain(_ index: Int) -> Bool {
        replicas[index].state == .starting && !replicas[index].hasBegun && replicas[index].awaitsRelease
            && now.monotonic >= replicas[index].boundUntil && !electorates(index).isEmpty
    }
}
