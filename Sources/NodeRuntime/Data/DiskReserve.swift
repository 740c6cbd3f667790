internal import Glibc

/// Watches the free space of a node's disk, so that growth is refused before the disk is full: then the log cannot be
/// written, and LevelDB loses what it acknowledges (RULES E6).
final class DiskReserve {
    private let path: String
    private var isLow = false
    /// Free bytes below which growth is refused.
    private let reserve: UInt64

    init(_ path: String) {
        self.path = path
        // Two segments of log and what LevelDB writes meanwhile; less on a disk that is small as a whole.
        var status = statvfs()
        let total =
            unsafe statvfs(path, &status) == 0 ? UInt64(status.f_blocks) * UInt64(status.f_frsize) : UInt64.max
        reserve = min(256 << 20, total / 16)
    }

    /// Whether the reserve is reached, if that changed since it was last asked.
    func changed() -> Bool? {
        let free = Files.freeBytes(path)
        // Given back only with some room above, so that it does not flicker.
        let isLow = free < reserve || self.isLow && free < reserve + reserve / 4
        guard isLow != self.isLow else { return nil }
        self.isLow = isLow
        return isLow
    }
}
