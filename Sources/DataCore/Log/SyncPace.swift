/// How long batches took lately until they were durable here, the one that waits longest now included: what a node says of its
/// own disk (RULES H4).
struct SyncPace {
    /// The longest of the span that runs, and of the one before, ns.
    private var current: UInt64 = 0
    private var former: UInt64 = 0
    /// When the span that runs began, ns.
    private var began: UInt64 = 0

    /// - Parameter span: ns; what took long is remembered for one to two of them.
    mutating func note(_ waited: UInt64, now: UInt64, span: UInt64) {
        let passed = passed(now)
        if passed >= span {
            former = passed < 2 * span ? current : 0
            current = 0
            began = now
        }
        current = max(current, waited)
    }

    /// ns.
    /// - Parameter waits: how long the batch waits that waits longest, ns; 0 = none does.
    func slowest(waits: UInt64, now: UInt64, span: UInt64) -> UInt64 {
        let passed = passed(now)
        return passed >= 2 * span ? waits : max(waits, current, passed < span ? former : 0)
    }

    private func passed(_ now: UInt64) -> UInt64 { now > began ? now - began : 0 }
}
