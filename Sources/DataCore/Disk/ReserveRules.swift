/// When the blocks that a node keeps in reserve on its disk are given back and taken again, and when growth is refused (RULES
/// E6). Whoever has the disk says how many bytes are free, and does what is due.
///
/// Growth is refused before the disk is full: then the log cannot be written, and LevelDB loses what it acknowledges. When
/// somebody else fills the rest the reserve goes, and its blocks let deletes and LevelDB's compaction work. It is made again
/// once there is room for it and some more.
public struct ReserveRules: Sendable {
    /// Bytes of the reserve: a segment of the log and what LevelDB writes meanwhile.
    public let size: UInt64
    /// Whether the reserve has its blocks.
    public private(set) var isHeld: Bool
    /// Whether growth is refused.
    public private(set) var isLow = false

    /// Free bytes below which growth is refused, beside the reserve.
    public var low: UInt64 { size }
    /// Free bytes below which the reserve goes.
    public var full: UInt64 { size / 8 }
    /// Free bytes from which on it is made again, so that growth is not refused at once.
    public var roomy: UInt64 { size + low + low / 4 }

    public init(size: UInt64, isHeld: Bool) {
        self.size = size
        self.isHeld = isHeld
    }

    /// What is to be done before growth is judged.
    public enum Due: Sendable { case nothing, release, make }

    /// - Parameter free: free bytes of the disk.
    public func due(free: UInt64) -> Due {
        if isHeld { return free < full ? .release : .nothing }
        return free >= roomy ? .make : .nothing
    }

    /// The reserve has its blocks now, or has not any more.
    public mutating func note(isHeld: Bool) { self.isHeld = isHeld }

    /// Judges growth by what is free.
    /// - Returns: whether it is refused from now on, where that has changed.
    public mutating func judge(free: UInt64) -> Bool? {
        // Taken back only with some room above, so that it does not flicker.
        let isLow = !isHeld || free < low || self.isLow && free < low + low / 4
        guard isLow != self.isLow else { return nil }
        self.isLow = isLow
        return isLow
    }

    /// Whether a start begins on the blocks of the reserve.
    public func isNeeded(free: UInt64) -> Bool { free < low }
}
