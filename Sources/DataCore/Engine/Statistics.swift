/// Counters since start, for INFO and /metrics.
struct Statistics {
    var commands = [UInt64](repeating: 0, count: 256)
    var total: UInt64 = 0
    var errors: UInt64 = 0
    var hits: UInt64 = 0
    var misses: UInt64 = 0
    var loads: UInt64 = 0
    var expired: UInt64 = 0
    var connections: UInt64 = 0
    var rejectedConnections: UInt64 = 0
    var corrections: UInt64 = 0
    var forwards: UInt64 = 0
    var steps: UInt64 = 0
    /// ms since 1970.
    var started: Int64 = 0

    @inline(__always) mutating func count(_ id: CommandID) {
        commands[Int(id.rawValue)] &+= 1
        total &+= 1
    }
}
