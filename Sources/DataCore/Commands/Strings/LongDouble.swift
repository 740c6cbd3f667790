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
        guard bytes.count > 0, bytes.count < 5120, bytes[0] > 32 else { return nil }
        let text = bytes.text
        // Hexadecimal floats and infinities are strtold's too; NaN is refused.
        guard let value = LongDouble(text), !value.isNaN else { return nil }
        // Out of range, above or below, as strtold's ERANGE: digits that came to infinity or to nothing.
        if value.isInfinite, text.contains(where: \.isNumber) { return nil }
        if value.isZero, !isZero(bytes) { return nil }
        return value
    }

    /// Whether the digits before the exponent are zeros.
    private static func isZero(_ bytes: ByteView) -> Bool {
        let isHexadecimal = bytes.array.contains { $0 | 32 == UInt8(ascii: "x") }
        for byte in bytes.array {
            if byte | 32 == UInt8(ascii: isHexadecimal ? "p" : "e") { return true }
            if byte >= UInt8(ascii: "1"), byte <= UInt8(ascii: "9") { return false }
            if isHexadecimal, byte | 32 >= UInt8(ascii: "a"), byte | 32 <= UInt8(ascii: "f") { return false }
        }
        return true
    }

    /// The digits of a whole number of 2^63 and more, exactly: its 64 leading bits, doubled in limbs of nine digits.
    private static func digits(ofLarge whole: LongDouble) -> [UInt8] {
        let significand = UInt64(whole.significand * 0x1p63)
        var limbs = [significand % 1_000_000_000, significand / 1_000_000_000 % 1_000_000_000]
        limbs.append(significand / 1_000_000_000_000_000_000)
        var shift = Int(whole.exponent) - 63
        while shift > 0 {
            let step = UInt64(min(shift, 30))
            var carry: UInt64 = 0
            for index in limbs.indices {
                let sum = limbs[index] << step + carry
                limbs[index] = sum % 1_000_000_000
                carry = sum / 1_000_000_000
            }
            while carry > 0 {
                limbs.append(carry % 1_000_000_000)
                carry /= 1_000_000_000
            }
            shift -= Int(step)
        }
        while limbs.count > 1, limbs.last == 0 { limbs.removeLast() }
        var digits = Array("\(limbs.last ?? 0)".utf8)
        for limb in limbs.dropLast().reversed() {
            let text = Array("\(limb)".utf8)
            digits += [UInt8](repeating: 48, count: 9 - text.count) + text
        }
        return digits
    }

    /// A float as Redis shows it to people: 17 digits behind the point, zeros at the end left out.
    static func text(_ value: LongDouble) -> [UInt8] {
        let magnitude = value.magnitude
        var whole = magnitude.rounded(.towardZero)
        var fraction = UInt64(((magnitude - whole) * 1e17).rounded(.toNearestOrEven))
        if fraction >= 100_000_000_000_000_000 {
            whole += 1
            fraction = 0
        }
        var digits: [UInt8] = []
        if whole < 0x1p63 {
            digits = Array("\(UInt64(whole))".utf8)
        } else {
            digits = Self.digits(ofLarge: whole)
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
