import ClusterModel
internal import DequeModule

/// Batches that the stores hold already, newest last, bounded in bytes: what a replica that lags is sent from memory.
struct BatchHistory {
    private var batches = Deque<Engine.BatchNote>()
    private var bytes = 0

    /// Keeps a batch.
    /// - Parameter limit: bytes kept.
    /// - Returns: the batches that fell out.
    mutating func keep(_ note: Engine.BatchNote, limit: Int) -> [LogBatch] {
        batches.append(note)
        bytes += note.batch.byteCount
        var gone: [LogBatch] = []
        while bytes > limit, let first = batches.popFirst() {
            bytes -= first.batch.byteCount
            gone.append(first.batch)
        }
        return gone
    }

    /// Hands over each batch that may hold records of a replica above `seq`, oldest first, until `body` returns false.
    func forEach(_ replica: Int, above seq: UInt64, _ body: (Engine.BatchNote) -> Bool) {
        for note in batches {
            guard note.touched.contains(where: { Int($0.replica) == replica && $0.seq > seq }) else { continue }
            if !body(note) { return }
        }
    }
}
