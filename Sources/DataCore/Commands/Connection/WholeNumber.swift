import ClusterModel

/// Whole numbers as Redis reads them in arguments: decimal, an optional minus, no space, no leading zero or plus.
enum WholeNumber {
    static func parse(_ text: ByteView) -> Int64? {
        guard text.count > 0, text[0] == UInt8(ascii: "-") else {
            return text.decimal.flatMap { Int64(exactly: $0) }
        }
        let digits = text[1..<text.count]
        guard let magnitude = digits.decimal, magnitude > 0, magnitude <= Int64.min.magnitude else { return nil }
        return magnitude == Int64.min.magnitude ? Int64.min : -Int64(magnitude)
    }

    static let refusal = "ERR value is not an integer or out of range"
}
