import ClusterModel
import Testing

@testable import DataCore

/// RULES A13: whose wall is believed.
struct PeerClocksTests {
    private static let wall: Int64 = 1_795_000_000_000
    private static let hour: Int64 = 3_600_000
    /// ns.
    private static let begin: UInt64 = 77_000_000_000

    /// What is believed a second after others were heard whose walls are so many ms off, by a node whose own is off by `own`:
    /// by how much deadlines are given, and by how much they are over, off the true time.
    private func believed(own: Int64, _ others: [Int64]) -> [Int64] {
        var clocks = PeerClocks()
        for (number, off) in others.enumerated() {
            clocks.hear(
                Self.wall + off, from: .node(NodeID(rawValue: "d\(number + 2)")), sent: Self.begin, at: Self.begin)
        }
        let now = Tick(monotonic: Self.begin + 1_000_000_000, wall: Self.wall + 1000 + own)
        return [clocks.time(now), clocks.expiryTime(now)].map { $0 - Self.wall - 1000 }
    }

    @Test func aNodeThatHearsNobodyBelievesItself() {
        #expect(believed(own: Self.hour, []) == [Self.hour, Self.hour])
        #expect(believed(own: -Self.hour, []) == [-Self.hour, -Self.hour])
    }

    /// One that leads alone hears the metadata group alone.
    @Test func theMetadataGroupIsOneVoice() {
        var clocks = PeerClocks()
        for off in [Self.hour, 0] {
            clocks.hear(Self.wall + off, from: .metadataGroup, sent: Self.begin, at: Self.begin)
        }
        let now = Tick(monotonic: Self.begin, wall: Self.wall + Self.hour)
        #expect(clocks.expiryTime(now) == Self.wall + PeerClocks.slack)
    }

    /// A deadline is over when both say so, and is given by the own wall.
    @Test func ofTwoThatDisagreeNobodyKnowsWhichIsRight() {
        #expect(believed(own: Self.hour, [0]) == [Self.hour, 5000])
        #expect(believed(own: -Self.hour, [0]) == [-Self.hour, -Self.hour])
        #expect(believed(own: 0, [Self.hour]) == [0, 0])
        #expect(believed(own: 0, [-Self.hour]) == [0, 5000 - Self.hour])
    }

    @Test(arguments: [[0, 0], [2, -3], [0, 0, 0, 0], [0, 0, 1, 3_600_000], [-3_600_000, 0, 0, 1]])
    func mostAreBelieved(others: [Int64]) {
        for off in [Self.hour, -Self.hour] {
            for time in believed(own: off, others) { #expect(abs(time) <= 5010) }
        }
        #expect(believed(own: 0, others) == [0, 0])
        #expect(believed(own: 4000, others) == [4000, 4000])
        #expect(believed(own: -4000, others) == [-4000, -4000])
    }

    @Test func oneOfThreeIsOutvoted() {
        #expect(believed(own: 0, [Self.hour, 1]) == [0, 0])
        #expect(believed(own: 0, [-Self.hour, 1]) == [0, 0])
    }

    @Test func ofFourTheMiddleTwoCount() {
        #expect(believed(own: Self.hour, [Self.hour, 0, 0]) == [Self.hour, 5000])
        #expect(believed(own: -Self.hour, [-Self.hour, 0, 0]) == [-Self.hour, -Self.hour])
    }

    @Test func aWallThatWasHeardLongAgoCountsNoMore() {
        var clocks = PeerClocks()
        clocks.hear(Self.wall, from: .node(NodeID(rawValue: "d2")), sent: Self.begin, at: Self.begin)
        let later = Tick(monotonic: Self.begin + 61_000_000_000, wall: Self.wall + Self.hour)
        #expect(clocks.expiryTime(later) == Self.wall + 61_000 + 5000)
        clocks.forget(at: later.monotonic)
        #expect(clocks.expiryTime(later) == Self.wall + Self.hour)
    }

    /// A beat that waited for ten minutes while the node was stopped says when it was sent; what was known before holds.
    @Test(arguments: [0, 1_000_000] as [UInt64]) func whatWaitedHereSaysLittle(took: UInt64) {
        var clocks = PeerClocks()
        let node = PeerClocks.Voice.node(NodeID(rawValue: "d2"))
        let pause: UInt64 = 600_000_000_000
        func expiry(_ clocks: PeerClocks, own: Int64, at monotonic: UInt64) -> Int64 {
            let wall = Self.wall + Int64((monotonic - Self.begin) / 1_000_000)
            return clocks.expiryTime(Tick(monotonic: monotonic, wall: wall + own)) - wall
        }
        clocks.hear(Self.wall, from: node, sent: Self.begin, at: Self.begin + pause)
        #expect(expiry(clocks, own: 0, at: Self.begin + pause) == 0, "alone it bounds nothing")
        // One that came quickly.
        let quick = Self.begin + pause + 1_000_000_000
        clocks.hear(Self.wall + 601_000, from: node, sent: quick - took, at: quick)
        #expect(expiry(clocks, own: Self.hour, at: quick) == 5000 + Int64(took / 1_000_000))
        // What is known outlives one that waited as long again.
        let later = quick + pause
        clocks.hear(Self.wall + 601_000, from: node, sent: quick, at: later)
        #expect(expiry(clocks, own: 0, at: later) == 0)
        #expect(expiry(clocks, own: Self.hour, at: later) == 5000 + Int64(took / 1_000_000))
    }

    /// A slow network has no quick answers; in the end what it says is taken.
    @Test func whatIsKnownGrowsOld() {
        var clocks = PeerClocks()
        let node = PeerClocks.Voice.node(NodeID(rawValue: "d2"))
        clocks.hear(Self.wall + Self.hour, from: node, sent: Self.begin, at: Self.begin)
        let second: UInt64 = 1_000_000_000
        for seconds in [1, 7, 9] as [UInt64] {
            let now = Self.begin + seconds * second
            let wall = Self.wall + Int64(seconds) * 1000
            clocks.hear(wall, from: node, sent: now - second, at: now)
            let believed = clocks.expiryTime(Tick(monotonic: now, wall: wall + Self.hour)) - wall
            #expect(believed == (seconds > 8 ? 6000 : Self.hour))
        }
    }

    /// What cannot be a wall says nothing, whatever it is.
    @Test(arguments: [0, -1, .min, .max, 1 << 52 + 1]) func nonsenseIsNoWall(wall: Int64) {
        var clocks = PeerClocks()
        clocks.hear(wall, from: .node(NodeID(rawValue: "d2")), sent: .max - 1, at: .max)
        let now = Tick(monotonic: .max, wall: Self.wall)
        #expect(clocks.time(now) == Self.wall && clocks.expiryTime(now) == Self.wall)
    }
}
