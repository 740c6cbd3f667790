import ClusterModel

#if arch(x86_64) || arch(i386)
    /// The widest float of the machine: what Redis calls long double.
    typealias LongDouble = Float80
#else
    /// The widest float of the machine: what Redis calls long double.
    typealias LongDouble = Double
#endif

/// Floats in arguments and values.
enum FloatText {
    /// A float as strtold reads it, the whole of the bytes; nil for anything else and for NaN.
    static func parse(_ bytes: ByteView) -> LongDouble? {
        guard bytes.count > 0, bytes.count < 256, bytes[0] > 32 else { return nil }
        let text = bytes.text
        // Hexadecimal floats and infinities are strtold's too; NaN is refused.
        guard let value = LongDouble(text), !value.isNaN else { return nil }
        return value
    }

    /// A float as Redis shows it to people: 17 digits behind the point, zeros at the end left out.
    static func text(_ value: LongDouble) -> [UInt8] {
        var magnitude = value.magnitude
        var whole = magnitude.rounded(.towardZero)
        var fraction = UInt64(((magnitude - whole) * 1e17).rounded(.toNearestOrEven))
        if fraction >= 100_000_000_000_000_000 {
            whole += 1
            fraction = 0
        }
        var digits: [UInt8] = []
        magnitude = whole
        if whole < 18_446_744_073_709_551_615 {
            digits = Array("\(UInt64(whole))".utf8)
        } else {
            // Beyond 64 bits every digit is a division; such numbers are rare.
            while magnitude >= 1 {
                let digit = magnitude.truncatingRemainder(dividingBy: 10)
                digits.append(48 + UInt8(digit))
                magnitude = ((magnitude - digit) / 10).rounded(.toNearestOrEven)
            }
            digits.reverse()
        }
        if fraction > 0 {
            var tail = Array("\(fraction)".utf8)
            tail = [UInt8](repeating: 48, count: 17 - tail.count) + tail
            while tail.last == 48 { tail.removeLast() }
            digits += [46] + tail
        }
        if value < 0, digits != [48] { digits.insert(45, at: 0) }
        return digits
    }
}
