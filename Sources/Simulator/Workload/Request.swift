import ClusterModel
import Wire

/// One thing a client does: commands it sends in one piece, the replies it waits for, and what they say of its keys.
struct Request {
    enum Form {
        case single
        /// One MSET or MGET over several keys; one operation for each.
        case multiple
        /// MULTI, GET, SET, EXEC: the value before it.
        case transaction
        /// MULTI, INCRBY, INCRBY, EXEC: both steps are one (RULES G4).
        case twice
        /// WATCH, GET: with its reply comes what is to be done if nobody is quicker.
        case watched
        /// MULTI, SET, EXEC behind it.
        case guarded
    }

    var form: Form
    var actions: [(key: String, action: Operation.Action)]

    init(_ key: String, _ action: Operation.Action, form: Form = .single) {
        self.form = form
        actions = [(key, action)]
    }

    init(multiple: [(key: String, action: Operation.Action)]) {
        form = .multiple
        actions = multiple
    }

    /// The commands.
    var commands: [[[UInt8]]] {
        switch form {
        case .single: actions.map { Self.command($0.key, $0.action) }
        case .multiple: [multiple]
        case .transaction:
            [Self.words("MULTI"), Self.words("GET", actions[0].key)]
                + actions.map { key, action in
                    if case .exchange(let value) = action { return Self.words("SET", key) + [value] }
                    return Self.command(key, action)
                } + [Self.words("EXEC")]
        case .twice:
            [Self.words("MULTI")] + [0, 1].map { _ in Self.words("INCRBY", actions[0].key, "\(step / 2)") }
                + [Self.words("EXEC")]
        case .watched: [Self.words("WATCH", actions[0].key), Self.words("GET", actions[0].key)]
        case .guarded:
            [
                Self.words("MULTI"), Self.words("SET", actions[0].key) + [actions[0].action.written ?? []],
                Self.words("EXEC"),
            ]
        }
    }

    /// What a counter is to rise by.
    private var step: Int64 {
        if case .increment(let step) = actions[0].action { return step }
        return 0
    }

    private var multiple: [[UInt8]] {
        if case .set = actions[0].action {
            return Self.words("MSET")
                + actions.flatMap { key, action in
                    if case .set(let value) = action { return [Array(key.utf8), value] }
                    return []
                }
        }
        return Self.words("MGET") + actions.map { Array($0.key.utf8) }
    }

    private static func words(_ words: String...) -> [[UInt8]] { words.map { Array($0.utf8) } }

    private static func command(_ key: String, _ action: Operation.Action) -> [[UInt8]] {
        switch action {
        case .get: words("GET", key)
        case .exists: words("EXISTS", key)
        case .set(let value): words("SET", key) + [value]
        case .setIfAbsent(let value): words("SETNX", key) + [value]
        case .exchange(let value): words("SET", key) + [value] + words("GET")
        case .delete: words("DEL", key)
        case .getAndDelete: words("GETDEL", key)
        case .increment(let step): words("INCRBY", key, "\(step)")
        case .append(let value): words("APPEND", key) + [value]
        case .setUntil(let value, let deadline): words("SET", key) + [value] + words("PXAT", "\(deadline)")
        case .expire(let deadline): words("PEXPIREAT", key, "\(deadline)")
        case .persist: words("PERSIST", key)
        case .deadline: words("PEXPIRETIME", key)
        case .replace(_, let value): words("SET", key) + [value]
        }
    }

    /// What the replies say of each action. Nil = a reply that no such command has.
    func outcomes(_ replies: [RESPValue]) -> [Operation.Outcome]? {
        guard let last = replies.last else { return nil }
        if case .error = last {
            return Self.outcome(ofError: last).map { [Operation.Outcome](repeating: $0, count: actions.count) }
        }
        switch form {
        case .single: return Self.outcome(last, actions[0].action).map { [$0] }
        case .multiple:
            if case .array(let items) = last, items.count == actions.count {
                let outcomes = zip(items, actions).map { Self.outcome($0, $1.action) }
                return outcomes.contains { $0 == nil } ? nil : outcomes.compactMap { $0 }
            }
            return last == .simpleString(Array("OK".utf8)) ? actions.map { _ in .ok } : nil
        case .transaction:
            // A command that was refused when it was queued makes EXEC answer EXECABORT; an earlier WATCH may still hold.
            if last == .null { return [.refused] }
            guard case .array(let items) = last, items.count == 2 else { return nil }
            if case .error = items[0] { return nil }
            return Self.outcome(items[0], .get).map { [$0] }
        case .twice:
            if last == .null { return [.refused] }
            guard case .array(let items) = last, items.count == 2, case .integer(let first) = items[0],
                case .integer(let second) = items[1], first &+ step / 2 == second
            else { return nil }
            return [.number(second)]
        case .watched: return Self.outcome(last, .get).map { [$0] }
        case .guarded:
            // Somebody was quicker, or nobody knows any more whether somebody was.
            if last == .null { return [.refused] }
            return last == .array([.simpleString(Array("OK".utf8))]) ? [.ok] : nil
        }
    }

    private static func outcome(_ reply: RESPValue, _ action: Operation.Action) -> Operation.Outcome? {
        switch (reply, action) {
        case (.error, _): outcome(ofError: reply)
        case (.simpleString, .set), (.simpleString, .setUntil): .ok
        case (.null, .get), (.null, .getAndDelete), (.null, .exchange): .value(nil)
        case (.bulkString(let bytes), .get), (.bulkString(let bytes), .getAndDelete),
            (.bulkString(let bytes), .exchange):
            .value(bytes)
        case (.integer(let number), .exists), (.integer(let number), .setIfAbsent), (.integer(let number), .delete),
            (.integer(let number), .increment), (.integer(let number), .append), (.integer(let number), .expire),
            (.integer(let number), .persist), (.integer(let number), .deadline):
            .number(number)
        default: nil
        }
    }

    /// The words an error may begin with, and what they promise (INTERFACE, RULES G2).
    private static func outcome(ofError reply: RESPValue) -> Operation.Outcome? {
        guard case .error(let line) = reply else { return nil }
        // A refusal is the commonest of replies: no text is made of it.
        if begins(line, with: "UNCERTAIN") { return .unknown }
        if refusals.contains(where: { begins(line, with: $0) }) { return .refused }
        return line.starts(with: "ERR value is not an integer".utf8) ? .refused : nil
    }

    private static let refusals: [StaticString] = [
        "TRYAGAIN", "OVERLOADED", "READONLY", "MOVED", "STALE", "EXECABORT", "CROSSSLOT",
    ]

    /// Whether the first word of a line is this one.
    private static func begins(_ line: [UInt8], with word: StaticString) -> Bool {
        line.withByteView { line in
            let size = word.utf8CodeUnitCount
            return line[0..<size] == ByteView(word) && (line.count == size || line[size] == 0x20)
        }
    }

    /// What follows where a value was watched: it is replaced if it is still the one that was seen.
    func replacing(_ replies: [RESPValue], by value: [UInt8]) -> Request? {
        guard form == .watched, replies.first == .simpleString(Array("OK".utf8)),
            case .value(let seen)? = outcomes(replies)?.first
        else { return nil }
        return Request(actions[0].key, .replace(seen, value), form: .guarded)
    }

    /// Where a reply sends the client instead.
    static func moved(_ reply: RESPValue) -> Address? {
        guard case .error(let line) = reply, begins(line, with: "MOVED") else { return nil }
        let words = String(decoding: line, as: UTF8.self).split(separator: " ")
        return words.count == 3 && words[0] == "MOVED" ? Address(String(words[2])) : nil
    }
}
