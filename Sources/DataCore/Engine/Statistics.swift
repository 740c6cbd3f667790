import ClusterModel

/// Counters since start or since CONFIG RESETSTAT, for INFO and /metrics.
struct Statistics {
    var commands = [UInt64](repeating: 0, count: 256)
    /// Commands that were answered with an error: before they ran, and by themselves.
    var rejected = [UInt64](repeating: 0, count: 256)
    var failed = [UInt64](repeating: 0, count: 256)
    var total: UInt64 = 0
    var errors: UInt64 = 0
    /// By the word an error reply begins with; bounded, since some of the words come from other nodes.
    private(set) var errorWords: [String: UInt64] = [:]
    var hits: UInt64 = 0
    var misses: UInt64 = 0
    var loads: UInt64 = 0
    var expired: UInt64 = 0
    var connections: UInt64 = 0
    var rejectedConnections: UInt64 = 0
    var corrections: UInt64 = 0
    /// Records that this node acknowledged with ack=one and that no primary has.
    var lostRecords: UInt64 = 0
    var forwards: UInt64 = 0
    var steps: UInt64 = 0
    /// ms since 1970.
    var started: Int64 = 0
    /// The same by the monotonic clock, ns: how long it runs does not go by a wall that jumps.
    var boot: UInt64 = 0

    var latencies = LatencyTable()
    var slowLog = SlowLog()
    /// What `latencies` was told of so far.
    private var noted = [UInt64](repeating: 0, count: 256)
    private var notedTotal: UInt64 = 0

    /// Commands a second, by the last full second.
    private(set) var rate: UInt64 = 0
    private var sampled: (at: UInt64, total: UInt64) = (0, 0)
    /// The most memory INFO ever saw, bytes.
    var peakMemory = 0

    @inline(__always) mutating func count(_ id: CommandID) {
        commands[Int(id.rawValue)] &+= 1
        total &+= 1
    }

    /// Nothing of a counted command was done: it is tried again later, and counted then.
    mutating func uncount(_ id: CommandID) {
        commands[Int(id.rawValue)] &-= 1
        total &-= 1
    }

    /// An error reply. `text` is its beginning, behind the `-`.
    @inline(never)
    mutating func noteError(_ text: ByteView, of command: CommandID?, wasRun: Bool) {
        errors &+= 1
        if let command {
            if wasRun { failed[Int(command.rawValue)] &+= 1 } else { rejected[Int(command.rawValue)] &+= 1 }
        }
        var end = 0
        while end < text.count, text[end] > 32 { end += 1 }
        let word = text[0..<end].text
        if errorWords[word] != nil || errorWords.count < 128 { errorWords[word, default: 0] &+= 1 }
    }

    /// Spreads the time that a step took evenly over the commands counted since the last call. Returns the share.
    mutating func noteStep(nanoseconds: UInt64) -> UInt64 {
        let ran = total &- notedTotal
        guard ran > 0 else { return 0 }
        notedTotal = total
        let share = nanoseconds / ran
        for command in 0..<CommandID.count where commands[command] != noted[command] {
            latencies.add(command, count: commands[command] &- noted[command], nanoseconds: share)
            noted[command] = commands[command]
        }
        return share
    }

    /// To be called now and then, with the time in ns.
    mutating func sampleRate(at time: UInt64) {
        let passed = time &- sampled.at
        guard passed >= 1_000_000_000 else { return }
        rate = sampled.at == 0 ? 0 : (total &- sampled.total) * 1000 / (passed / 1_000_000)
        sampled = (time, total)
    }

    /// CONFIG RESETSTAT: the slow log and its bounds stay.
    mutating func reset() {
        var fresh = Statistics()
        fresh.started = started
        fresh.boot = boot
        fresh.slowLog = slowLog
        fresh.peakMemory = peakMemory
        fresh.steps = steps
        fresh.sampled = (sampled.at, 0)
        self = fresh
    }
}

extension CommandID {
    /// Numbers in use.
    static let count = CommandID.allCases.count
}
