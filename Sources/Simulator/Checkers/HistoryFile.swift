/// A history as text, so that what clients of real processes saw is judged by the same checker as what simulated ones saw.
///
/// The first line is `ostraka-history 1`. Each other line is one operation, its words with single spaces between; lines that
/// are empty or begin with `#` are left out:
///
///     KEY CLIENT SEQUENCE INVOKED RETURNED ACTION [ARGUMENT] OUTCOME [ARGUMENT]
///
/// - KEY: how the history names the key; equal words are the same key. Every key is absent at first.
/// - CLIENT: a number; SEQUENCE: 0, or the client's own order of what it sent on one connection without waiting.
/// - INVOKED, RETURNED: ns of one clock. RETURNED of an unknown outcome is read and means nothing.
/// - ACTION: `get`, `exists`, `set V`, `setnx V`, `exchange V` (the value before it is told), `delete`, `getdel`,
///   `increment N`, `append V`.
/// - OUTCOME: `ok`, `nil`, `value V`, `number N`, `refused` (it did not happen), `unknown`.
/// - V: bytes; those other than letters, digits and `,:._-` as `%` and two hexadecimal digits. Empty is `%`.
public struct HistoryFile: Sendable {
    /// By key, in the order of the lines.
    public private(set) var operations: [String: [Operation]] = [:]
    /// Lines that are operations.
    public private(set) var count = 0

    /// What a line has that no history has.
    public struct Malformed: Error, Hashable, CustomStringConvertible {
        /// From 1.
        public var line: Int
        public var reason: String
        public var description: String { "line \(line): \(reason)" }

        public init(line: Int, reason: String) {
            self.line = line
            self.reason = reason
        }
    }

    public static let header = "ostraka-history 1"

    /// Reads a whole file.
    public init(_ text: [UInt8]) throws(Malformed) {
        var number = 0
        for line in text.split(separator: 0x0A, omittingEmptySubsequences: false) {
            number += 1
            if number == 1 {
                guard line.elementsEqual(Self.header.utf8) else {
                    throw Malformed(line: 1, reason: "it is not '\(Self.header)'")
                }
                continue
            }
            if line.isEmpty || line.first == 0x23 { continue }
            do {
                let (key, operation) = try Self.operation(Words(line))
                operations[key, default: []].append(operation)
                count += 1
            } catch {
                throw Malformed(line: number, reason: error.reason)
            }
        }
    }

    public var keys: [String] { operations.keys.sorted() }

    /// Why a line is none.
    private struct Fault: Error {
        var reason: String
    }

    /// The words of a line, taken from the front.
    private struct Words {
        private var rest: ArraySlice<ArraySlice<UInt8>>

        init(_ line: ArraySlice<UInt8>) {
            rest = line.split(separator: 0x20, omittingEmptySubsequences: false)[...]
        }

        var isEmpty: Bool { rest.isEmpty }

        mutating func text(_ what: String) throws(Fault) -> String {
            guard let word = rest.popFirst(), !word.isEmpty else { throw Fault(reason: "\(what) is missing") }
            return String(decoding: word, as: UTF8.self)
        }

        mutating func number<Number: FixedWidthInteger>(_ what: String) throws(Fault) -> Number {
            let word = try text(what)
            guard let number = Number(word) else { throw Fault(reason: "\(what) '\(word)' is no number in its range") }
            return number
        }

        mutating func value() throws(Fault) -> [UInt8] {
            let word = Array(try text("a value").utf8)
            if word == [0x25] { return [] }
            var bytes: [UInt8] = []
            var index = 0
            while index < word.count {
                if word[index] != 0x25 {
                    bytes.append(word[index])
                    index += 1
                    continue
                }
                guard index + 2 < word.count, let high = Self.digit(word[index + 1]),
                    let low = Self.digit(word[index + 2])
                else { throw Fault(reason: "a value has a '%' without two hexadecimal digits behind it") }
                bytes.append(high << 4 | low)
                index += 3
            }
            return bytes
        }

        private static func digit(_ byte: UInt8) -> UInt8? {
            switch byte {
            case 0x30...0x39: byte - 0x30
            case 0x41...0x46: byte - 0x41 + 10
            case 0x61...0x66: byte - 0x61 + 10
            default: nil
            }
        }
    }

    private static func operation(_ line: Words) throws(Fault) -> (String, Operation) {
        var words = line
        let key = try words.text("the key")
        let client: Int = try words.number("the client")
        let sequence: Int = try words.number("the sequence")
        let invoked: UInt64 = try words.number("the time of sending")
        let returned: UInt64 = try words.number("the time of the reply")
        let action = try action(&words)
        let outcome = try outcome(&words)
        guard words.isEmpty else { throw Fault(reason: "words behind the outcome") }
        guard outcome == .unknown || returned >= invoked else {
            throw Fault(reason: "the reply is older than the request")
        }
        guard outcome == .refused || outcome == .unknown || action.canTell(outcome) else {
            throw Fault(reason: "no such action has such an outcome")
        }
        var operation = Operation(client: client, action, invoked: invoked, returned: returned, outcome)
        operation.sequence = sequence
        return (key, operation)
    }

    private static func action(_ words: inout Words) throws(Fault) -> Operation.Action {
        let name = try words.text("the action")
        switch name {
        case "get": return .get
        case "exists": return .exists
        case "set": return .set(try words.value())
        case "setnx": return .setIfAbsent(try words.value())
        case "exchange": return .exchange(try words.value())
        case "delete": return .delete
        case "getdel": return .getAndDelete
        case "increment": return .increment(try words.number("a number to add"))
        case "append": return .append(try words.value())
        default: throw Fault(reason: "'\(name)' is no action")
        }
    }

    private static func outcome(_ words: inout Words) throws(Fault) -> Operation.Outcome {
        let name = try words.text("the outcome")
        switch name {
        case "ok": return .ok
        case "nil": return .value(nil)
        case "value": return .value(try words.value())
        case "number": return .number(try words.number("a number"))
        case "refused": return .refused
        case "unknown": return .unknown
        default: throw Fault(reason: "'\(name)' is no outcome")
        }
    }
}

extension Operation.Action {
    /// Whether it is answered so at all.
    fileprivate func canTell(_ outcome: Operation.Outcome) -> Bool {
        switch (self, outcome) {
        case (.set, .ok): true
        case (.get, .value), (.getAndDelete, .value), (.exchange, .value): true
        case (.exists, .number), (.setIfAbsent, .number), (.delete, .number), (.increment, .number), (.append, .number):
            true
        default: false
        }
    }
}
