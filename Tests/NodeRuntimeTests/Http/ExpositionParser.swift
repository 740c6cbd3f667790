/// A strict reader of Prometheus's text format 0.0.4: it refuses what the format does not allow, so that a scrape that
/// passes here passes a real one.
struct ExpositionParser {
    struct Refusal: Error, CustomStringConvertible {
        var line: Int
        var why: String
        var description: String { "line \(line): \(why)" }
    }

    struct Sample: Equatable {
        var name: String
        var labels: [String: String]
        var value: Double
    }

    struct Family {
        var type: String
        var help: String
        var samples: [Sample] = []

        /// The value of the sample with exactly these labels.
        func value(_ labels: [String: String] = [:], name: String? = nil) -> Double? {
            samples.first { $0.labels == labels && (name == nil || $0.name == name) }?.value
        }
    }

    static func parse(_ text: String) throws -> [String: Family] {
        var parser = ExpositionParser()
        guard text.isEmpty || text.hasSuffix("\n") else { throw Refusal(line: 0, why: "the last line has no end") }
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().enumerated() {
            parser.line = index + 1
            try parser.take(String(line))
        }
        try parser.endFamily()
        return parser.families
    }

    private var families: [String: Family] = [:]
    private var name: String?
    private var line = 0

    private func refuse(_ why: String) -> Refusal { Refusal(line: line, why: why) }

    private mutating func take(_ text: String) throws {
        if text.hasPrefix("# HELP ") {
            try endFamily()
            let parts = text.dropFirst(7).split(separator: " ", maxSplits: 1)
            guard parts.count == 2, isName(parts[0]) else { throw refuse("HELP without name or text") }
            guard families[String(parts[0])] == nil else { throw refuse("a second group of \(parts[0])") }
            name = String(parts[0])
            families[String(parts[0])] = Family(type: "", help: try unescaped(String(parts[1]), quotes: false))
        } else if text.hasPrefix("# TYPE ") {
            let parts = text.dropFirst(7).split(separator: " ")
            guard parts.count == 2, let name, parts[0] == name else { throw refuse("TYPE that follows no HELP of it") }
            guard ["counter", "gauge", "histogram"].contains(parts[1]) else { throw refuse("unknown type \(parts[1])") }
            guard families[name]?.type == "", families[name]?.samples.isEmpty == true else {
                throw refuse("TYPE behind samples")
            }
            families[name]?.type = String(parts[1])
        } else {
            try add(try sample(text))
        }
    }

    private mutating func add(_ sample: Sample) throws {
        guard let name, let family = families[name] else { throw refuse("a sample without a group") }
        let names = family.type == "histogram" ? ["_bucket", "_sum", "_count"].map { name + $0 } : [name]
        guard names.contains(sample.name) else { throw refuse("\(sample.name) in the group of \(name)") }
        guard !family.samples.contains(where: { $0.name == sample.name && $0.labels == sample.labels }) else {
            throw refuse("\(sample.name) twice with the same labels")
        }
        if family.type == "counter", !(sample.value >= 0) { throw refuse("a counter below 0") }
        families[name]?.samples.append(sample)
    }

    /// Checks what only the whole group shows.
    private mutating func endFamily() throws {
        guard let name, let family = families[name] else { return }
        guard !family.type.isEmpty, !family.samples.isEmpty else { throw refuse("\(name) has no TYPE or no sample") }
        guard family.type == "histogram" else { return }
        var groups: [[String: String]: [Sample]] = [:]
        for sample in family.samples where sample.name == name + "_bucket" {
            var labels = sample.labels
            guard labels.removeValue(forKey: "le") != nil else { throw refuse("a bucket without le") }
            groups[labels, default: []].append(sample)
        }
        for (labels, buckets) in groups {
            let bounds = buckets.compactMap { $0.labels["le"].flatMap(Self.number) }
            guard bounds.count == buckets.count, bounds == bounds.sorted(), bounds.last == .infinity else {
                throw refuse("\(name): bounds must rise to +Inf")
            }
            let counts = buckets.map(\.value)
            guard counts == counts.sorted(), counts.last == family.value(labels, name: name + "_count"),
                family.value(labels, name: name + "_sum") != nil
            else { throw refuse("\(name): buckets must not fall and end at the count") }
        }
    }

    private func sample(_ text: String) throws -> Sample {
        var rest = text[...]
        let name = rest.prefix { $0 != "{" && $0 != " " }
        guard isName(name) else { throw refuse("'\(name)' is no name") }
        rest = rest.dropFirst(name.count)
        var labels: [String: String] = [:]
        if rest.hasPrefix("{") {
            rest = rest.dropFirst()
            while !rest.hasPrefix("}") {
                let label = rest.prefix { $0 != "=" }
                guard isName(label), !label.contains(":") else { throw refuse("'\(label)' is no label name") }
                rest = rest.dropFirst(label.count)
                guard rest.hasPrefix("=\"") else { throw refuse("a label value without quotes") }
                rest = rest.dropFirst(2)
                var value = ""
                while let character = rest.first, character != "\"" {
                    value.append(character)
                    rest = rest.dropFirst()
                    if character == "\\", let next = rest.first {
                        value.append(next)
                        rest = rest.dropFirst()
                    }
                }
                guard rest.hasPrefix("\"") else { throw refuse("a label value without end") }
                rest = rest.dropFirst()
                let old = labels.updateValue(try unescaped(value, quotes: true), forKey: String(label))
                guard old == nil else { throw refuse("label \(label) twice") }
                if rest.hasPrefix(",") {
                    rest = rest.dropFirst()
                } else if !rest.hasPrefix("}") {
                    throw refuse("labels without a comma")
                }
            }
            rest = rest.dropFirst()
        }
        guard rest.hasPrefix(" "), let value = Self.number(String(rest.dropFirst())) else {
            throw refuse("'\(rest)' is no value")
        }
        return Sample(name: String(name), labels: labels, value: value)
    }

    private static func number(_ text: String) -> Double? {
        switch text {
        case "+Inf": .infinity
        case "-Inf": -.infinity
        case "NaN": .nan
        default: text.contains(/^[-+0-9.eE]+$/) ? Double(text) : nil
        }
    }

    private func isName(_ text: Substring) -> Bool { text.contains(/^[a-zA-Z_:][a-zA-Z0-9_:]*$/) }

    private func unescaped(_ text: String, quotes: Bool) throws -> String {
        var result = ""
        var isEscaped = false
        for character in text {
            if isEscaped {
                switch character {
                case "n": result.append("\n")
                case "\\": result.append("\\")
                case "\"" where quotes: result.append("\"")
                default: throw refuse("\\\(character) is no escape")
                }
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else {
                result.append(character)
            }
        }
        guard !isEscaped else { throw refuse("a lone backslash") }
        return result
    }
}
