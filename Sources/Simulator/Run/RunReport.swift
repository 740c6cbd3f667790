/// What became of one seed.
public struct RunReport: Sendable {
    public enum Verdict: Int32, Sendable {
        case clean = 0
        case violation = 1
        /// Too little happened for the run to mean anything.
        case vacuous = 2
    }

    public var seed: UInt64
    public var violations: [Violation] = []
    /// What there was too little of; empty = the run means something.
    public var vacuous: [String] = []
    /// Keys whose history the checker could not decide.
    public var undecided: [String] = []
    public var faults: [FaultClass] = []
    public var hash: UInt64 = 0
    public var events: UInt64 = 0
    /// Operations with an outcome, refused ones, and those nobody knows of.
    public var done = 0
    public var refused = 0
    public var unknown = 0
    public var reads = 0
    /// Looks at the whole keyspace: SCAN, KEYS, DBSIZE.
    public var walks = 0
    /// Troubles in all.
    public var troubles = 0
    /// How often there was trouble of each kind.
    public var fired: [FaultClass: Int] = [:]
    /// ns of the world.
    public var time: UInt64 = 0

    public init(seed: UInt64) { self.seed = seed }

    public var verdict: Verdict { !violations.isEmpty ? .violation : vacuous.isEmpty ? .clean : .vacuous }

    /// How often there was trouble of each kind, `kill:3,power:1`.
    public var firedText: String {
        FaultClass.allCases.compactMap { kind in fired[kind].map { "\(kind.rawValue):\($0)" } }.joined(separator: ",")
    }

    /// The run in one line.
    public var line: String {
        let digits = String(hash, radix: 16)
        let text =
            "seed \(seed) \(verdict) hash \(String(repeating: "0", count: 16 - digits.count) + digits) events \(events) "
            + "done \(done) refused \(refused) unknown \(unknown) walks \(walks) troubles \(troubles)"
        let keys = undecided.joined(separator: ",")
        let undecidedText = keys.isEmpty ? "" : " undecided \(keys)"
        let vacuousText = vacuous.isEmpty ? "" : ": too few \(vacuous.joined(separator: ", "))"
        return text + undecidedText + vacuousText + (violations.first.map { ": \($0)" } ?? "")
    }
}
