import ClusterModel

/// The commands that took long, the newest last; bounded by `limit`.
struct SlowLog {
    struct Entry {
        var number: Int64
        /// Seconds since 1970.
        var time: Int64
        var micros: Int64
        /// At most 32, each cut to 128 bytes, as Redis keeps them.
        var arguments: [[UInt8]]
        var address: String
        var name: [UInt8]
    }

    private(set) var entries: [Entry] = []
    private var next: Int64 = 0
    /// µs above which a command is kept; 0 = all, below 0 = none.
    var threshold: Int64 = 10_000
    var limit: Int64 = 128 {
        didSet { trim() }
    }

    func wants(nanoseconds: UInt64) -> Bool {
        threshold >= 0 && nanoseconds / 1000 >= UInt64(threshold) && limit > 0
    }

    mutating func add(time: Int64, nanoseconds: UInt64, arguments: [[UInt8]], address: String, name: [UInt8]) {
        entries.append(
            Entry(
                number: next, time: time, micros: Int64(clamping: nanoseconds / 1000), arguments: arguments,
                address: address, name: name))
        next += 1
        trim()
    }

    mutating func removeAll() { entries = [] }

    private mutating func trim() {
        if entries.count > limit { entries.removeFirst(entries.count - Int(max(limit, 0))) }
    }

    static let argumentLimit = 32
    static let byteLimit = 128

    /// What of a command's arguments is kept; secrets are not.
    static func kept(count: Int, _ argument: (Int) -> ByteView) -> [[UInt8]] {
        let shown = count > argumentLimit ? argumentLimit - 1 : count
        let name = count > 0 ? argument(0) : .empty
        let hasSecret = name.equalsIgnoringCase("auth") || name.equalsIgnoringCase("hello")
        var kept: [[UInt8]] = []
        for index in 0..<shown {
            let bytes = argument(index)
            if hasSecret, index > 0 {
                kept.append(Array("(redacted)".utf8))
            } else if bytes.count > byteLimit {
                kept.append(
                    bytes[0..<byteLimit].array + Array("... (\(bytes.count - byteLimit) more bytes)".utf8))
            } else {
                kept.append(bytes.array)
            }
        }
        if shown < count { kept.append(Array("... (\(count - shown) more arguments)".utf8)) }
        return kept
    }
}
