/// A kind of trouble. Each is off in a third of the seeds, so that the others are met alone too.
public enum FaultClass: String, CaseIterable, Sendable {
    // Network
    /// Packets are lost and come by retransmission; connections are reset.
    case loss
    /// Long ways, and now and then a hundred times longer.
    case delay
    /// Machines are cut from each other: one, halves, a bridge, one way only.
    case partition

    // Processes and machines
    /// kill -9 of a data node.
    case kill
    /// kill -9 of all data nodes but one, which start again at once.
    case massKill
    /// One is asked to stop, and does.
    case leave
    /// Loss of power of a data node.
    case power
    /// Loss of power of all data nodes at once.
    case blackout
    /// SIGSTOP of a data node, also between a step and its effects.
    case pause
    /// A data node does everything 10 to 300 times slower.
    case slow

    // Time
    /// Clocks run up to 5 % too fast or slow.
    case drift
    /// Walls jump by up to an hour.
    case wallJump

    // Disk
    /// At a loss of power sectors of unsynced batches persist each on its own, or are garbage.
    case tornWrites
    /// Syncs of a node take up to a thousand times longer.
    case slowDisk
    /// A bit of a node's log goes bad while the node is down.
    case rot
    /// Others fill a node's disk, for a while.
    case fullDisk
    /// A sync of a node's log fails; what of it is on the disk is left to chance.
    case failedSync
    /// A node comes back with the directory it had some time ago.
    case oldDirectory

    // Metadata group
    case metaKill
    case metaPause
    /// Calls on the shared log fail, or succeed and nobody learns it.
    case sharedLog
    /// Few entries between two snapshots.
    case snapshots

    // Movement
    /// Roles are handed over, copies are added and removed.
    case movement

    // Own code
    /// Nodes are given leases of different lengths.
    case unequalLeases
    /// Tiny log segments.
    case tinySegments
    /// No room for rows in memory, little for what waits for the stores.
    case smallMemory
    /// One command of a connection in a turn, one batch of the log in a sync.
    case smallBatches

    // Clients
    /// Requests are abandoned: their connection is closed behind them.
    case abandon
    /// Clients wait less than a lease or two for a reply, then ask another node.
    case impatience
    /// Half of all commands are for one key.
    case hotKey
    /// Some values of up to 1 MiB.
    case bigValues
    /// Many commands in one piece.
    case pipelines
    /// Values that go at a time.
    case deadlines
    /// WATCH, MULTI and EXEC.
    case watches
}

/// Which kinds of trouble a seed has.
public struct FaultPlan: Sendable {
    public let seed: UInt64
    /// Off whatever the seed says.
    public let disabled: Set<FaultClass>
    /// On whatever the seed says, unless disabled.
    public let forced: Set<FaultClass>

    public init(seed: UInt64, disabled: Set<FaultClass> = [], forced: Set<FaultClass> = []) {
        self.seed = seed
        self.disabled = disabled
        self.forced = forced
    }

    public func has(_ fault: FaultClass) -> Bool {
        guard !disabled.contains(fault) else { return false }
        if forced.contains(fault) { return true }
        var chance = Chance(seed: seed, stream: "class \(fault.rawValue)")
        return !chance.oneIn(3)
    }

    /// Those it has, in the order of their declaration.
    public var classes: [FaultClass] { FaultClass.allCases.filter { has($0) } }

    /// Whether one machine's wall alone jumps: then the others know the time.
    var jumpsOneWall: Bool {
        var chance = Chance(seed: seed, stream: "one wall")
        return chance.oneIn(2)
    }

    /// How far the time may be off by which deadlines go.
    var wallSlack: WallSlack {
        guard has(.wallJump) else { return WallSlack() }
        let hour: Int64 = 3_600_000
        // What one believes that has heard others, and what its clock may have lost since it heard them.
        return WallSlack(behind: hour, ahead: jumpsOneWall ? 8000 : hour)
    }

    /// The stream a kind draws its own numbers from.
    func chance(_ fault: FaultClass) -> Chance { Chance(seed: seed, stream: "draws \(fault.rawValue)") }
}
