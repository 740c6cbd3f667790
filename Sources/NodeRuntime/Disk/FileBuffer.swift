internal import ClusterModel

/// Holds one file after another: memory that was never touched costs more than a file of the page cache takes to read.
final class FileBuffer {
    private var room: [UInt8] = []
    private var count = 0

    /// Takes the whole of a file in place of what was there.
    func read(_ path: String) throws(DiskError) {
        count = 0
        count = try Files.read(path, into: &room)
    }

    /// Lends the bytes for the time of the call.
    func withByteView<Result>(_ body: (ByteView) -> Result) -> Result {
        room.withByteView { body($0[0..<count]) }
    }
}
