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
    /// ms since 1970; 0 = none given.
    var deadline: Int64 = 0
    private var hasDeadline = false

    static func parse(_ call: Call, from start: Int, now: Int64, allowed: Command) -> Result<SetOptions, Refusal> {
        var options = SetOptions()
        let syntax = Refusal(text: "ERR syntax error")
        var index = start
        while index < call.count {
            let word = call[index]
            if allowed == .set, word.equalsIgnoringCase("nx"), !options.onlyIfPresent {
                options.onlyIfAbsent = true
            } else if allowed == .set, word.equalsIgnoringCase("xx"), !options.onlyIfAbsent {
                options.onlyIfPresent = true
            } else if allowed == .set, word.equalsIgnoringCase("get") {
                options.givesOld = true
            } else if allowed == .set, word.equalsIgnoringCase("keepttl"), !options.hasDeadline {
                options.keepsDeadline = true
            } else if allowed == .getex, word.equalsIgnoringCase("persist"), !options.hasDeadline {
                options.removesDeadline = true
            } else if let (unit, isAbsolute) = unit(word), !options.hasDeadline, !options.keepsDeadline,
                !options.removesDeadline, index + 1 < call.count
            {
                index += 1
                guard let amount = WholeNumber.parse(call[index]) else {
                    return .failure(Refusal(text: WholeNumber.refusal))
                }
                guard let deadline = deadline(amount, unit: unit, from: isAbsolute ? 0 : now) else {
                    let name = allowed == .set ? "set" : "getex"
                    return .failure(Refusal(text: "ERR invalid expire time in '\(name)' command"))
                }
                options.deadline = deadline
                options.hasDeadline = true
            } else {
                return .failure(syntax)
            }
            index += 1
        }
        return .success(options)
    }

    /// ms of the unit, and whether it names a moment.
    private static func unit(_ word: ByteView) -> (ms: Int64, isAbsolute: Bool)? {
        if word.equalsIgnoringCase("ex") { return (1000, false) }
        if word.equalsIgnoringCase("px") { return (1, false) }
        if word.equalsIgnoringCase("exat") { return (1000, true) }
        if word.equalsIgnoringCase("pxat") { return (1, true) }
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
