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

    /// A wall as it was heard: ms that it was ahead of the monotonic clock here, and when, ns.
    private struct Heard {
        var ahead: Int64
        var at: UInt64
    }

    private var heard: [Voice: Heard] = [:]
    // ms ahead of the monotonic clock.
    private var floor = Int64.min / 2
    private var ceiling = Int64.max / 2
    private var lid = Int64.max / 2

    /// Takes what another says about its wall, ms since 1970.
    mutating func hear(_ wall: Int64, from voice: Voice, at monotonic: UInt64) {
        guard Self.sane.contains(wall) else { return }
        heard[voice] = Heard(ahead: wall - Self.millis(monotonic), at: monotonic)
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
        let ahead = heard.values.map(\.ahead).sorted()
        let count = ahead.count
        floor = count / 2 >= 1 ? ahead[count / 2 - 1] - Self.slack : .min / 2
        lid = count > 0 ? ahead[count / 2] + Self.slack : .max / 2
        ceiling = (count + 1) / 2 < count ? ahead[(count + 1) / 2] + Self.slack : .max / 2
    }

    @inline(__always) private static func millis(_ monotonic: UInt64) -> Int64 { Int64(monotonic / 1_000_000) }
}
