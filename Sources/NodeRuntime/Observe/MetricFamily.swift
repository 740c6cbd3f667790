/// All samples of one metric, as Prometheus groups them.
public struct MetricFamily: Sendable, Hashable {
    public enum Kind: String, Sendable { case counter, gauge, histogram }

    public struct Label: Sendable, Hashable, Comparable {
        public var name: String
        public var value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }

        public static func < (left: Label, right: Label) -> Bool {
            (left.name, left.value) < (right.name, right.value)
        }
    }

    public enum Value: Sendable, Hashable {
        case number(Double)
        case histogram(HistogramCount)
    }

    public struct Sample: Sendable, Hashable {
        public var labels: [Label]
        public var value: Value

        public init(_ value: Value, labels: [Label] = []) {
            self.value = value
            self.labels = labels
        }
    }

    /// Letters, digits, `_` and `:`; a counter's ends in `_total`.
    public var name: String
    /// One sentence for people.
    public var help: String
    public var kind: Kind
    public var samples: [Sample]

    public init(_ name: String, _ kind: Kind, help: String, samples: [Sample]) {
        self.name = name
        self.kind = kind
        self.help = help
        self.samples = samples
    }

    /// A counter or gauge of one number without labels.
    public init(_ name: String, _ kind: Kind, help: String, _ value: Double) {
        self.init(name, kind, help: help, samples: [Sample(.number(value))])
    }
}

/// How many observations fell into each bucket; what /metrics shows of a histogram.
public struct HistogramCount: Sendable, Hashable {
    /// Upper bounds, inclusive, rising; a last bucket without bound is behind them.
    public let bounds: [Double]
    /// Observations per bucket, not cumulated: one more than bounds.
    public private(set) var counts: [UInt64]
    public private(set) var sum: Double = 0

    public init(bounds: [Double]) {
        self.bounds = bounds
        counts = [UInt64](repeating: 0, count: bounds.count + 1)
    }

    /// Takes counts that were gathered elsewhere; nil when they are not one more than the bounds.
    public init?(bounds: [Double], counts: [UInt64], sum: Double) {
        guard counts.count == bounds.count + 1 else { return nil }
        self.bounds = bounds
        self.counts = counts
        self.sum = sum
    }

    public mutating func observe(_ value: Double) {
        guard !value.isNaN else { return }
        var low = 0
        var high = bounds.count
        while low < high {
            let middle = (low + high) / 2
            if bounds[middle] < value { low = middle + 1 } else { high = middle }
        }
        counts[low] &+= 1
        sum += value
    }

    /// Bounds for times in seconds: 50 us to 10 s.
    public static let seconds: [Double] = [
        0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]
    /// Bounds for sizes and counts: 1 to 16 Mi, by four.
    public static let sizes: [Double] = (0...12).map { Double(UInt64(1) << (2 * $0)) }
}

/// Something that has numbers to show. It is asked at each scrape, from any thread, and hands its families to the given
/// closure once, from any thread; what it does not hand over in time is left out.
public struct MetricsSource: Sendable {
    public let collect: @Sendable (_ done: @escaping @Sendable ([MetricFamily]) -> Void) -> Void

    public init(_ collect: @escaping @Sendable (_ done: @escaping @Sendable ([MetricFamily]) -> Void) -> Void) {
        self.collect = collect
    }

    /// A source that answers at once.
    public static func now(_ families: @escaping @Sendable () -> [MetricFamily]) -> MetricsSource {
        MetricsSource { done in done(families()) }
    }
}
