internal import ClusterModel

// Walking over received bytes. Every function takes the end of what may be read and never goes beyond it.

/// One step over a line of the protocol.
enum Line {
    /// The number on it, and the place behind its end.
    case number(Int, next: Int)
    /// Its end has not arrived.
    case incomplete
    case tooLong
    /// Not a number as Redis's string2ll reads it.
    case invalid(next: Int)
}

/// The place of `byte` in `from ..< end`, or -1.
@inline(__always)
func find(_ byte: UInt8, _ base: UnsafePointer<UInt8>, _ from: Int, _ end: Int) -> Int {
    var place = from
    let pattern = UInt64(byte) &* 0x0101_0101_0101_0101
    while place &+ 8 <= end {
        let word = unsafe UnsafeRawPointer(base + place).loadUnaligned(as: UInt64.self).littleEndian ^ pattern
        let zeros = (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
        if zeros != 0 { return place &+ zeros.trailingZeroBitCount / 8 }
        place &+= 8
    }
    while place < end {
        if unsafe base[place] == byte { return place }
        place &+= 1
    }
    return -1
}

/// A line that has begun and whose end was not seen: how far it was looked for, so that it is not looked for again.
struct OpenLine: Sendable {
    /// Where it begins, from the first byte of the command.
    var start = -1
    /// Bytes from the first of the command that hold no end of it.
    var searched = 0
}

/// Reads the number from `place` to the next CR, as Redis does: the byte behind the CR is taken for a LF unseen.
///
/// - Parameter origin: the first byte of the command.
@inline(__always)
func number(_ base: UnsafePointer<UInt8>, _ place: Int, _ end: Int, _ open: inout OpenLine, origin: Int) -> Line {
    // The usual case: up to eight digits, no zero in front, all there.
    if place &+ 10 <= end {
        var next = place
        var value = 0
        while next < place &+ 8 {
            let digit = unsafe base[next] &- 48
            if digit > 9 { break }
            value = value &* 10 &+ Int(digit)
            next &+= 1
        }
        if next > place, unsafe base[next] == 13, unsafe base[place] != 48 || next == place &+ 1 {
            return .number(value, next: next &+ 2)
        }
    }
    return unsafe anyNumber(base, place, end, &open, origin: origin)
}

@inline(never)
private func anyNumber(
    _ base: UnsafePointer<UInt8>, _ place: Int, _ end: Int, _ open: inout OpenLine, origin: Int
) -> Line {
    let bound = min(end, place + Limits.inlineBytes + 1)
    let from = open.start == place - origin ? max(place, origin + open.searched) : place
    let stop = unsafe find(13, base, from, bound)
    if stop < 0, end - place > Limits.inlineBytes { return .tooLong }
    if stop < 0 || stop + 1 >= end {
        open = OpenLine(start: place - origin, searched: (stop < 0 ? end : stop) - origin)
        return .incomplete
    }
    guard let value = strictInteger(unsafe ByteView(base: base + place, count: stop - place)) else {
        return .invalid(next: stop + 2)
    }
    return .number(value, next: stop + 2)
}

/// An integer as Redis's string2ll reads it: an optional `-`, digits without a leading zero, within 64 bits.
func strictInteger(_ bytes: ByteView) -> Int? {
    guard bytes.count > 0, bytes.count <= 20 else { return nil }
    if bytes.count == 1, bytes[0] == 48 { return 0 }
    let isNegative = bytes[0] == 45
    let first = isNegative ? 1 : 0
    guard first < bytes.count, bytes[first] != 48 else { return nil }
    var value = 0
    for index in first..<bytes.count {
        let digit = bytes[index] &- 48
        guard digit <= 9 else { return nil }
        let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
        let (next, carry) =
            isNegative ? tens.subtractingReportingOverflow(Int(digit)) : tens.addingReportingOverflow(Int(digit))
        if overflow || carry { return nil }
        value = next
    }
    return value
}
