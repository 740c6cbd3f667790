import ClusterModel

/// When the metadata group is told what.
struct MetaBeats {
    /// Something changed that should not wait for the next interval.
    var isDue = true
    /// ns.
    var last: UInt64 = 0
    var isInFlight = false
    /// Whether the metadata group accepted this process.
    var isRegistered = false
    /// Why not, as far as is known.
    var refusal: String?
    var retryAt: UInt64 = 0
    var isLeaving = false
    /// When the beat was sent that was answered last, ns; 0 = none was.
    var answered: UInt64 = 0
    /// ns between beats.
    static let interval: UInt64 = 500_000_000
    /// An answer that does not come in this time is not waited for, ns.
    static let patience: UInt64 = 3_000_000_000
}

extension Engine {
    /// Sends a beat when one is due.
    mutating func beatIfDue() {
        let waited = now.monotonic &- beats.last
        if beats.isInFlight, waited < MetaBeats.patience { return }
        guard now.monotonic >= beats.retryAt, beats.isDue || waited >= MetaBeats.interval else { return }
        beats.isDue = false
        beats.isInFlight = true
        beats.last = now.monotonic
        effects.emit(.beat(heartbeat(), sent: beats.last))
    }

    func heartbeat() -> Heartbeat {
        let reports = replicas.indices.filter { replicas[$0].state != .dropped }.map { report($0) }
        let ended = endedReplicas
        return Heartbeat(
            cluster: cluster, node: settings.node, routeVersion: routes.version,
            shards: reports.sorted { $0.id < $1.id }, leaving: beats.isLeaving ? true : nil,
            starts: beats.isRegistered ? nil : settings.starts, ended: ended.isEmpty ? nil : ended)
    }

    private func report(_ index: Int) -> ShardReport {
        let numbers = numbers[index]
        return ShardReport(
            id: ShardID(rawValue: numbers.shard), epoch: replicas[index].configuration.epoch,
            incarnation: replicas[index].store.incarnation, role: role(index), serving: isTakingPart(index),
            active: replicas[index].active, last: Seq(rawValue: numbers.last), lastEpoch: replicas[index].lastEpoch,
            commit: Seq(rawValue: numbers.commit),
            applied: Seq(rawValue: numbers.applied), bytes: replicas[index].bytes)
    }

    func role(_ index: Int) -> ReplicaRole {
        let shard = replicas[index].configuration
        if shard.primary?.node == settings.id { return .primary }
        return shard.member(on: settings.id) != nil ? .secondary : .learner
    }

    /// How far a secondary or learner is behind what its primary said last: records that are committed and not known here as
    /// such, and ms since that was said, -1 = not in this epoch. A primary is behind nobody.
    func lag(_ index: Int) -> (records: UInt64, millis: Int64) {
        guard !replicas[index].isLeading else { return (0, 0) }
        let behind = replicas[index].saidCommit > numbers[index].commit
        let heard = replicas[index].heardAt
        return (
            behind ? replicas[index].saidCommit - numbers[index].commit : 0,
            heard == 0 ? -1 : Int64((now.monotonic - heard) / 1_000_000)
        )
    }

    /// A primary that may answer; another replica that has its primary's log.
    private func isTakingPart(_ index: Int) -> Bool {
        if numbers[index].isServing { return true }
        return replicas[index].state == .following && replicas[index].isReconciled
            && replicas[index].active == replicas[index].configuration.epoch
    }

    /// - Parameter sent: when the beat left that is answered, ns: after a pause that may be one before the last.
    mutating func noteBeatAnswer(_ answer: HeartbeatAnswer, sent: UInt64) {
        beats.isInFlight = false
        if let refusal = answer.refusal {
            if beats.refusal != refusal {
                effects.emit(note(.error, "the metadata group does not accept this node: \(refusal)"))
            }
            beats.refusal = refusal
            beats.retryAt = now.monotonic + (answer.retryAfterMillis ?? 1000) * 1_000_000
            beats.isDue = true
            return
        }
        if let cluster, cluster != answer.cluster {
            effects.emit(note(.error, "metasrv belongs to cluster \(answer.cluster), this directory to \(cluster)"))
            return
        }
        beats.refusal = nil
        if let wall = answer.wall { hearWall(wall, from: .metadataGroup, sent: sent) }
        if !beats.isRegistered {
            beats.isRegistered = true
            cluster = answer.cluster
            effects.emit(note(.info, "registered in cluster \(answer.cluster)"))
        }
        if let delta = answer.delta { noteRoutes(delta) }
        beats.answered = max(beats.answered, sent)
        resumeParked { if case .lookup = $0 { true } else { false } }
    }
}
