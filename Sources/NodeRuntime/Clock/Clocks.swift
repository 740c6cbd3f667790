public import ClusterModel
internal import Glibc

/// The clocks of a process, read here alone.
public enum Clocks {
    /// Nanoseconds of CLOCK_BOOTTIME, which runs on in suspend: the clock of ContinuousClock and of leases (RULES A4).
    @inline(__always) public static func monotonic() -> UInt64 {
        #if OSTRAKA_TEST_CLOCK
            ClockRate.drifted(trueMonotonic())
        #else
            trueMonotonic()
        #endif
    }

    @inline(__always) static func trueMonotonic() -> UInt64 { nanos(of: CLOCK_BOOTTIME) }

    /// Nanoseconds of CLOCK_MONOTONIC: a wait for a condition knows no other clock but the wall.
    static func waiting() -> UInt64 { nanos(of: CLOCK_MONOTONIC) }

    @inline(__always) private static func nanos(of clock: clockid_t) -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Both clocks, as a core takes them.
    @inline(__always) public static func tick() -> Tick {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Tick(monotonic: monotonic(), wall: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }
}
