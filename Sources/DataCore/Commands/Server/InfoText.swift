/// The text of INFO: sections of lines `field:value`.
struct InfoText {
    private(set) var text = ""

    mutating func section(_ title: StaticString) {
        if !text.isEmpty { text += "\r\n" }
        text += "# \(title)\r\n"
    }

    mutating func field(_ name: String, _ value: String) { text += "\(name):\(value)\r\n" }
    mutating func field(_ name: String, _ value: some BinaryInteger) { text += "\(name):\(value)\r\n" }
    mutating func field(_ name: String, _ value: Bool) { text += "\(name):\(value ? 1 : 0)\r\n" }

    /// A size, and behind it the same for people: `used_memory_human:1.50M`.
    mutating func size(_ name: String, _ bytes: Int) {
        field(name, bytes)
        field("\(name)_human", Self.human(bytes))
    }

    /// Many fields that are always 0 here, for clients that read them.
    mutating func zeros(_ names: String) {
        for name in names.split(separator: " ") { field(String(name), 0) }
    }

    /// Sizes as Redis writes them for people.
    static func human(_ bytes: Int) -> String {
        let units: [(suffix: String, size: Int)] = [("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10)]
        guard let unit = units.first(where: { bytes >= $0.size }) else { return "\(bytes)B" }
        return decimal(Double(bytes) / Double(unit.size)) + unit.suffix
    }

    /// A number that is not negative, with two digits behind the point.
    static func decimal(_ value: Double) -> String {
        guard value.isFinite, value >= 0, value < 1e15 else { return "0.00" }
        let hundredths = Int((value * 100).rounded())
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }

    /// µs as seconds with six digits behind the point.
    static func seconds(micros: Int64) -> String {
        let rest = String(max(micros, 0) % 1_000_000)
        return "\(max(micros, 0) / 1_000_000)." + String(repeating: "0", count: 6 - rest.count) + rest
    }
}
