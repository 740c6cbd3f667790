public import ClusterModel

/// A mutant beside the law that it breaks, what favours it, and how soon the simulator sees it.
public struct MutantRow: Sendable {
    public var mutant: Mutant
    /// Seeds that it took when all were last measured, the most of three hunts (`shardsim --mutants --times 3`); 0 = more
    /// than 2,000, nil = a scenario alone shows it.
    public var seeds: Int?
    /// What makes the break matter sooner. What is then seen are the ordinary laws.
    public var favour: Favour

    init(_ mutant: Mutant, _ seeds: Int?, _ favour: Favour = Favour()) {
        self.mutant = mutant
        self.seeds = seeds
        self.favour = favour
    }

    public var law: String { mutant.law }
}

/// A law that has no mutant, why, and which suites test it instead, by their files; none = nothing does.
public struct UncoveredLaw: Sendable {
    public var law: String
    public var reason: String
    public var suites: [String]

    init(_ law: String, _ reason: String, suites: [String] = []) {
        self.law = law
        self.reason = reason
        self.suites = suites
    }
}

/// Which law is broken by what, and how many seeds `shardsim --mutants` needs to see it.
public enum MutantTable {
    /// In the order of their laws.
    public static let rows: [MutantRow] = leases + sharedLog + replication + storage + clients

    public static func row(_ mutant: Mutant) -> MutantRow? { rows.first { $0.mutant == mutant } }

    private static let leases = [
        MutantRow(.a1FlagSetByTimer, 1, .only(.pause, .impatience, .hotKey, replicas: 3, lease: 500)),
        MutantRow(.a1LeaseBeginsUnseen, nil),
        MutantRow(.a1NoSecondLook, 112, .only(.pause, .impatience, .hotKey, replicas: 3, lease: 500)),
        MutantRow(.a1TrustsHeldReplies, nil),
        MutantRow(.a2CountsFromReceipt, 42, .only(.pause, .delay, .partition, replicas: 3, lease: 500)),
        MutantRow(.a2AnswersNewestBeat, 160, .only(.loss, .partition, replicas: 3, lease: 300)),
        MutantRow(.a3NoMarginForDrift, 19, .only(.drift, .partition, replicas: 3, lease: 2000)),
        MutantRow(.a4ClockStopsInSuspend, 1, .only(.pause, replicas: 3, lease: 500)),
        MutantRow(.a5AckCountsAsGrant, 78, .only(.pause, .delay, .partition, replicas: 3, lease: 500)),
        MutantRow(.a6ForgetsGrantsAtStart, 2, .only(.leave, .partition, replicas: 2, minInSync: 1, lease: 2000)),
        MutantRow(.a7BeginsAtOnce, 44, .only(.partition, .movement, replicas: 3, lease: 2000)),
        MutantRow(
            .a7GrantsEndWithEpoch, 150,
            .only(.partition, .delay, .pause, .metaPause, .sharedLog, replicas: 3, lease: 2000)),
        MutantRow(.a8SealsWhileBound, 22, .only(.partition, .hotKey, replicas: 3, ack: .majority, lease: 2000)),
        MutantRow(.a9ReadsForEver, 14, .only(.partition, .impatience, .hotKey, replicas: 3, read: .any, lease: 2000)),
        MutantRow(
            .a9ReadLeaseFromReceipt, 42,
            .only(.partition, .pause, .metaPause, .impatience, .hotKey, replicas: 3, read: .any, lease: 2000)),
        MutantRow(.a10LivesAlone, 8, .only(.partition, .hotKey, replicas: 3, ack: .majority)),
        MutantRow(.a11BeatsByOwnLength, nil),
        MutantRow(.a11OwnLengthOfLease, 6, .only(.unequalLeases, .partition, replicas: 3)),
        MutantRow(.a12GrantsAnyEpoch, 9, Favour([.partition, .kill], replicas: 3, ack: .majority)),
        MutantRow(.a13BelievesLateWalls, nil),
        MutantRow(.a13TrustsOwnWall, 3, .only(.wallJump, .deadlines, replicas: 3)),
        MutantRow(.a13SecondaryDecides, 1, .only(.wallJump, .deadlines, replicas: 3, read: .any)),
    ]

