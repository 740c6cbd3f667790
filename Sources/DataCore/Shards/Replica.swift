import ClusterModel

/// The numbers of one replica that every command reads; plain data.
struct ReplicaNumbers {
    var shard: UInt64
    var incarnation: UInt64
    /// The configuration's epoch: the one its records carry.
    var epoch: UInt64
    /// Last record logged.
    var last: UInt64
    /// Last record durable here.
    var durable: UInt64
    /// Last record committed.
    var commit: UInt64
    /// Last record that the applier was let at.
    var told: UInt64 = 0
    /// Last record the store holds.
    var applied: UInt64
    /// Last record that flushed the shard: older rows are void.
    var flushed: UInt64
    /// The epoch-start record of the current epoch; nothing is served before it commits (RULES C2).
    var start: UInt64
    /// Largest time logged, ms since 1970 (RULES A13).
    var time: Int64
    /// Last record that was sent on to the replicas that are in step.
    var streamed: UInt64 = 0
    /// Whether it passes the serve check: its epoch-start record is committed and its leases last (checked against the clock
    /// before and after each turn, RULES A1).
    var isServing: Bool
    /// Whether it is a secondary that may answer reads, by its lease or since they may be old.
    var mayRead = false
    /// Whether its members are enough for writes (RULES C10).
    var isWritable = true
    /// Its role was lost: records above `commit` will not be answered from here.
    var isLost: Bool
    var usesSlots: Bool
    /// Whether a record of kind data was ever logged: a shard that never held a row can start elsewhere without its log.
    var hasData: Bool
    /// The ticket of the last batch it has a record in.
    var ticket: UInt64
}

/// One replica this node holds.
struct Replica {
    enum State: Equatable {
        /// Promised and its epoch-start record logged, not yet committed; or waiting for the former primary's release.
        case starting
        /// Its epoch-start record is committed; whether it may answer just now is told by `ReplicaNumbers.isServing`.
        case serving
        /// Secondary or learner.
        case following
        /// No longer primary here; its store is kept until what follows it is active.
        case stopped
        case dropped
    }

    var store: StoreID
    var configuration: ShardConfiguration
    var state: State
    /// Number of its keyspace, as rows carry it.
    var keyspace: UInt32
    /// The epoch whose epoch-start record is committed here (RULES C7).
    var active: Epoch
    /// Bytes of the store, approximately.
    var bytes: UInt64 = 0
    /// Waits for the former primary's word before it starts (RULES C13).
    var awaitsRelease = false
    /// The epoch of the primary that is to release it.
    var formerEpoch = Epoch.none
    /// The epoch of the last record.
    var lastEpoch: Epoch
    /// Where its log has which epochs, ascending (RULES C1).
    var epochs: [EpochStart] = []
    /// The epoch of the last record that was sent on.
    var streamedEpoch = Epoch.none
    /// The lowest epoch it may take part in: it was sealed below (RULES C7).
    var sealedBelow = Epoch.none
    /// The ticket of the batch with its last promise: nothing is granted or acknowledged before that is durable (RULES C3).
    var promiseTicket: UInt64 = 0

    // As primary
    /// The others of its configuration: members in chain order, then learners.
    var followers: [Follower] = []
    /// When the epoch was adopted here, ns.
    var adopted: UInt64 = 0
    /// Whether its epoch-start record is logged.
    var hasBegun = false
    var proposal: PendingProposal?
    /// Since when the disk here has been far slower than those of the other members, ns; 0 = it is not (RULES H4).
    var slowSince: UInt64 = 0
    /// Nothing is committed before then, ns: members that were left out may still answer reads (RULES A9).
    var readersGone: UInt64 = 0

    // As secondary or learner
    /// Its log is a prefix of the primary's, in this epoch.
    var isReconciled = false
    /// Every grant it gave, times 1.25, has lapsed by then, ns; outlives epochs (RULES A7).
    var boundUntil: UInt64 = 0
    /// Its read lease of this epoch ends then, ns.
    var readUntil: UInt64 = 0
    /// The commit point its primary told last.
    var saidCommit: UInt64 = 0
    /// When its primary was heard last, ns; 0 = not yet in this epoch.
    var heardAt: UInt64 = 0
    /// It does not ask to take over before, ns.
    var patientUntil: UInt64 = 0
    var candidacy: Candidacy?
    var learned = Learned()
    /// The last chunk of a snapshot, until the store holds it.
    var lesson: SnapshotChunk?

    /// Whether it takes no part in its epoch any more (RULES C7).
    var isSealed: Bool { configuration.epoch < sealedBelow }
    /// Whether there are other replicas of it.
    var isShared: Bool { configuration.members.count + configuration.learners.count > 1 }
    var isLeading: Bool { state == .serving || state == .starting }

    /// The epoch of a record of its log.
    func epoch(of seq: UInt64) -> Epoch {
        epochs.last { $0.first.rawValue <= seq }?.epoch ?? .none
    }
}
