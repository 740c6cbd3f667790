import ClusterModel
internal import DequeModule

/// Batches that the stores hold already, newest last, bounded by the memory they take: what a replica that lags is sent from
/// memory.
struct BatchHistory {
    private var batches = Deque<Engine.BatchNote>()
    private var bytes = 0

    /// Keeps a batch.
    /// - Parameter limit: bytes of memory.
    /// - Returns: batches that are free now: those that fell out, and this one where a smaller copy is kept.
    mutating func keep(_ note: Engine.BatchNote, limit: Int) -> [LogBatch] {
        var note = note
        var free: [LogBatch] = []
        if note.batch.footprint > 2 * note.batch.byteCount + Self.small, limit > 0 {
            free.append(note.batch)
            note.batch = note.batch.compacted()
        }
        note.bytes = note.batch.footprint + note.touched.count * MemoryLayout<Engine.Touched>.stride
        batches.append(note)
        bytes += note.bytes
        while bytes > limit, let first = batches.popFirst() {
            bytes -= first.bytes
            free.append(first.batch)
        }
        return free
    }

    /// Bytes that are not worth a copy.
    private static let small = 512

    /// Hands over each batch that may hold records of a replica above `seq`, oldest first, until `body` returns false.
    func forEach(_ replica: Int, above seq: UInt64, _ body: (Engine.BatchNote) -> Bool) {
        for note in batches {
            guard note.touched.contains(where: { Int($0.replica) == replica && $0.seq > seq }) else { continue }
            if !body(note) { return }
        }
    }
}