    private static let sharedLog = [
        MutantRow(.b1GoesOnWhenDeposed, 11, Favour([.metaPause, .metaKill], metas: 2)),
        MutantRow(.b2UnknownIsDone, 3, Favour([.sharedLog])),
        MutantRow(.b4TellsBeforeDurable, 1),
        MutantRow(.b6ClaimsTrimmedSlot, 23, .only(.snapshots, .metaPause, .movement, .kill, .massKill, metas: 2)),
        MutantRow(.b6SkipsGap, 11, Favour([.snapshots, .metaPause], metas: 2)),
        MutantRow(.b7LoserServes, 6, Favour([.metaKill, .metaPause], metas: 3)),
        MutantRow(.b9NobodyStandsAside, nil),
        MutantRow(.b10RefusesOwnSuccess, 25, Favour([.sharedLog, .loss])),
    ]

    private static let replication = [
        MutantRow(.c1CutsAtCommit, 3),
        MutantRow(.c1ComparesLengthsAlone, 5, .only(.partition, .pause, replicas: 3)),
        MutantRow(.c2ServesBeforeStart, 1),
        MutantRow(.c3AnswersBeforePromise, 33, .only(.power, .blackout, .slowDisk, .partition, replicas: 3)),
        MutantRow(.c4AsksWhileBound, 3),
        MutantRow(.c5PromotesUntaught, 3),
        MutantRow(.c6PromotionDoesNotCount, 39),
        MutantRow(.c7SealsTooFew, 1, .only(.partition, .kill, replicas: 3, ack: .majority)),
        MutantRow(.c7SealsNewestAlone, 32, .only(.partition, .kill, .movement, replicas: 3, ack: .majority)),
        MutantRow(
            .c8CommitsOlderEpochs, 1,
            .only(.partition, .kill, .massKill, .slowDisk, .smallBatches, replicas: 3, ack: .majority)),
        MutantRow(.c9AdoptsBeforeReconciled, 107),
        MutantRow(.c9ReplayIsCommitted, 3),
        MutantRow(.c10WritesBelowMinInSync, nil),
        MutantRow(.c11ResumesEpoch, 11, .only(.power, .slowDisk, .kill, replicas: 3)),
        MutantRow(.c12CommitsBeforeOwnSync, 1),
        MutantRow(.c13BeginsUnreleased, nil),
        MutantRow(.c14ReusesNumbers, 2, .only(.rot, .movement, replicas: 3)),
        MutantRow(.c15ReplaysCutRecords, nil),
        MutantRow(.c16TrustsUnsynced, nil),
        MutantRow(.c16KeepsPrimary, nil),
        MutantRow(.c17KeepsTooFew, 3),
        MutantRow(.c17KeepsLeftBehind, nil),
        MutantRow(.c18AnswersFromPending, 13),
        MutantRow(.d1LogsBehindGap, 4),
        MutantRow(.d1SendsOnce, 31, .only(.loss, replicas: 3)),
        MutantRow(.d2CountsFirstHopAlone, 2, Favour(replicas: 3, flow: .chain)),
        MutantRow(.d5SnapshotOfUnapplied, 35, .only(.kill, .movement, .slow, .tinySegments, replicas: 3)),
        MutantRow(.d6WalksDoNotWait, 7),
        MutantRow(.d7ForgetsOwnWrites, nil),
    ]

