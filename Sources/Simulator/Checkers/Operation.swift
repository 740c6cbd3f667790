/// What a client asked of one key and what it was told: one line of a history.
public struct Operation: Hashable, Sendable, CustomStringConvertible {
    /// What is asked. Values are bytes, as Redis strings.
    public enum Action: Hashable, Sendable {
        case get
        case exists
        case set([UInt8])
        case setIfAbsent([UInt8])
        /// SET ... GET: the value before it.
        case exchange([UInt8])
        case delete
        case getAndDelete
        case increment(Int64)
        case append([UInt8])
        /// A WATCH, a look at the value, and an EXEC that sets another where nothing came between.
        case replace([UInt8]?, [UInt8])
        /// SET ... PXAT: ms since 1970.
        case setUntil([UInt8], Int64)
        /// PEXPIREAT, ms since 1970.
        case expire(at: Int64)
        case persist
        /// PEXPIRETIME.
        case deadline

        /// Whether it may change the value.
        public var isWrite: Bool { self != .get && self != .exists && self != .deadline }
    }

    /// What a client was told.
    public enum Outcome: Hashable, Sendable {
        case ok
        case value([UInt8]?)
        case number(Int64)
        /// An error that says nothing happened (RULES G2).
        case refused
        /// It may have happened, may happen later, or never: no reply came, or UNCERTAIN.
        case unknown
    }

    public var client: Int
    /// The client's own order: what it sent behind another on one connection takes effect behind it. 0 = none.
    public var sequence = 0
    public var action: Action
    /// When it was sent, ns.
    public var invoked: UInt64
    /// When its outcome was known, ns; of an unknown one it means nothing.
    public var returned: UInt64
    public var outcome: Outcome

    public init(client: Int, _ action: Action, invoked: UInt64, returned: UInt64, _ outcome: Outcome) {
        self.client = client
        self.action = action
        self.invoked = invoked
        self.returned = returned
        self.outcome = outcome
    }

    public var description: String {
        let end = outcome == .unknown ? "?" : Trace.seconds(returned)
        return "client \(client) \(Trace.seconds(invoked))-\(end) \(Self.text(action)) -> \(Self.text(outcome))"
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes.prefix(80), as: UTF8.self) }

    private static func text(_ action: Action) -> String {
        switch action {
        case .get: "GET"
        case .exists: "EXISTS"
        case .set(let value): "SET \(text(value))"
        case .setIfAbsent(let value): "SETNX \(text(value))"
        case .exchange(let value): "SET \(text(value)) GET"
        case .delete: "DEL"
        case .getAndDelete: "GETDEL"
        case .increment(let number): "INCRBY \(number)"
        case .append(let value): "APPEND \(text(value))"
        case .replace(let old, let new): "WATCH GET=\(old.map { text($0) } ?? "nil") MULTI SET \(text(new)) EXEC"
        case .setUntil(let value, let deadline): "SET \(text(value)) PXAT \(deadline)"
        case .expire(let deadline): "PEXPIREAT \(deadline)"
        case .persist: "PERSIST"
        case .deadline: "PEXPIRETIME"
        }
    }

    private static func text(_ outcome: Outcome) -> String {
        switch outcome {
        case .ok: "OK"
        case .value(let value): value.map { text($0) } ?? "nil"
        case .number(let number): "\(number)"
        case .refused: "refused"
        case .unknown: "unknown"
        }
    }
}
