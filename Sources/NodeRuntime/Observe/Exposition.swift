/// Families of metrics as Prometheus reads them.
///
/// Source: Prometheus, "Exposition formats", text format 0.0.4.
public enum Exposition {
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// The text of all families, sorted by name. Families of one name and kind are one; of those that differ in kind the
    /// first counts, since a name has one TYPE. A sample whose labels were there already is left out.
    public static func text(_ families: [MetricFamily]) -> String {
        var text = ""
        for family in merged(families) where !family.samples.isEmpty {
            text += "# HELP \(family.name) \(escaped(family.help))\n# TYPE \(family.name) \(family.kind.rawValue)\n"
            var seen: Set<[MetricFamily.Label]> = []
            for sample in family.samples {
                let labels = sample.labels.sorted()
                guard seen.insert(labels).inserted else { continue }
                write(sample.value, family.name, labels, into: &text)
            }
        }
        return text
    }

    private static func merged(_ families: [MetricFamily]) -> [MetricFamily] {
        var places: [String: Int] = [:]
        var all: [MetricFamily] = []
        for family in families {
            if let place = places[family.name] {
                guard all[place].kind == family.kind else { continue }
                all[place].samples += family.samples
            } else {
                places[family.name] = all.count
                all.append(family)
            }
        }
        return all.sorted { $0.name < $1.name }
    }

    private static func write(
        _ value: MetricFamily.Value, _ name: String, _ labels: [MetricFamily.Label], into text: inout String
    ) {
        switch value {
        case .number(let number): text += "\(name)\(braces(labels)) \(decimal(number))\n"
        case .histogram(let histogram):
            var total: UInt64 = 0
            for (index, count) in histogram.counts.enumerated() {
                total &+= count
                let bound = index < histogram.bounds.count ? decimal(histogram.bounds[index]) : "+Inf"
                text += "\(name)_bucket\(braces(labels + [MetricFamily.Label("le", bound)])) \(total)\n"
            }
            text += "\(name)_sum\(braces(labels)) \(decimal(histogram.sum))\n"
            text += "\(name)_count\(braces(labels)) \(total)\n"
        }
    }

    private static func braces(_ labels: [MetricFamily.Label]) -> String {
        guard !labels.isEmpty else { return "" }
        let pairs = labels.map { "\($0.name)=\"\(escaped($0.value, quotes: true))\"" }
        return "{\(pairs.joined(separator: ","))}"
    }

    /// Backslash and line feed are escaped everywhere, quotes in label values.
    private static func escaped(_ text: String, quotes: Bool = false) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func decimal(_ number: Double) -> String {
        if number.isNaN { return "NaN" }
        if number.isInfinite { return number > 0 ? "+Inf" : "-Inf" }
        if let whole = Int64(exactly: number) { return "\(whole)" }
        return "\(number)"
    }
}
