/// A moment as a core sees it: both clocks, read by the host before the step.
///
/// `monotonic` is ContinuousClock (CLOCK_BOOTTIME on Linux), which runs on in suspend, and is the only clock leases may
/// use (RULES A4). `wall` is for expiry deadlines alone.
public struct Tick: Hashable, Sendable {
    /// Nanoseconds since an arbitrary start.
    public var monotonic: UInt64
    /// Milliseconds since 1970-01-01 UTC.
    public var wall: Int64

    @inline(__always) public init(monotonic: UInt64, wall: Int64) {
        self.monotonic = monotonic
        self.wall = wall
    }
}

/// A source of chance that the host hands to a core: SplitMix64 from a seed, so that a simulated run repeats.
public struct Entropy: RandomNumberGenerator, Sendable {
    private var state: UInt64
    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}

/// The buffer that a step writes its effects into, owned by the caller and reused.
///
/// The order of effects is law: an effect may assume that all before it were started, and names the ones it must wait for.
public struct Effects<Effect> {
    public private(set) var all: [Effect] = []
    public init() {}
    @inline(__always) public mutating func emit(_ effect: Effect) { all.append(effect) }
    public mutating func removeAll() { all.removeAll(keepingCapacity: true) }
    @inline(__always) public var isEmpty: Bool { all.isEmpty }
}