    private static let storage = [
        MutantRow(.e1AcknowledgesUnsynced, 3),
        MutantRow(.e1DurableBeforeSync, 1),
        MutantRow(.e2GoesOnAfterFailedSync, 2, .only(.failedSync, .kill, replicas: 1)),
        MutantRow(.e2TrustsWhatItReads, 4, .only(.failedSync, .power, .blackout, replicas: 1)),
        MutantRow(.e3PassesOverTornBatch, 68, .only(.power, .blackout, .tornWrites, .slowDisk, .hotKey, replicas: 1)),
        MutantRow(.e3ClaimsSynced, 68, .only(.power, .blackout, .tornWrites, .slowDisk, .hotKey, replicas: 1)),
        MutantRow(.e3KeepsEndedMembers, 1, .only(.rot, replicas: 2, minInSync: 2)),
        MutantRow(.e3MakesUnknownReplicas, nil),
        MutantRow(.e3TrustsLonePromises, nil),
        MutantRow(.e5DeletesUnflushed, 2, Favour([.tinySegments, .power, .blackout])),
        MutantRow(.e6GoesOnAfterFailedWrite, 11, .only(.fullDisk, .smallMemory, replicas: 1)),
        MutantRow(.e6GrowsBelowReserve, nil),
        MutantRow(.e7DirectoryNotSynced, 2, Favour([.tinySegments, .power, .blackout])),
        MutantRow(.e8NoCheckpoint, 2, Favour([.tinySegments, .power, .kill])),
        MutantRow(.e8KeepsEndedLives, 4, Favour([.movement, .kill])),
        MutantRow(.e8SettlesNothing, 2, Favour([.movement, .kill], replicas: 3, ack: .majority)),
        MutantRow(.e8KeepsLeftCopies, nil),
    ]

    private static let clients = [
        MutantRow(.g1SendsWhatWasGivenUp, nil),
        MutantRow(.g1ResendsWrites, 15, Favour([.loss, .kill])),
        MutantRow(.g2UnknownIsRefused, 4, Favour([.kill, .pause])),
        MutantRow(.g3ReplyOvertakes, 1, Favour([.pipelines])),
        MutantRow(.g3AttemptsBeginAnew, 11),
        MutantRow(.g4WritesUnseen, 1, .only(.watches, .hotKey)),
        MutantRow(.h1TrustsOldData, nil),
        MutantRow(.h1ForgetsStarts, nil),
        MutantRow(.h1SpeaksUnknown, nil),
        MutantRow(.h2AcceptsRivals, nil),
        MutantRow(.h3TriesAtOnce, nil),
        MutantRow(.h4KeepsSlowMembers, nil),
        MutantRow(.h5RebuildsNothing, 1, Favour([.partition, .kill], replicas: 3)),
        MutantRow(.h5RebuildsAfterMassLoss, nil),
        MutantRow(.i19StreamsWithoutBound, nil),
        MutantRow(.i19KeepsWithoutBound, nil),
    ]

    /// Laws without a mutant.
    public static let uncovered = [
        UncoveredLaw("B3", "the etcd log is no part of a world"),
        UncoveredLaw("B5", "entries of the virtual log are whole", suites: ["FileLogTests"]),
        UncoveredLaw(
            "B8", "no message of a world is forged",
            suites: ["HostilePeerTests", "HostileRequestTests", "CodecTests"]),
        UncoveredLaw(
            "C0", "until an epoch has begun members of the former one are sealed too: without C0 alone nothing is lost"),
        UncoveredLaw("D3", "the same as A9"),
        UncoveredLaw("D4", "a secondary waits for the commit it needs: there are no version queries"),
        UncoveredLaw("E4", "LevelDB itself is no part of a world", suites: ["ShardStoreTests"]),
        UncoveredLaw("F", "movement of ranges is a later step"),
        UncoveredLaw("H6", "connections keep their order and end with a boot", suites: ["StaleMessageTests"]),
        UncoveredLaw("H7", "time and load, not state", suites: ["RetryTests"]),
        UncoveredLaw("H8", "there is one format level", suites: ["DiskPageTests"]),
    ]
}
