import ClusterModel

// OBJECT and MEMORY USAGE: how a row is held here. They are no use of the row: its idle time runs on.
extension Engine {
    mutating func runObject(_ id: CommandID, _ call: inout Call) {
        if id == .memoryUsage, let refusal = samplesRefusal(call) { return call.reply.error(refusal) }
        let isNoTouch = connections[call.connection].client.isNoTouch
        connections[call.connection].client.isNoTouch = true
        let found = row(&call, call[2])
        connections[call.connection].client.isNoTouch = isNoTouch
        guard let row = found else { return call.reply.null() }
        switch id {
        case .objectEncoding:
            call.reply.bulk(Encoding.number(row.value) != nil ? "int" : row.value.count <= 44 ? "embstr" : "raw")
        case .objectRefcount:
            let isShared = Encoding.number(row.value).map { $0 >= 0 && $0 < 10000 } ?? false
            call.reply.integer(isShared ? Int(Int32.max) : 1)
        case .objectIdletime:
            // Rows that a restart read from the log were never used here: they are idle since the start.
            let used = max(Int64(row.touched), stats.started / 1000)
            call.reply.integer(max(now.wall / 1000 - used, 0))
        case .objectFreq:
            call.reply.error(
                "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when "
                    + "switching between policies at runtime LRU and LFU data will take some time to adjust.")
        default: call.reply.integer(row.footprint)
        }
    }

    /// `MEMORY USAGE key [SAMPLES count]`: strings have no elements to sample, so the count is only read.
    private func samplesRefusal(_ call: Call) -> String? {
        if call.count == 3 { return nil }
        guard call[3].equalsIgnoringCase("samples"), call.count == 5 else { return "ERR syntax error" }
        guard let samples = WholeNumber.parse(call[4]) else { return WholeNumber.refusal }
        return samples < 0 ? "ERR syntax error" : nil
    }
}

/// How Redis would hold a string.
enum Encoding {
    /// The number that a value is, if it is written as a number is.
    static func number(_ value: ByteView) -> Int64? { value.count <= 20 ? WholeNumber.parse(value) : nil }
}
