/// A law that did not hold.
public struct Violation: Hashable, Sendable, CustomStringConvertible {
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// Bytes that somebody in the world wrote and nobody can read.
        case malformed
        /// RULES I20: a process ended by itself.
        case stopped
        /// RULES I1 ... I9, I12.
        case invariant
        /// RULES I10, I21.
        case linearizability
        /// RULES I13, I14.
        case walk
        /// RULES I18.
        case liveness
        /// A scenario's expectation.
        case expectation
    }

    public var kind: Kind
    /// ns since the world began.
    public var time: UInt64
    public var text: String

    public var description: String { "\(Trace.seconds(time)) \(kind.rawValue): \(text)" }
}
