import DataCore

/// Free bytes of a node's disk, and the reserve that is given back when the disk is full, as NodeRuntime's DiskReserve does
/// (RULES E6). Bytes are counted only while others have filled the disk.
struct DiskSpace {
    /// Bytes of a segment of the log.
    private let segment: Int
    private var rules: ReserveRules

    /// Free bytes; nil = plenty.
    private var free: Int?
    /// Whether growth is refused, as the process was told last.
    var isLow: Bool { rules.isLow }
    /// Segments that may be written again.
    private var spares = 0

    /// Spare segments that are kept.
    private static let keptSpares = 2

    init(segment: Int) {
        self.segment = segment
        rules = ReserveRules(size: UInt64(segment * 3 / 2), isHeld: false)
    }

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
        rules = ReserveRules(size: rules.size, isHeld: rules.isHeld)
        if rules.isHeld, rules.isNeeded(free: left) { release() }
    }

    /// Looks at the disk. Gives whether growth is refused from now on, where that has changed.
    mutating func look() -> Bool? {
        switch rules.due(free: left) {
        case .release: release()
        case .make: make()
        case .nothing: break
        }
        return rules.judge(free: left)
    }

    private var left: UInt64 { free.map { UInt64($0) } ?? .max }

    private mutating func make() {
        if let free { self.free = free - Int(rules.size) }
        rules.note(isHeld: true)
    }

    private mutating func release() {
        rules.note(isHeld: false)
        give(Int(rules.size))
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
        guard rules.isHeld else { return false }
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
