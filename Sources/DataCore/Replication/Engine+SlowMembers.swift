import ClusterModel
internal import DequeModule

// A node whose disk is ill, though it answers every beat, holds up each write of each shard that it is a member of. Every node
// says how long its log takes to be durable; a primary goes on without a member that has been far slower than the others for
// a while, one at a time and never with fewer than min-in-sync. It comes back as a learner, and is promoted when it keeps
// pace. A primary that is itself the slow one hands over (RULES H4).
extension Engine {
    /// ns: nobody is slow whose batches are durable within that.
    private static let quick: UInt64 = 50_000_000
    /// Slow is who takes so many times as long as the median of the members.
    private static let timesSlower: UInt64 = 10
    /// ns after which the log is said to stand still.
    private static let standstill: UInt64 = 1_000_000_000

    /// What a slow batch is remembered for, ns: less than half of what it takes to be put out.
    private var span: UInt64 { settings.slowAfterMillis * 250_000 }

    /// ns that the oldest batch waits which is not durable here; 0 = none waits.
    private var unsyncedAge: UInt64 {
        guard durableBatches < unapplied.count else { return 0 }
        let since = unapplied[durableBatches].handedOver
        return now.monotonic > since ? now.monotonic - since : 0
    }

    /// ns that batches take at most to be durable here.
    func ownPace() -> UInt64 { syncPace.slowest(waits: unsyncedAge, now: now.monotonic, span: span) }

    mutating func noteSynced(_ note: BatchNote) {
        syncPace.note(now.monotonic &- note.handedOver, now: now.monotonic, span: span)
    }

    /// Says once that the log stands still, and that it goes on.
    mutating func watchLog() {
        let waits = unsyncedAge
        if waits >= Engine.standstill, !logStands {
            logStands = true
            effects.emit(note(.warning, "a write to the log has not become durable for a second: is the disk ill?"))
        } else if waits == 0, logStands {
            logStands = false
            effects.emit(note(.info, "the log is durable again"))
        }
    }

    /// Looks who of a shard led from here is slow; all of them are beside the median of the members.
    mutating func comparePaces(_ index: Int) {
        let own = ownPace()
        func pace(_ follower: Follower) -> UInt64 { replication.beats[follower.member.node]?.pace ?? 0 }
        let members = replicas[index].followers.filter { !$0.isLearner }.map(pace) + [own]
        let median = members.sorted()[(members.count - 1) / 2]
        let bound = max(Engine.quick, median.multipliedReportingOverflow(by: Engine.timesSlower).partialValue)
        func since(_ known: UInt64, _ pace: UInt64) -> UInt64 {
            pace <= bound ? 0 : known == 0 ? now.monotonic : known
        }
        replicas[index].slowSince = since(replicas[index].slowSince, own)
        for place in replicas[index].followers.indices {
            let follower = replicas[index].followers[place]
            replicas[index].followers[place].slowSince = since(follower.slowSince, pace(follower))
        }
    }

    private func isSlow(since: UInt64) -> Bool {
        since > 0 && now.monotonic - since >= settings.slowAfterMillis * 1_000_000 && !Mutant.h4KeepsSlowMembers.isOn
    }

    /// Asks to go on without the member that is slow, or to hand over if that is this one. Returns whether it did.
    mutating func considerSlowMembers(_ index: Int) -> Bool {
        let replica = replicas[index]
        let configuration = replica.configuration
        if isSlow(since: replica.slowSince) {
            let heir = replica.followers.first {
                !$0.isLearner && $0.isReconciled && $0.slowSince == 0 && $0.grantUntil > now.monotonic
            }
            guard let heir, numbers[index].isServing else { return false }
            propose(
                index, members: [heir.member] + configuration.members.filter { $0 != heir.member },
                learners: configuration.learners,
                why: "the disk here is far slower than the others': it asks to hand over to \(heir.member)")
            return true
        }
        // With fewer acknowledgements than all nobody waits for the slowest.
        guard configuration.policy.ack == .all,
            let slow = replica.followers.first(where: { !$0.isLearner && isSlow(since: $0.slowSince) })
        else { return false }
        return propose(
            index, without: slow.member,
            why: "the disk of \(slow.member) is far slower than the others': it asks to go on without it")
    }
}
