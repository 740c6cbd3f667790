import ClusterModel

/// What a node said in this term; none of it is in the log.
struct Heard: Sendable {
    var boot: BootNonce
    /// The starts its directory had seen when it was registered, this one too.
    private(set) var starts: [BootNonce]
    /// When its last beat came, ns.
    var last: UInt64
    /// It stopped cleanly.
    var hasLeft: Bool
    var routeVersion: RouteVersion
    var reports: [ShardID: ShardReport]
    var bytes: UInt64
    /// Replicas that it says have ended there.
    let ended: [EndedReplica]
    /// Of replicas whose logs end below what an earlier boot of the node had applied: that record (RULES H1). The node has
    /// lost something, or its directory is an old one.
    private(set) var floors: [ShardID: Seq] = [:]

    /// - Parameter former: what the node said before, in this life of its process or in an earlier one.
    init(_ beat: Heartbeat, now: UInt64, former: Heard?) {
        boot = beat.node.boot
        starts = beat.starts ?? (former?.boot == beat.node.boot ? former?.starts : nil) ?? []
        last = now
        hasLeft = beat.leaving == true
        routeVersion = beat.routeVersion
        ended = beat.ended ?? []
        reports = [:]
        bytes = 0
        for report in beat.shards {
            reports[report.id] = report
            bytes &+= report.bytes
        }
        guard let former, !Mutant.h1TrustsOldData.isOn else { return }
        for report in beat.shards {
            guard let known = former.reports[report.id], known.incarnation == report.incarnation else { continue }
            // What a store holds is committed, and was on the disk of its log before.
            let floor = max(former.floors[report.id] ?? .zero, former.boot == boot ? .zero : known.applied)
            if report.last < floor { floors[report.id] = floor }
        }
    }

    /// Whether its directory had seen this start before its own: what comes of that one has been on its way since.
    func isAfter(_ start: BootNonce) -> Bool { starts.dropLast().contains(start) }
}

/// A node that turns to a standby.
struct Appeal: Sendable {
    /// When its beats here began, and when the last one came, ns.
    var first: UInt64
    var last: UInt64
}

extension MetaNode {
    /// Takes a beat of a boot that is registered. False = this beat needs the log, or a refusal.
    mutating func noteBeat(_ beat: Heartbeat) -> Bool {
        guard beat.cluster == nil || beat.cluster == state.cluster, let known = state.node(beat.node.id),
            known.store == beat.node.store, known.boot == beat.node.boot, known.standing != .removed
        else { return false }
        if let newer = heard[known.id], newer.isAfter(known.boot) {
            // A later start of that directory is being registered: this was on its way since before, and the later one has
            // long gone beyond it.
            return true
        }
        heard[known.id] = Heard(beat, now: now.monotonic, former: heard[known.id])
        return true
    }

    /// What was heard of the registered boot of a node in this term.
    func hearing(_ node: Node) -> Heard? {
        guard let found = heard[node.id], found.boot == node.boot else { return nil }
        return found
    }

    /// What a member's node said last of that very life of its replica.
    func report(of member: Member, _ shard: ShardID) -> ShardReport? {
        guard let node = state.node(member.node), let report = hearing(node)?.reports[shard],
            report.incarnation == member.incarnation
        else { return nil }
        return report
    }

    func isUp(_ node: Node) -> Bool {
        guard node.standing != .removed, let found = hearing(node), !found.hasLeft else { return false }
        return elapsed(since: found.last) < settings.downAfter
    }

    func isUp(_ member: Member) -> Bool { state.node(member.node).map { isUp($0) } ?? false }

    func beatAnswer(since: RouteVersion) -> HeartbeatAnswer {
        let delta = since == state.routeVersion ? nil : state.delta(since: since)
        return HeartbeatAnswer(
            cluster: state.cluster ?? settings.newCluster, term: state.term, delta: delta, wall: now.wall)
    }

    // MARK: A standby that is turned to (RULES B9)

    /// A beat that came to a standby. A node that merely looks for the primary goes where the answer sends it; one that
    /// comes again and again cannot reach it.
    mutating func noteAppeal(_ beat: Heartbeat) {
        guard let known = state.node(beat.node.id), known.store == beat.node.store, known.standing != .removed,
            beat.leaving != true
        else { return }
        if let appeal = appeals[known.id], elapsed(since: appeal.last) < Self.appealGap {
            appeals[known.id] = Appeal(first: appeal.first, last: now.monotonic)
        } else {
            appeals[known.id] = Appeal(first: now.monotonic, last: now.monotonic)
        }
    }

    /// Milliseconds: beats further apart are not one appeal. A node that waits out the primary's silence at each beat comes
    /// to a standby about every 3 s.
    static let appealGap: UInt64 = 5000

    /// Whether more than half of the registered nodes have come here again and again for as long as a take-over waits.
    var isAppealedTo: Bool {
        guard case .standby = role, !Mutant.b9NobodyStandsAside.isOn else { return false }
        let members = state.members
        let appealing = members.filter {
            guard let appeal = appeals[$0.id], elapsed(since: appeal.last) < Self.appealGap else { return false }
            return (appeal.last - appeal.first) / 1_000_000 >= settings.takeover
        }
        return !members.isEmpty && appealing.count * 2 > members.count
    }
}
