import CoreMetrics
import Testing

@testable import NodeRuntime

@Suite struct ExpositionTests {
    @Test func whatIsCountedIsShown() throws {
        let registry = PrometheusRegistry()
        registry.describe("requests_total", "Requests, by \"command\"\nand port \\ path.")
        let get = registry.makeCounter(label: "requests", dimensions: [("command", "get")])
        get.increment(by: 3)
        registry.makeCounter(label: "requests", dimensions: [("command", "get")]).increment(by: 2)
        registry.makeCounter(label: "requests", dimensions: [("command", "a\"b\\c\nd")]).increment(by: 1)
        get.increment(by: -7)
        registry.makeMeter(label: "open.connections", dimensions: []).set(12.5)
        let timer = registry.makeTimer(label: "fsync", dimensions: [])
        for nanoseconds: Int64 in [40_000, 2_000_000, 60_000_000_000] { timer.recordNanoseconds(nanoseconds) }
        registry.makeRecorder(label: "batch", dimensions: [], aggregate: true).record(Int64(17))

        let families = try ExpositionParser.parse(Exposition.text(registry.families))
        let requests = try #require(families["requests_total"])
        #expect(requests.type == "counter")
        #expect(requests.help == "Requests, by \"command\"\nand port \\ path.")
        #expect(requests.value(["command": "get"]) == 5)
        #expect(requests.value(["command": "a\"b\\c\nd"]) == 1)
        #expect(families["open_connections"]?.value() == 12.5)
        let fsync = try #require(families["fsync_seconds"])
        #expect(fsync.value(name: "fsync_seconds_count") == 3)
        #expect(fsync.value(["le": "0.0025"], name: "fsync_seconds_bucket") == 2)
        #expect(fsync.value(["le": "10"], name: "fsync_seconds_bucket") == 2)
        #expect(families["batch"]?.value(["le": "16"], name: "batch_bucket") == 0)
        #expect(families["batch"]?.value(["le": "64"], name: "batch_bucket") == 1)
    }

    @Test func namesAreMadeToFit() throws {
        let registry = PrometheusRegistry()
        registry.makeMeter(label: "9 lives/čat", dimensions: [("le", "x"), ("a b", "1"), ("a-b", "2")]).set(Int64(1))
        // The same name with another kind gets a name of its own: a name has one TYPE.
        registry.makeRecorder(label: "load", dimensions: [], aggregate: false).record(1.0)
        registry.makeRecorder(label: "load", dimensions: [], aggregate: true).record(1.0)
        let families = try ExpositionParser.parse(Exposition.text(registry.families))
        #expect(families["_9_lives__at"]?.value(["label_le": "x", "a_b": "1"]) == 1)
        #expect(families["load"]?.type == "gauge")
        #expect(families["load_histogram"]?.type == "histogram")
    }

    @Test func sourcesOfOneNameAreOneGroup() throws {
        func family(_ node: String, _ value: Double) -> MetricFamily {
            MetricFamily(
                "up", .gauge, help: "Up.",
                samples: [MetricFamily.Sample(.number(value), labels: [MetricFamily.Label("node", node)])])
        }
        let between = MetricFamily("tt", .gauge, help: "Between.", .infinity)
        let text = Exposition.text([family("a", 1), between, family("b", .nan), family("a", 7)])
        let families = try ExpositionParser.parse(text)
        #expect(families["up"]?.samples.count == 2)
        #expect(families["up"]?.value(["node": "a"]) == 1)
        #expect(families["tt"]?.value() == .infinity)
    }

    @Test func destroyedSeriesAreGone() throws {
        let registry = PrometheusRegistry()
        let counter = registry.makeCounter(label: "gone", dimensions: [])
        counter.increment(by: 1)
        registry.makeCounter(label: "stays", dimensions: []).increment(by: 1)
        registry.destroyCounter(counter)
        let families = try ExpositionParser.parse(Exposition.text(registry.families))
        #expect(families["gone_total"] == nil)
        #expect(families["stays_total"]?.value() == 1)
    }

    @Test(arguments: [
        "up 1", "# HELP up x\n# TYPE up gauge\nup 1\nup 2\n", "# HELP up x\n# TYPE up gauge\nup{a=1} 2\n",
        "# HELP h x\n# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n",
    ])
    func theParserIsStrict(_ text: String) {
        #expect(throws: ExpositionParser.Refusal.self) { try ExpositionParser.parse(text) }
    }
}
