import Simulator
import Testing

/// The checker on histories written by hand, and against a plain search through all orders.
@Suite("Linearizability", .timeLimit(.minutes(2))) struct LinearizabilityTests {
    private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    private static func op(
        _ client: Int, _ action: Operation.Action, _ invoked: UInt64, _ returned: UInt64, _ outcome: Operation.Outcome
    ) -> Operation {
        Operation(client: client, action, invoked: invoked, returned: returned, outcome)
    }

    /// ns of the world, and the wall at a ms of it.
    private static func ms(_ count: UInt64) -> UInt64 { count * 1_000_000 }
    private static func wall(_ millis: Int64) -> Int64 { 1_700_000_000_000 + millis }

    private static func set(_ text: String) -> Operation.Action { .set(bytes(text)) }
    private static func value(_ text: String?) -> Operation.Outcome { .value(text.map { bytes($0) }) }

    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var isGood: Bool
        var history: [Operation]
        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case(name: "nothing", isGood: true, history: []),
        Case(
            name: "a value that was set is read", isGood: true,
            history: [op(1, set("a"), 0, 10, .ok), op(2, .get, 20, 30, value("a"))]),
        Case(
            name: "an acknowledged write is lost", isGood: false,
            history: [op(1, set("a"), 0, 10, .ok), op(2, .get, 20, 30, value(nil))]),
        Case(
            name: "a stale read after a later write", isGood: false,
            history: [
                op(1, set("a"), 0, 10, .ok), op(1, set("b"), 20, 30, .ok), op(2, .get, 40, 50, value("a")),
            ]),
        Case(
            name: "a deadline that is set to what it was already", isGood: true,
            history: [
                op(1, .setUntil(bytes("a"), wall(100)), 0, ms(1), .ok),
                op(1, .replace(bytes("a"), bytes("b")), ms(10), ms(15), .ok),
                op(2, .expire(at: wall(100)), ms(13), ms(18), .number(1)),
                op(2, .deadline, ms(20), ms(25), .number(wall(100))),
            ]),
        Case(
            name: "a value is read behind its deadline", isGood: false,
            history: [
                op(1, .setUntil(bytes("a"), wall(100)), 0, ms(1), .ok), op(2, .get, ms(101), ms(110), value("a")),
            ]),
        Case(
            name: "a value is gone before its deadline", isGood: false,
            history: [op(1, .setUntil(bytes("a"), wall(100)), 0, ms(1), .ok), op(2, .get, ms(50), ms(99), value(nil))]),
        Case(
            name: "a deadline falls into a read", isGood: true,
            history: [
                op(1, .setUntil(bytes("a"), wall(100)), 0, ms(1), .ok), op(2, .get, ms(90), ms(101), value(nil)),
                op(3, .get, ms(90), ms(101), value("a")),
            ]),
        Case(
            name: "a value comes back behind its deadline", isGood: false,
            history: [
                op(1, .setUntil(bytes("a"), wall(100)), 0, ms(1), .ok), op(2, .get, ms(90), ms(105), value(nil)),
                op(3, .get, ms(106), ms(107), value("a")),
            ]),
        Case(
            name: "EXEC behind a write that WATCH should have seen", isGood: false,
            history: [
                op(1, set("a"), 0, 10, .ok), op(2, .get, 20, 30, value("a")), op(1, set("b"), 40, 50, .ok),
                op(2, .replace(bytes("a"), bytes("c")), 60, 70, .ok),
            ]),
        Case(
            name: "reads during a write see it or not", isGood: true,
            history: [
                op(1, set("a"), 0, 10, .ok), op(1, set("b"), 20, 60, .ok), op(2, .get, 25, 30, value("a")),
                op(3, .get, 35, 50, value("b")),
            ]),
        Case(
            name: "a new value, then the old one again", isGood: false,
            history: [
                op(1, set("a"), 0, 10, .ok), op(1, set("b"), 20, 60, .ok), op(2, .get, 25, 30, value("b")),
                op(3, .get, 35, 50, value("a")),
            ]),
        Case(
            name: "a value nobody wrote", isGood: false,
            history: [op(1, set("a"), 0, 10, .ok), op(2, .get, 20, 30, value("z"))]),
        Case(
            name: "an unknown write takes effect much later", isGood: true,
            history: [
                op(1, set("a"), 0, 0, .unknown), op(2, set("b"), 20, 30, .ok), op(3, .get, 40, 50, value("b")),
                op(3, .get, 60, 70, value("a")),
            ]),
        Case(
            name: "an unknown write takes effect twice", isGood: false,
            history: [
                op(1, set("a"), 0, 0, .unknown), op(3, .get, 10, 15, value("a")), op(2, set("b"), 20, 30, .ok),
                op(3, .get, 40, 50, value("b")), op(3, .get, 60, 70, value("a")),
            ]),
        Case(
            name: "an unknown write never happens", isGood: true,
            history: [op(1, set("a"), 0, 0, .unknown), op(2, .get, 100, 110, value(nil))]),
        Case(
            name: "a refused write has an effect", isGood: false,
            history: [op(1, set("a"), 0, 10, .refused), op(2, .get, 20, 30, value("a"))]),
        Case(
            name: "two counts at once", isGood: true,
            history: [
                op(1, .increment(1), 0, 50, .number(2)), op(2, .increment(1), 10, 40, .number(1)),
                op(3, .get, 60, 70, value("2")),
            ]),
        Case(
            name: "a count is lost", isGood: false,
            history: [
                op(1, .increment(1), 0, 50, .number(1)), op(2, .increment(1), 10, 40, .number(1)),
                op(3, .get, 60, 70, value("1")),
            ]),
        Case(
            name: "some of three unknown counts happened", isGood: true,
            history: [
                op(1, .increment(1), 0, 0, .unknown), op(2, .increment(1), 1, 0, .unknown),
                op(3, .increment(1), 2, 0, .unknown), op(4, .get, 10, 20, value("2")),
                op(4, .increment(1), 30, 40, .number(4)),
            ]),
        Case(
            name: "more counts than were sent", isGood: false,
            history: [
                op(1, .increment(1), 0, 0, .unknown), op(2, .increment(1), 1, 0, .unknown),
                op(4, .get, 10, 20, value("3")),
            ]),
        Case(
            name: "appends in the order that is read", isGood: true,
            history: [
                op(1, .append(bytes("x")), 0, 50, .number(2)), op(2, .append(bytes("y")), 10, 40, .number(1)),
                op(3, .get, 60, 70, value("yx")),
            ]),
        Case(
            name: "appends in another order than their lengths say", isGood: false,
            history: [
                op(1, .append(bytes("x")), 0, 50, .number(2)), op(2, .append(bytes("y")), 10, 40, .number(1)),
                op(3, .get, 60, 70, value("xy")),
            ]),
        Case(
            name: "SETNX loses to a pending SET that is then lost (RULES C18)", isGood: false,
            history: [
                op(1, set("a"), 0, 10, .refused), op(2, .setIfAbsent(bytes("b")), 5, 20, .number(0)),
                op(3, .get, 30, 40, value(nil)),
            ]),
        Case(
            name: "two win the same SETNX", isGood: false,
            history: [
                op(1, .setIfAbsent(bytes("a")), 0, 10, .number(1)), op(2, .setIfAbsent(bytes("b")), 5, 20, .number(1)),
            ]),
        Case(
            name: "a delete of unknown outcome lets two win", isGood: true,
            history: [
                op(3, .delete, 0, 0, .unknown), op(1, .setIfAbsent(bytes("a")), 1, 10, .number(1)),
                op(2, .setIfAbsent(bytes("b")), 15, 20, .number(1)), op(2, .exists, 30, 40, .number(1)),
            ]),
        Case(
            name: "what is exchanged was there", isGood: false,
            history: [
                op(1, set("a"), 0, 10, .ok), op(2, .exchange(bytes("b")), 20, 30, value("a")),
                op(3, .getAndDelete, 40, 50, value("a")),
            ]),
    ]

    /// What one client sent behind its own write in the same piece sees it (INTERFACE: own writes).
    @Test func keepsTheOrderOfAPipeline() {
        func history(_ seen: String?) -> [Operation] {
            var write = Self.op(1, Self.set("a"), 0, 50, .ok)
            var read = Self.op(1, .get, 0, 50, Self.value(seen))
            write.sequence = 1
            read.sequence = 2
            return [write, read]
        }
        #expect(Linearizability.judge(history("a")) == .linearizable)
        #expect(Linearizability.judge(history(nil)) != .linearizable)
    }

    @Test(arguments: cases)
    func judgesByHand(test: Case) {
        let verdict = Linearizability.judge(test.history)
        if test.isGood {
            #expect(verdict == .linearizable)
        } else {
            guard case .violated = verdict else {
                Issue.record("not found: \(verdict)")
                return
            }
        }
    }

    /// Small histories drawn at random, most of them wrong: the verdict is that of a search through all orders.
    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func agreesWithAllOrders(seed: UInt64) {
        var chance = Chance(seed: seed)
        var good = 0
        for _ in 0..<300 {
            let history = Self.draw(&chance)
            let expected = Self.explains(history, value: nil)
            if expected { good += 1 }
            #expect((Linearizability.judge(history) == .linearizable) == expected, "\(history)")
        }
        #expect(good > 20 && good < 280, "a vacuous draw: \(good) of 300 are good")
    }

    private static func draw(_ chance: inout Chance) -> [Operation] {
        (0..<chance.between(2, 6)).map { client in
            let invoked = chance.below(UInt64(30))
            let returned = invoked + 1 + chance.below(UInt64(20))
            let text = chance.pick(["a", "b"])
            switch chance.below(6) {
            case 0, 1:
                return op(client, .get, invoked, returned, value(chance.pick([nil, "a", "b"])))
            case 2, 3:
                let outcome = chance.pick([Operation.Outcome.ok, .ok, .unknown, .refused])
                return op(client, set(text), invoked, returned, outcome)
            case 4:
                let outcome = chance.pick([Operation.Outcome.number(0), .number(1), .unknown])
                return op(client, .setIfAbsent(bytes(text)), invoked, returned, outcome)
            default:
                let outcome = chance.pick([Operation.Outcome.number(0), .number(1), .unknown])
                return op(client, .delete, invoked, returned, outcome)
            }
        }
    }

    /// Whether some order of what is left explains it: any operation may be next that began before every other one's end.
    private static func explains(_ rest: [Operation], value: [UInt8]?) -> Bool {
        let must = rest.filter { $0.outcome != .unknown && $0.outcome != .refused }
        guard let end = must.map(\.returned).min() else { return true }
        for (index, operation) in rest.enumerated() where operation.outcome != .refused && operation.invoked <= end {
            let (next, outcome) = apply(operation.action, value)
            guard operation.outcome == .unknown || operation.outcome == outcome else { continue }
            var others = rest
            others.remove(at: index)
            if explains(others, value: next) { return true }
        }
        return false
    }

    private static func apply(_ action: Operation.Action, _ value: [UInt8]?) -> ([UInt8]?, Operation.Outcome) {
        switch action {
        case .get: (value, .value(value))
        case .set(let new): (new, .ok)
        case .setIfAbsent(let new): value == nil ? (new, .number(1)) : (value, .number(0))
        default: (nil, .number(value == nil ? 0 : 1))
        }
    }
}
