internal import Logging

/// How long a start took, by its parts: what a shard whose only copy is on this node waits for.
final class StartTimes {
    private var last = Clocks.monotonic()
    private var parts: [String] = []

    /// Notes that a part is done; it began when the one before ended.
    func note(_ part: String) {
        let now = Clocks.monotonic()
        parts.append("\(part) \((now - last) / 1_000_000) ms")
        last = now
    }

    /// One line of all parts.
    func tell(_ logger: Logger) { logger.info("recovered: \(parts.joined(separator: ", "))") }
}
