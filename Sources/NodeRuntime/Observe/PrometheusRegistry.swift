public import CoreMetrics
internal import Synchronization

/// The swift-metrics backend behind /metrics: counters, gauges, and histograms of fixed buckets.
///
/// Names and labels are made to fit what Prometheus takes. A timer is a histogram in seconds whose name ends in
/// `_seconds`; a recorder that aggregates is a histogram of sizes, one that does not is a gauge.
public final class PrometheusRegistry: MetricsFactory, Sendable {
    private struct Place: Hashable {
        var name: String
        var labels: [MetricFamily.Label]
    }

    private struct Series {
        var kind: MetricFamily.Kind
        var handler: any Readable
    }

    private struct Contents {
        var series: [Place: Series] = [:]
        /// Each name has one kind.
        var kinds: [String: MetricFamily.Kind] = [:]
        var help: [String: String] = [:]
    }

    /// More are counted nowhere: labels that come from outside must not fill the memory.
    private static let mostSeries = 10_000

    private let contents = Mutex(Contents())

    public init() {}

    /// The sentence that HELP shows for a metric; by its name as it is exposed.
    public func describe(_ name: String, _ help: String) { contents.withLock { $0.help[name] = help } }

    /// What is registered, sorted by name and labels.
    public var families: [MetricFamily] {
        let contents = contents.withLock { $0 }
        var byName: [String: [MetricFamily.Sample]] = [:]
        for place in contents.series.keys.sorted(by: { $0.labels.lexicographicallyPrecedes($1.labels) }) {
            guard let series = contents.series[place] else { continue }
            byName[place.name, default: []].append(MetricFamily.Sample(series.handler.value, labels: place.labels))
        }
        return byName.keys.sorted().map { name in
            MetricFamily(
                name, contents.kinds[name] ?? .gauge, help: contents.help[name] ?? "Of this process.",
                samples: byName[name] ?? [])
        }
    }

    /// For the server of /metrics.
    public var source: MetricsSource { .now { self.families } }

    // MARK: MetricsFactory

    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        handler(label, "_total", .counter, dimensions, CountingHandler())
    }

    public func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        handler(label, "_total", .counter, dimensions, SumHandler())
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        handler(label, "", .gauge, dimensions, GaugeHandler())
    }

    public func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        guard aggregate else { return handler(label, "", .gauge, dimensions, GaugeHandler()) }
        return handler(label, "", .histogram, dimensions, HistogramHandler(bounds: HistogramCount.sizes))
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        handler(label, "_seconds", .histogram, dimensions, HistogramHandler(bounds: HistogramCount.seconds))
    }

    public func destroyCounter(_ handler: any CounterHandler) { remove(handler) }
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { remove(handler) }
    public func destroyMeter(_ handler: any MeterHandler) { remove(handler) }
    public func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }
    public func destroyTimer(_ handler: any TimerHandler) { remove(handler) }

    private func remove(_ handler: AnyObject) {
        contents.withLock { contents in
            guard let place = contents.series.first(where: { $0.value.handler === handler })?.key else { return }
            contents.series[place] = nil
        }
    }

    /// The series of a name and labels: the one that is there, or a new one.
    private func handler<Handler: Readable>(
        _ label: String, _ ending: String, _ kind: MetricFamily.Kind, _ dimensions: [(String, String)],
        _ new: Handler
    ) -> Handler {
        let base = MetricName.metric(label)
        let wanted = base.hasSuffix(ending) ? base : base + ending
        let labels = MetricName.labels(dimensions)
        return contents.withLock { contents in
            let isOther = contents.kinds[wanted].map { $0 != kind } ?? false
            let place = Place(name: isOther ? "\(wanted)_\(kind.rawValue)" : wanted, labels: labels)
            if let found = contents.series[place]?.handler as? Handler { return found }
            guard contents.series.count < Self.mostSeries, contents.series[place] == nil else { return new }
            contents.kinds[place.name] = kind
            contents.series[place] = Series(kind: kind, handler: new)
            return new
        }
    }
}

/// Names as Prometheus takes them.
enum MetricName {
    static func metric(_ text: String) -> String { fitted(text) { $0 == ":" } }

    /// Sorted; of two with one name the first counts. `le` belongs to histograms.
    static func labels(_ pairs: [(String, String)]) -> [MetricFamily.Label] {
        var seen: Set<String> = []
        return pairs.compactMap { name, value in
            var fit = fitted(name) { _ in false }
            if fit == "le" || fit.hasPrefix("__") { fit = "label_" + fit }
            return seen.insert(fit).inserted ? MetricFamily.Label(fit, value) : nil
        }.sorted()
    }

    private static func fitted(_ text: String, _ isAllowed: (Unicode.Scalar) -> Bool) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let isDigit = ("0"..."9").contains(scalar)
            let isLetter = ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || scalar == "_"
            if isDigit, result.isEmpty { result.append("_") }
            result.append(isDigit || isLetter || isAllowed(scalar) ? scalar : "_")
        }
        return result.isEmpty ? "_" : String(result)
    }
}
