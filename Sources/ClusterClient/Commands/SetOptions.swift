/// What `set` does beyond storing a value.
public struct SetOptions: Hashable, Sendable {
    /// When the key expires.
    public enum Expiry: Hashable, Sendable {
        /// Never; an earlier deadline is taken away.
        case never
        /// After a time, at least 1 ms.
        case after(Duration)
        /// At a moment, in milliseconds since 1970-01-01 UTC.
        case at(unixMilliseconds: Int64)
        /// As before.
        case keep
    }

    /// When the value is stored.
    public enum Condition: Hashable, Sendable {
        case always
        /// NX
        case ifAbsent
        /// XX
        case ifPresent
    }

    public var expiry: Expiry
    public var condition: Condition

    public init(expiry: Expiry = .never, condition: Condition = .always) {
        self.expiry = expiry
        self.condition = condition
    }

    /// The arguments behind key and value.
    var arguments: [[UInt8]] {
        var words: [String] = []
        switch expiry {
        case .never: break
        case .after(let time): words += ["PX", String(time.wholeMilliseconds)]
        case .at(let moment): words += ["PXAT", String(moment)]
        case .keep: words.append("KEEPTTL")
        }
        switch condition {
        case .always: break
        case .ifAbsent: words.append("NX")
        case .ifPresent: words.append("XX")
        }
        return words.map { Array($0.utf8) }
    }
}

extension Duration {
    /// Whole milliseconds, rounded up so that a deadline is never early; bounds of Int64 for what lies beyond.
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        guard !overflow else { return seconds < 0 ? .min : .max }
        let rest = (attoseconds + (attoseconds > 0 ? 999_999_999_999_999 : 0)) / 1_000_000_000_000_000
        let (sum, past) = scaled.addingReportingOverflow(rest)
        return past ? .max : sum
    }
}
