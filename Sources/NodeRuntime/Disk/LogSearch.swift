internal import ClusterModel
internal import DataCore

/// Searches the segments of the node log on a reader's thread while the log writer goes on in the newest: a batch that is
/// not whole yet does not parse, and ends the search.
struct LogSearch: Sendable {
    let directory: String
    let log: UniqueID

    /// Bytes read at once.
    private static let window = 2 << 20

    func run(_ read: LogRead) {
        do {
            try search(read)
        } catch {
            read.fault = error.description
        }
    }

    private func search(_ read: LogRead) throws(DiskError) {
        let generations = try Files.names(in: directory).compactMap { SegmentFile.generation(of: $0) }
        let known = read.place?.generation
        guard let start = known == nil ? try begin(read, generations) : known else { return }
        for generation in generations where generation >= start && !read.isComplete {
            if read.place?.generation != generation { read.advance(to: generation) }
            try search(read, generation)
        }
    }

    /// The segment that the first record wanted lies in, by the checkpoints that open them.
    private func begin(_ read: LogRead, _ generations: [UInt64]) throws(DiskError) -> UInt64? {
        for generation in generations.reversed() {
            let first = Int(SegmentHeader.firstBatch)
            var head = try Files.read(path(generation), from: 0, count: 1 << 16)
            let size = head.withByteView { view in
                view.count > first ? BatchHeader.claimedSize(view[first..<view.count]) : nil
            }
            if let size, first + size > head.count {
                head = try Files.read(path(generation), from: 0, count: first + size)
            }
            if head.withByteView({ read.begins(in: $0, generation: generation, log: log) }) == true {
                return generation
            }
        }
        return generations.first
    }

    private func search(_ read: LogRead, _ generation: UInt64) throws(DiskError) {
        var window = Self.window
        while !read.isComplete, let place = read.place {
            let bytes = try Files.read(path(generation), from: Int(place.offset), count: window)
            let taken = bytes.withByteView { read.take($0, at: place, log: log) }
            if taken > 0 { continue }
            guard let claimed = bytes.withByteView({ BatchHeader.claimedSize($0) }), claimed > window,
                bytes.count == window
            else { return }
            window = claimed
        }
    }

    private func path(_ generation: UInt64) -> String { "\(directory)/\(SegmentFile.name(generation))" }
}
