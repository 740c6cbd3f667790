import ClusterModel

/// What other walls say, which the beats and grants of nodes and the answers of the metadata group carry (RULES A13): a wall
/// that is an hour ahead must not delete what has an hour left, and a value that is given ten seconds where the wall is an
/// hour behind must not be gone everywhere else.
///
/// Of the walls heard and the node's own, time lies within `slack` of the middle one. Of an even number both middle ones
/// count, and nobody knows which is right: deadlines are given by a time that lies between them, and are over by the
/// lower. A value lives too long rather than too short.
struct PeerClocks {
    /// ms that a wall may be off before others are believed.
    static let slack: Int64 = 5000
    /// ns for which a wall that was heard counts.
    private static let memory: UInt64 = 60_000_000_000
    /// ms since 1970 that a wall can be at, up to the year 144,683: what else comes from outside is none.
    private static let sane: ClosedRange<Int64> = 1...1 << 52

    /// Whose wall it is. The metadata group is one voice, whichever of its processes speaks; a node that leads alone hears no
    /// other.
    enum Voice: Hashable {
        case node(NodeID)
        case metadataGroup
    }

    /// A wall as it was heard: it showed that at some time between when what it answers left here and when it came.
    private struct Heard {
        /// ms since 1970.
        var wall: Int64
        /// ns.
        var sent: UInt64
        var at: UInt64

        /// How long the answer took, ns.
        var took: UInt64 { at &- sent }
        /// ms that it was ahead of the monotonic clock here.
        var least: Int64 { wall - PeerClocks.millis(at) }
        var most: Int64 { wall - PeerClocks.millis(sent) }
    }

    private var heard: [Voice: Heard] = [:]
    // ms ahead of the monotonic clock.
    private var floor = Int64.min / 2
    private var ceiling = Int64.max / 2
    private var lid = Int64.max / 2

    /// Takes what another says about its wall, ms since 1970: after a node was stopped for ten minutes, beats wait for it that
    /// are as old, and by their walls values would live ten minutes too long. An answer that took long says little: what is
    /// known is kept until it has grown old itself, for which an eighth of its age counts.
    /// - Parameter sent: when left here what it answers, ns.
    mutating func hear(_ wall: Int64, from voice: Voice, sent: UInt64, at monotonic: UInt64) {
        guard Self.sane.contains(wall) else { return }
        let new = Heard(wall: wall, sent: Mutant.a13BelievesLateWalls.isOn ? monotonic : sent, at: monotonic)
        if let known = heard[voice], new.took > known.took + (monotonic &- known.at) / 8 { return }
        heard[voice] = new
        bound()
    }

    /// Walls that were not heard for long count no more.
    mutating func forget(at monotonic: UInt64) {
        let isOld = { (heard: Heard) in monotonic &- heard.at > Self.memory }
        guard heard.values.contains(where: isOld) else { return }  // order-free: whether there is one
        heard = heard.filter { !isOld($0.value) }  // order-free: each is judged by itself
        bound()
    }

    /// The time by which deadlines are given, ms since 1970.
    @inline(__always) func time(_ own: Tick) -> Int64 {
        if Mutant.a13TrustsOwnWall.isOn { return own.wall }
        let monotonic = Self.millis(own.monotonic)
        return max(min(own.wall, ceiling + monotonic), floor + monotonic)
    }

    /// The time by which deadlines are over, ms since 1970: never later than `time`.
    @inline(__always) func expiryTime(_ own: Tick) -> Int64 {
        if Mutant.a13TrustsOwnWall.isOn { return own.wall }
        return min(time(own), lid + Self.millis(own.monotonic))
    }

    /// With the own wall between them, the middle of an even number of others is where it is in between; of an odd number
    /// the own one and the middle one are both in the middle.
    private mutating func bound() {
        let least = heard.values.map(\.least).sorted()
        let most = heard.values.map(\.most).sorted()
        let count = heard.count
        floor = count / 2 >= 1 ? least[count / 2 - 1] - Self.slack : .min / 2
        lid = count > 0 ? most[count / 2] + Self.slack : .max / 2
        ceiling = (count + 1) / 2 < count ? most[(count + 1) / 2] + Self.slack : .max / 2
    }

    @inline(__always) private static func millis(_ monotonic: UInt64) -> Int64 { Int64(monotonic / 1_000_000) }
}
