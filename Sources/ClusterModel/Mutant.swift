/// A law of RULES.md that is broken on purpose, so that the simulator can be seen to notice: one case for each way to break
/// one, named by its law.
///
/// The places that break it ask `isOn`. That is the constant `false`, and the break is no part of the program, unless the
/// sources are compiled with `-DOSTRAKA_MUTANTS`; then one mutant at a time may be activated in a process. This file alone
/// may know of that flag.
public enum Mutant: String, CaseIterable, Sendable {
    // MARK: A. Leases and time

    /// A1: whether a primary serves is a flag that its timer sets: woken from a pause it answers before the timer runs.
    case a1FlagSetByTimer
    /// A1: the lease that a primary begins to serve by is looked at from the next grant on.
    case a1LeaseBeginsUnseen
    /// A1: the clock is not looked at again between the value and the answer.
    case a1NoSecondLook
    /// A1: that look keeps back what would go out right away, and not what was read behind a write that waits.
    case a1TrustsHeldReplies
    /// A2: a lease runs from when the grant was received, not from when the beat that it answers was sent.
    case a2CountsFromReceipt
    /// A2: a late grant is taken for the answer to the newest beat.
    case a2AnswersNewestBeat
    /// A3: a grantor is bound as long as the holder's lease runs by its own clock: no margin for drift.
    case a3NoMarginForDrift
    /// A4: leases are counted by a clock that stands still while the machine is suspended.
    case a4ClockStopsInSuspend
    /// A5: an acknowledgement of records counts as a grant.
    case a5AckCountsAsGrant
    /// A6: a node that starts does not hold that it granted anything.
    case a6ForgetsGrantsAtStart
    /// A7: a new primary begins its epoch whatever it granted in earlier ones.
    case a7BeginsAtOnce
    /// A7: what was granted is forgotten when a newer epoch is adopted.
    case a7GrantsEndWithEpoch
    /// A8: a member is sealed though its grant to the primary runs.
    case a8SealsWhileBound
    /// A9: a secondary that may answer reads goes on when its lease is over.
    case a9ReadsForEver
    /// A9: a read lease runs from when the beat was received that gives it.
    case a9ReadLeaseFromReceipt
    /// A10: with ack below all a primary needs nobody's grants but its own.
    case a10LivesAlone
    /// A11: a holder counts its own length of a lease, whatever the grantor granted.
    case a11OwnLengthOfLease
    /// A11: a holder asks again by its own length of a lease, when a shorter one may be over.
    case a11BeatsByOwnLength
    /// A12: a grant is for whatever epoch is asked for, and whoever asks.
    case a12GrantsAnyEpoch
    /// A13: deadlines go by the wall of the machine, however far that of all others is off.
    case a13TrustsOwnWall
    /// A13: what another's wall showed is taken for now, however long it waited here.
    case a13BelievesLateWalls
    /// A13: a secondary says by its own time that a value has gone.
    case a13SecondaryDecides

    // MARK: B. Shared log and metadata fail-over

    /// B1: a primary goes on though another metasrv has the slot.
    case b1GoesOnWhenDeposed
    /// B2: a call on the log whose outcome is unknown is taken for done.
    case b2UnknownIsDone
    /// B4: what waits for the log is told, and acted on, before it is durable there.
    case b4TellsBeforeDurable
    /// B6: a slot below the floor is claimed once more, because its name is free again.
    case b6ClaimsTrimmedSlot
    /// B6: a reader that meets a gap reads on behind it.
    case b6SkipsGap
    /// B7: a standby that lost its claim holds that it won.
    case b7LoserServes
    /// B9: a standby that the data nodes turn to does not claim the next term.
    case b9NobodyStandsAside
    /// B10: a proposal that has won is refused when it is asked for once more.
    case b10RefusesOwnSuccess

    // MARK: C. Replication log and configuration

    /// C1: a replica cuts its log at its own commit point.
    case c1CutsAtCommit
    /// C1: two logs are held to be the same as far as the shorter one goes.
    case c1ComparesLengthsAlone
    /// C2: a new primary serves before its epoch-start record is committed.
    case c2ServesBeforeStart
    /// C3: answers in a new epoch are given before its promise is durable.
    case c3AnswersBeforePromise
    /// C4: a secondary asks to take over while its grant to the primary runs.
    case c4AsksWhileBound
    /// C5: a learner is promoted before it has caught up.
    case c5PromotesUntaught
    /// C6: a learner that is being promoted does not count for commits.
    case c6PromotionDoesNotCount
    /// C7: one member that is sealed is enough.
    case c7SealsTooFew
    /// C7: only the newest configuration is sealed, whether it was active or not.
    case c7SealsNewestAlone
    /// C8: records of earlier epochs commit without the start record of this one.
    case c8CommitsOlderEpochs
    /// C9: a commit point is adopted by a log that was not reconciled in its epoch.
    case c9AdoptsBeforeReconciled
    /// C9: a restarted node takes all of its log for committed.
    case c9ReplayIsCommitted
    /// C10: writes are accepted with fewer members than min-in-sync.
    case c10WritesBelowMinInSync
    /// C11: a restarted primary goes on in its epoch.
    case c11ResumesEpoch
    /// C12: a primary does not wait for its own sync.
    case c12CommitsBeforeOwnSync
    /// C13: a hand-over's target begins before the former primary has released the shard at a record that it has.
    case c13BeginsUnreleased
    /// C14: a new copy goes by the number of one that has ended.
    case c14ReusesNumbers
    /// C15: a start brings back rows of records that were cut off the log.
    case c15ReplaysCutRecords
    /// C16: a node that did not stop cleanly, and had not synced what it acknowledged, goes on as a member.
    case c16TrustsUnsynced
    /// C16: where all members did so the former primary leads, whatever its log has lost.
    case c16KeepsPrimary
    /// C17: a configuration with fewer members than min-in-sync is asked for, and accepted.
    case c17KeepsTooFew
    /// C17: with ack=all a member that lacks more than the log has stays where too few would be left.
    case c17KeepsLeftBehind
    /// C18: a reply computed from a record that is not committed does not wait for it.
    case c18AnswersFromPending

