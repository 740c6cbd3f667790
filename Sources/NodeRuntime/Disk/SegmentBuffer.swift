internal import ClusterModel

/// Holds one segment of the log after another: memory that was never touched costs more than a file of the page cache takes
/// to read.
final class SegmentBuffer {
    private let directory: String
    private var room: [UInt8] = []
    private var count = 0
    /// The segment that it holds; nil = none, or a part of one.
    private var generation: UInt64?

    init(_ directory: String) { self.directory = directory }

    /// Takes the whole of a segment in place of what was there. One that it holds is not read again: up to the log's end
    /// nothing in it changes during a start.
    func read(_ generation: UInt64) throws(DiskError) {
        guard self.generation != generation else { return }
        self.generation = nil
        count = try Files.read("\(directory)/\(SegmentFile.name(generation))", into: &room)
        self.generation = generation
    }

    /// Lends the bytes for the time of the call.
    func withByteView<Result>(_ body: (ByteView) -> Result) -> Result {
        room.withByteView { body($0[0..<count]) }
    }
}
