/// A stream of chance: xoshiro256** (Blackman and Vigna), its state filled by SplitMix64.
///
/// Each part of a world draws from a stream of its own, named, so that turning one fault off leaves what the others draw
/// as it was: that is what lets a failure be made smaller.
public struct Chance: RandomNumberGenerator, Sendable {
    private var one: UInt64
    private var two: UInt64
    private var three: UInt64
    private var four: UInt64

    public init(seed: UInt64) {
        var state = seed
        func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
            return mixed ^ mixed >> 31
        }
        one = next()
        two = next()
        three = next()
        four = next()
    }

    /// The stream of this name of a seed.
    public init(seed: UInt64, stream: String) {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in stream.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        self.init(seed: seed ^ hash)
    }

    public mutating func next() -> UInt64 {
        let turned = two &* 5
        let result = (turned << 7 | turned >> 57) &* 9
        let shifted = two << 17
        three ^= one
        four ^= two
        two ^= three
        one ^= four
        three ^= shifted
        four = four << 45 | four >> 19
        return result
    }

    /// 0 ..< `bound`. - Precondition: `bound > 0`.
    public mutating func below(_ bound: Int) -> Int { Int(truncatingIfNeeded: below(UInt64(bound))) }

    /// 0 ..< `bound`. - Precondition: `bound > 0`.
    public mutating func below(_ bound: UInt64) -> UInt64 {
        precondition(bound > 0)
        return next().multipliedFullWidth(by: bound).high
    }

    /// One of both ends or between. - Precondition: `low <= high`, and not all of UInt64.
    public mutating func between(_ low: UInt64, _ high: UInt64) -> UInt64 { low + below(high - low + 1) }
    public mutating func between(_ low: Int, _ high: Int) -> Int { low + below(high - low + 1) }

    /// 0 ..< 1.
    public mutating func fraction() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// True with this probability.
    public mutating func hits(_ probability: Double) -> Bool { probability > 0 && fraction() < probability }

    /// True once in so many. - Precondition: `count > 0`.
    public mutating func oneIn(_ count: Int) -> Bool { below(count) == 0 }

    /// - Precondition: it is not empty.
    public mutating func pick<Element>(_ choices: [Element]) -> Element { choices[below(choices.count)] }

    /// Between both ends, each doubling about as likely as the next. - Precondition: `0 < low <= high`.
    public mutating func scaled(_ low: UInt64, _ high: UInt64) -> UInt64 {
        precondition(low > 0 && low <= high)
        var doublings = 0
        while low << UInt64(doublings + 1) <= high, doublings < 62 { doublings += 1 }
        let base = low << UInt64(below(doublings + 1))
        return min(base + below(base), high)
    }
}
