/// How long commands took, by command: a histogram with a bucket for each power of two of microseconds.
struct LatencyTable {
    /// Bucket `i` holds what took at most 2^i µs; the last one all that took longer.
    static let buckets = 26
    /// Upper ends in µs, of all buckets but the last.
    static let bounds: [UInt64] = (0..<buckets - 1).map { 1 << UInt64($0) }

    private var counts: [UInt64]
    /// ns in all by command.
    private(set) var nanoseconds: [UInt64]

    init() {
        counts = [UInt64](repeating: 0, count: 256 * Self.buckets)
        nanoseconds = [UInt64](repeating: 0, count: 256)
    }

    /// `count` runs of a command that took so long each.
    mutating func add(_ command: Int, count: UInt64, nanoseconds each: UInt64) {
        counts[command * Self.buckets + Self.bucket(of: each)] &+= count
        nanoseconds[command] &+= each &* count
    }

    static func bucket(of nanoseconds: UInt64) -> Int {
        guard nanoseconds > 1000 else { return 0 }
        let micros = (nanoseconds - 1) / 1000
        return min(UInt64.bitWidth - micros.leadingZeroBitCount, buckets - 1)
    }

    func histogram(_ command: Int) -> [UInt64] {
        Array(counts[command * Self.buckets..<(command + 1) * Self.buckets])
    }

    /// The upper end in µs of the bucket that holds this share of all runs of a command.
    func percentile(_ share: Double, _ command: Int) -> UInt64 {
        let histogram = histogram(command)
        let wanted = UInt64(Double(histogram.reduce(0, +)) * share)
        var seen: UInt64 = 0
        for (index, count) in histogram.enumerated() {
            seen += count
            if seen > 0, seen >= wanted { return 1 << UInt64(index) }
        }
        return 0
    }
}
