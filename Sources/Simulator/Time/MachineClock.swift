import ClusterModel

/// The clocks of one machine as they show the world's time: a rate of their own, a wall that jumps.
struct MachineClock {
    /// Its seconds in one of the world's: 0.95 ... 1.05 (RULES A3).
    private(set) var rate = 1.0
    /// The world's time, ns, and what the monotonic clock showed then.
    private var origin: UInt64 = 0
    private var base: UInt64
    /// ms that the wall is ahead of the world's.
    var wallOffset: Int64 = 0

    /// 2023-11-14 in ms since 1970: where the world's wall begins.
    static let epoch: Int64 = 1_700_000_000_000

    init(base: UInt64, rate: Double) {
        self.base = base
        self.rate = rate
    }

    /// Both clocks at a time of the world, ns.
    func tick(at time: UInt64) -> Tick {
        Tick(monotonic: monotonic(at: time), wall: Self.epoch + Int64(time / 1_000_000) + wallOffset)
    }

    private func monotonic(at time: UInt64) -> UInt64 {
        base &+ UInt64(Double(time &- origin) * rate)
    }

    /// Begins again from another value, as a machine that was switched on does.
    mutating func restart(at time: UInt64, base: UInt64) {
        origin = time
        self.base = base
    }

    /// Shows a time that is over once more: the clock stood still for so long, ns.
    mutating func setBack(by time: UInt64) { base -= min(base, UInt64(Double(time) * rate)) }

    mutating func setRate(_ rate: Double, at time: UInt64) {
        base = monotonic(at: time)
        origin = time
        self.rate = rate
    }
}