    // MARK: D. Chain and reads

    /// D1: a record behind a gap is logged.
    case d1LogsBehindGap
    /// D1: what a replica lacks is not sent again.
    case d1SendsOnce
    /// D2: the head counts the member behind it alone.
    case d2CountsFirstHopAlone
    /// D5: a snapshot is said to stand for records that the store does not hold yet.
    case d5SnapshotOfUnapplied
    /// D6: a walk over a shard's rows does not wait for records that the store lacks.
    case d6WalksDoNotWait
    /// D7: reads of secondaries may be older than what the connection itself wrote.
    case d7ForgetsOwnWrites

    // MARK: E. Storage

    /// E1: a secondary acknowledges what its log has not synced.
    case e1AcknowledgesUnsynced
    /// E1: a log says that a batch is durable before it is synced.
    case e1DurableBeforeSync
    /// E2: a sync that failed counts as done.
    case e2GoesOnAfterFailedSync
    /// E2: a start takes for durable what it reads behind a sync that failed.
    case e2TrustsWhatItReads
    /// E3: recovery passes over a torn batch and goes on behind it.
    case e3PassesOverTornBatch
    /// E3: a batch says that what was written before it is synced, though it is not.
    case e3ClaimsSynced
    /// E3: a copy that the map says is here, and of which a damaged log tells nothing, is made anew.
    case e3MakesUnknownReplicas
    /// E3: a promise that names records which the log lacks is no sign that it lost them.
    case e3TrustsLonePromises
    /// E3: a member whose node has lost its copy stays a member.
    case e3KeepsEndedMembers
    /// E5: segments of the log are deleted when the stores hold their records, though not in table files.
    case e5DeletesUnflushed
    /// E6: a write to a store that failed counts as done.
    case e6GoesOnAfterFailedWrite
    /// E6: what lets the stores grow is taken though the disk's reserve is reached.
    case e6GrowsBelowReserve
    /// E7: the directory of a new segment is not synced.
    case e7DirectoryNotSynced
    /// E8: a new segment begins without the shards' control state.
    case e8NoCheckpoint
    /// E8: a start waits for records of replicas' lives that ended before it, and their segments never go.
    case e8KeepsEndedLives
    /// E8: nothing settles the configurations for which a copy that was left out is kept, and it keeps its node's log.
    case e8SettlesNothing
    /// E8: a copy that was left out goes when it hears of that, and never later: one whose end was not logged stays.
    case e8KeepsLeftCopies

    // MARK: G. Clients

    /// G1: a gateway sends a write again that may have run.
    case g1ResendsWrites
    /// G1: what a link holds that did not open in time is sent when it does, though it was said that nothing was sent.
    case g1SendsWhatWasGivenUp
    /// G2: a write that may have run is said to be refused.
    case g2UnknownIsRefused
    /// G3: a reply that is ready overtakes one that waits.
    case g3ReplyOvertakes
    /// G3: what is sent to a session that refused commands begins at attempt 0 again, and is taken for one behind those.
    case g3AttemptsBeginAnew
    /// G4: a write does not end a transaction that watches its key.
    case g4WritesUnseen

    // MARK: H. Nodes and network

    /// H1: a node that comes back with less than it had is taken for what it was.
    case h1TrustsOldData
    /// H1: what nodes had is forgotten with the metasrv that heard it.
    case h1ForgetsStarts
    /// H1: a node asks to take over, and is sealed, before the metadata group knows of its start.
    case h1SpeaksUnknown
    /// H2: another process of a store that is registered is registered in its place at once.
    case h2AcceptsRivals
    /// H3: a node that a primary does not reach is tried again at once, each time.
    case h3TriesAtOnce
    /// H4: a member whose disk is far slower than the others' stays a member.
    case h4KeepsSlowMembers
    /// H5: copies of a lost node are not rebuilt.
    case h5RebuildsNothing
    /// H5: copies of nodes that were lost together are made elsewhere at once.
    case h5RebuildsAfterMassLoss

    // MARK: Invariants that no other law is about

    /// I19: records are streamed to a node however many wait for the way there.
    case i19StreamsWithoutBound
    /// I19: a secondary takes records however far its store is behind.
    case i19KeepsWithoutBound

    /// The law that it breaks, as RULES.md names it: `A1` ... `H8`, or the invariant, `I19`.
    public var law: String {
        let digits = rawValue.dropFirst().prefix(while: \.isNumber)
        return rawValue.prefix(1).uppercased() + digits
    }

    #if OSTRAKA_MUTANTS
        /// Whether this program can break laws at all.
        public static let areCompiledIn = true
        nonisolated(unsafe) private static var active: Mutant?

        /// Whether this process breaks the law in this way.
        public var isOn: Bool { unsafe Mutant.active == self }

        /// Breaks a law from now on; nil = keeps all. To be called before anything runs.
        public static func activate(_ mutant: Mutant?) { unsafe active = mutant }
    #else
        /// Whether this program can break laws at all.
        public static let areCompiledIn = false
        /// Whether this process breaks the law in this way: never.
        @inlinable @inline(__always) public var isOn: Bool { false }

        /// Does nothing: no mutant is compiled in.
        public static func activate(_ mutant: Mutant?) {}
    #endif
}
