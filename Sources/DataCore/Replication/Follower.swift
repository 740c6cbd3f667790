import ClusterModel

/// Another replica of a shard, as the shard's primary sees it in one epoch.
struct Follower {
    var member: Member
    var isLearner: Bool
    /// The primary has asked for its promotion: it counts as a member until a higher epoch is known (RULES C6).
    var isPromoting = false
    /// Its log was found to be a prefix of the primary's in this epoch.
    var isReconciled = false
    /// When it was last asked to reconcile, ns; 0 = not yet.
    var asked: UInt64 = 0
    /// What its answer has to name; 0 = it was not asked since the way to it was last lost.
    var nonce: UInt64 = 0
    /// Last record durable there.
    var acked: UInt64 = 0
    /// Last record sent, if all before it were.
    var sent: UInt64 = 0
    /// Its last record as it said at the beat before: no progress between two beats means that something got lost.
    var saidLast: UInt64 = 0
    /// The commit point it was told last.
    var toldCommit: UInt64 = 0
    /// Its lease runs until then, ns, counted from the send time of the beat it answered (RULES A2).
    var grantUntil: UInt64 = 0
    /// It may answer reads until then, ns, by what it was given; counted a quarter longer.
    var readsUntil: UInt64 = 0
    /// Since when its node's disk has been far slower than the others', ns; 0 = it is not (RULES H4).
    var slowSince: UInt64 = 0
    /// It may not be promoted before it has this record: rows it was taught may stem from any up to it.
    var mustReach: UInt64 = 0
    /// A walk over the store that it learns from.
    var lesson: Lesson?
    /// The search of the log for what it lacks that is under way; 0 = none.
    var search: UInt64 = 0
    /// Where that log goes on behind what the last search found; nil = not known.
    var foundAt: LogOffset?

    /// Whether commit and the serve check count it.
    var counts: Bool { !isLearner || isPromoting }

    init(member: Member, isLearner: Bool) {
        self.member = member
        self.isLearner = isLearner
    }
}

/// A snapshot on its way to a learner.
struct Lesson {
    /// Which lesson of the epoch.
    var lesson: UInt64
    /// The walk under way, 0 = the learner's answer is awaited.
    var walk: UInt64
    var base: UInt64
    var baseEpoch: UInt64
    var epochs: [EpochStart]
    /// Chunks sent.
    var number: UInt64 = 0
    /// Where the walk goes on; nil = it has ended.
    var next: [UInt8]?
}

/// How far a learner has come in which lesson of its epoch. Chunks of an earlier one may still arrive, by a link that is
/// given up: they would empty the store under the later one.
struct Learned: Equatable {
    var lesson: UInt64 = 0
    /// Chunks given to the store.
    var chunks: UInt64 = 0

    func continues(with chunk: SnapshotChunk) -> Bool {
        chunk.lesson == lesson ? chunk.number == chunks : chunk.lesson > lesson && chunk.number == 0
    }
}

/// Whom a walk over a store, or a search of the log, is for.
struct LessonWalk {
    var replica: Int
    var node: NodeID
}

/// A proposal to the metadata group that has no known end yet.
struct PendingProposal {
    var request: ReconfigureRequest
    /// When it was last sent, ns.
    var sent: UInt64
    /// Whether that waits for its answer: until then it is not sent again.
    var isAsked = true
}

/// A secondary that asks around before it takes over.
struct Candidacy {
    var nonce: UInt64
    var began: UInt64
    /// Members whose grants to the primary have lapsed, too.
    var granted: [NodeID] = []
    /// Members that have not answered.
    var voters: [NodeID]
    /// With ack below all: the configurations of which enough members must be sealed; empty = none.
    var electorates: [Electorate] = []
    /// Whether they are being sealed; before that they are only asked.
    var seals = false
    /// Who is sealed, this one included once that is durable.
    var sealed: [ReconfigureRequest.Seal] = []
}

/// A follower's word that it is reconciled, sealed, or has a whole snapshot: it waits until its log has that durably.
struct HeldAnswer {
    var ticket: UInt64
    /// The last chunk of a snapshot; nil = the word is that it is reconciled.
    var chunk: UInt64?
    var node: NodeID
    var replica: Int
    var epoch: UInt64
    /// Of the question it answers, or the lesson.
    var nonce: UInt64 = 0
    /// The poll that asked for the seal; nil = it is reconciled.
    var sealedFor: TakeoverPoll?
}

/// What the node's replicas have to do with other nodes.
struct ReplicationState {
    /// Messages of this turn by node.
    var outbox: [NodeID: ReplicaBatch] = [:]
    /// Answers that wait until a batch is durable (RULES C3), in the order of their tickets.
    var held: [HeldAnswer] = []
    var beats: [NodeID: BeatLine] = [:]
    /// Replicas the clock has work for: with other replicas elsewhere, or waiting to begin, by index.
    var shared: [Int] = []
    /// The soonest end of a lease that a serving primary here lives by, ns; `max` = none does.
    var earliestLease = UInt64.max
    /// Batches that were applied and are kept for those who lag.
    var history = BatchHistory()
    var nextNonce: UInt64 = 1
    /// Walks and searches for followers, by their number.
    var lessons: [UInt64: LessonWalk] = [:]
    /// The last ticket that is durable.
    var durableTicket: UInt64 = 0
    /// Acknowledgements of this turn by node.
    var acks: [NodeID: [Reconciled]] = [:]
    var nextBeat: UInt64 = 0
    /// Nodes for which so much waits that no records are streamed there.
    var clogged: Set<NodeID> = []

    /// What goes to one node and comes from it.
    struct BeatLine {
        /// Nonces and send times of the last beats, newest last.
        var sent: [(nonce: UInt64, at: UInt64)] = []
        /// Nonces and send times of the last answers to that node's beats, newest last.
        var granted: [(nonce: UInt64, at: UInt64)] = []
        /// The nonce of its newest answer, and when that came, ns; 0 = none did.
        var heard: UInt64 = 0
        var heardAt: UInt64 = 0
        /// ns that batches take there until they are durable, as it says.
        var pace: UInt64 = 0
        /// The length of the lease that it gave there, ms.
        var grantedMillis = UInt64.max
    }
}
