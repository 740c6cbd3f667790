#if OSTRAKA_TEST_CLOCK
    internal import Foundation

    /// A clock that runs fast or slow, in programs built for the chaos test alone (`-DOSTRAKA_TEST_CLOCK`, with a --scratch-path
    /// of their own): $OSTRAKA_TEST_CLOCK_RATE is the rate, 1.03 being 3 % fast. No other build reads it.
    enum ClockRate {
        private static let rate =
            ProcessInfo.processInfo.environment["OSTRAKA_TEST_CLOCK_RATE"].flatMap { Double($0) } ?? 1
        private static let origin = Clocks.trueMonotonic()

        static func drifted(_ time: UInt64) -> UInt64 {
            // The origin is read at the first call, so that this call's time may lie just before it.
            let elapsed = Double(Int64(time) - Int64(origin)) * rate
            return UInt64(Int64(origin) + Int64(elapsed))
        }
    }
#endif
