import ClusterModel

/// The options of SET and GETEX.
struct SetOptions {
    enum Command { case set, getex }

    /// Why they are refused, in Redis's words.
    struct Refusal: Error { let text: String }

    var onlyIfAbsent = false
    var onlyIfPresent = false
    var givesOld = false
    var keepsDeadline = false
    var removesDeadline = false
    /// The word of the expiry, its argument and what it means; nil = none given.
    private var expiry: Expiry?

    private struct Expiry {
        let argument: Int
        let unit: Unit
    }

    private enum Unit {
        case ex, px, exat, pxat
        var milliseconds: Int64 { self == .ex || self == .exat ? 1000 : 1 }
        var isAbsolute: Bool { self == .exat || self == .pxat }
    }

    /// Reads the words; the number of the expiry is judged by `deadline(_:now:_:)`, since Redis judges it later.
    static func parse(_ call: Call, from start: Int, allowed: Command) -> Result<SetOptions, Refusal> {
        var options = SetOptions()
        var index = start
        while index < call.count {
            let word = call[index]
            if allowed == .set, word.equalsIgnoringCase("nx"), !options.onlyIfPresent {
                options.onlyIfAbsent = true
            } else if allowed == .set, word.equalsIgnoringCase("xx"), !options.onlyIfAbsent {
                options.onlyIfPresent = true
            } else if allowed == .set, word.equalsIgnoringCase("get") {
                options.givesOld = true
            } else if allowed == .set, word.equalsIgnoringCase("keepttl"), options.expiry == nil {
                options.keepsDeadline = true
            } else if allowed == .getex, word.equalsIgnoringCase("persist"), options.expiry == nil {
                options.removesDeadline = true
            } else if let unit = unit(word), options.expiry.map({ $0.unit == unit }) ?? true, !options.keepsDeadline,
                !options.removesDeadline, index + 1 < call.count
            {
                // The same word again is no error: the last one counts.
                index += 1
                options.expiry = Expiry(argument: index, unit: unit)
            } else {
                return .failure(Refusal(text: "ERR syntax error"))
            }
            index += 1
        }
        return .success(options)
    }

    /// The deadline, ms since 1970; 0 = none given.
    func deadline(_ call: Call, now: Int64, _ command: StaticString) -> Result<Int64, Refusal> {
        guard let expiry else { return .success(0) }
        guard let amount = WholeNumber.parse(call[expiry.argument]) else {
            return .failure(Refusal(text: WholeNumber.refusal))
        }
        let base = expiry.unit.isAbsolute ? 0 : now
        guard let deadline = Self.deadline(amount, unit: expiry.unit.milliseconds, from: base) else {
            return .failure(Refusal(text: "ERR invalid expire time in '\(command)' command"))
        }
        return .success(deadline)
    }

    private static func unit(_ word: ByteView) -> Unit? {
        if word.equalsIgnoringCase("ex") { return .ex }
        if word.equalsIgnoringCase("px") { return .px }
        if word.equalsIgnoringCase("exat") { return .exat }
        if word.equalsIgnoringCase("pxat") { return .pxat }
        return nil
    }

    /// The moment `amount` units after `base`; nil when the amount is not above 0 or the moment is beyond 64 bits.
    static func deadline(_ amount: Int64, unit: Int64, from base: Int64) -> Int64? {
        guard amount > 0 else { return nil }
        let (milliseconds, overflow) = amount.multipliedReportingOverflow(by: unit)
        let (deadline, carry) = milliseconds.addingReportingOverflow(base)
        return overflow || carry ? nil : deadline
    }
}
