internal import CoreMetrics
internal import Synchronization

/// A series that can be read at a scrape.
protocol Readable: AnyObject, Sendable {
    var value: MetricFamily.Value { get }
}

/// A counter of whole numbers.
final class CountingHandler: CounterHandler, Readable {
    private let count = Atomic<UInt64>(0)

    /// A counter never falls: what is not above 0 is not counted.
    func increment(by amount: Int64) {
        guard amount > 0 else { return }
        count.wrappingAdd(UInt64(amount), ordering: .relaxed)
    }

    func reset() { count.store(0, ordering: .relaxed) }
    var value: MetricFamily.Value { .number(Double(count.load(ordering: .relaxed))) }
}

/// A counter of fractions.
final class SumHandler: FloatingPointCounterHandler, Readable {
    private let sum = Mutex<Double>(0)

    func increment(by amount: Double) {
        guard amount > 0, amount.isFinite else { return }
        sum.withLock { $0 += amount }
    }

    func reset() { sum.withLock { $0 = 0 } }
    var value: MetricFamily.Value { .number(sum.withLock { $0 }) }
}

/// A number that rises and falls; the last one set counts.
final class GaugeHandler: MeterHandler, RecorderHandler, Readable {
    private let number = Mutex<Double>(0)

    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { number.withLock { $0 = value } }
    func increment(by amount: Double) { number.withLock { $0 += amount } }
    func decrement(by amount: Double) { number.withLock { $0 -= amount } }
    func record(_ value: Int64) { set(Double(value)) }
    func record(_ value: Double) { set(value) }
    var value: MetricFamily.Value { .number(number.withLock { $0 }) }
}

/// Observations in buckets.
final class HistogramHandler: TimerHandler, RecorderHandler, Readable {
    private let histogram: Mutex<HistogramCount>

    init(bounds: [Double]) { histogram = Mutex(HistogramCount(bounds: bounds)) }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
    func record(_ value: Int64) { record(Double(value)) }
    func record(_ value: Double) { histogram.withLock { $0.observe(value) } }
    var value: MetricFamily.Value { .histogram(histogram.withLock { $0 }) }
}
