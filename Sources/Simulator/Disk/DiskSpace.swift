/// Free bytes of a node's disk, and the reserve that is given back when the disk is full, by the rules of NodeRuntime's
/// DiskReserve (RULES E6). Bytes are counted only while others have filled the disk.
struct DiskSpace {
    /// Bytes of a segment of the log, and of the reserve: a segment and what the stores write meanwhile.
    private let segment: Int
    private var reserve: Int { segment * 3 / 2 }

    /// Free bytes; nil = plenty.
    private var free: Int?
    /// Whether the reserve has its blocks.
    private(set) var isHeld = false
    /// Whether growth is refused, as the process was told last.
    private(set) var isLow = false
    /// Segments that may be written again.
    private var spares = 0

    /// Spare segments that are kept.
    private static let keptSpares = 2

    init(segment: Int) { self.segment = segment }

    /// Others leave so many bytes.
    mutating func fill(leaving bytes: Int) { free = bytes }

    /// Others leave plenty again.
    mutating func clear() { free = nil }

    /// Whether others leave plenty.
    var isRoomy: Bool { free == nil }

    // MARK: The reserve

    /// Before anything is opened: a node that finds its disk full starts on the blocks of its reserve. Spare segments go.
    mutating func prepare() {
        give(spares * segment)
        spares = 0
        isLow = false
        if isHeld, let free, free < reserve { release() }
    }

    /// Looks at the disk. Gives whether growth is refused from now on, where that has changed.
    mutating func look() -> Bool? {
        let all = free ?? .max
        if isHeld, all < reserve / 8 {
            release()
        } else if !isHeld, all >= reserve * 9 / 4 {
            isHeld = true
            if free != nil { free = all - reserve }
        }
        let left = free ?? .max
        let isLow = !isHeld || left < reserve || isLow && left < reserve * 5 / 4
        guard isLow != self.isLow else { return nil }
        self.isLow = isLow
        return isLow
    }

    private mutating func release() {
        isHeld = false
        give(reserve)
    }

    private mutating func give(_ bytes: Int) { if let free { self.free = free + bytes } }

    // MARK: Writing

    /// Takes room for bytes of a store. False = there is none.
    mutating func take(_ bytes: Int) -> Bool {
        guard let free else { return true }
        guard free >= bytes else { return false }
        self.free = free - bytes
        return true
    }

    /// Whether there is room for bytes, as long as they are written.
    func has(_ bytes: Int) -> Bool { free.map { $0 >= bytes } ?? true }

    /// Takes room for a segment of the log: a spare one, free bytes, those of the reserve. False = there is none.
    mutating func takeSegment() -> Bool {
        if spares > 0 {
            spares -= 1
            return true
        }
        if take(segment) { return true }
        guard isHeld else { return false }
        release()
        return take(segment)
    }

    /// Segments have become free.
    mutating func giveSegments(_ count: Int) {
        let kept = min(count, Self.keptSpares - spares)
        spares += kept
        give((count - kept) * segment)
    }

    /// Has a spare segment at hand, where there is room to waste.
    mutating func prepareSpare() { if spares == 0, !isLow, take(segment) { spares = 1 } }
}
