/// A Redis Cluster hash slot: CRC16(key, or its {tag}) mod 16384.
///
/// Source: Redis Cluster specification, "Keys distribution model" (CRC-16/XMODEM, polynomial 0x1021, start 0).
public struct Slot: Hashable, Comparable, Codable, Sendable, CustomStringConvertible {
    /// How many slots there are.
    public static let count: UInt16 = 16384
    /// 0 ..< 16384.
    public let number: UInt16

    /// - Precondition: `number < Slot.count`.
    @inline(__always) public init(number: UInt16) {
        precondition(number < Slot.count)
        self.number = number
    }

    @inline(__always) public static func < (left: Slot, right: Slot) -> Bool { left.number < right.number }
    public var description: String { "\(number)" }

    /// The slot of a key given as bytes.
    @inline(__always) public init(ofKey key: some Collection<UInt8>) {
        let whole = key.withContiguousStorageIfAvailable { unsafe Slot.number(of: $0) }
        if let whole {
            self.init(number: whole)
        } else {
            let copy = Array(key)
            self.init(number: unsafe copy.withUnsafeBufferPointer { unsafe Slot.number(of: $0) })
        }
    }

    /// The slot's number for key bytes in memory: of the part between the first `{` and the next `}` if that part is
    /// not empty, else of the whole key.
    public static func number(of key: UnsafeBufferPointer<UInt8>) -> UInt16 {
        guard let base = key.baseAddress else { return 0 }
        var start = 0
        var end = key.count
        if let open = unsafe firstBrace(base, key.count) {
            var close = open + 1
            while close < key.count, unsafe base[close] != 0x7D { close += 1 }
            if close < key.count, close > open + 1 {
                start = open + 1
                end = close
            }
        }
        return unsafe checksum(base + start, end - start) & (Slot.count - 1)
    }

    /// The place of the first `{`, looked for eight bytes at a time.
    @inline(__always)
    private static func firstBrace(_ base: UnsafePointer<UInt8>, _ count: Int) -> Int? {
        var place = 0
        while place &+ 8 <= count {
            let word = unsafe UnsafeRawPointer(base + place).loadUnaligned(as: UInt64.self).littleEndian
            let other = word ^ 0x7B7B_7B7B_7B7B_7B7B
            let found = (other &- 0x0101_0101_0101_0101) & ~other & 0x8080_8080_8080_8080
            if found != 0 { return place &+ found.trailingZeroBitCount / 8 }
            place &+= 8
        }
        while place < count {
            if unsafe base[place] == 0x7B { return place }
            place &+= 1
        }
        return nil
    }

    /// CRC-16/XMODEM, eight bytes a step: `tables[k]` holds what a byte means with k bytes behind it.
    @inline(__always)
    private static func checksum(_ base: UnsafePointer<UInt8>, _ count: Int) -> UInt16 {
        let table = unsafe tables.base
        var crc: UInt16 = 0
        var place = 0
        while place &+ 8 <= count {
            let bytes = unsafe UnsafeRawPointer(base + place).loadUnaligned(as: UInt64.self).bigEndian
            let word = bytes ^ UInt64(crc) << 48
            crc = 0
            for lane in 0..<8 {
                let byte = Int(truncatingIfNeeded: word >> UInt64(8 &* lane)) & 0xFF
                unsafe crc ^= table[lane &* 256 &+ byte]
            }
            place &+= 8
        }
        while place < count {
            unsafe crc = crc << 8 ^ table[Int(crc >> 8 ^ UInt16(base[place]))]
            place &+= 1
        }
        return crc
    }

    /// Eight tables of 256, made once and kept for the life of the process.
    @safe private struct Tables: @unchecked Sendable {
        let base: UnsafePointer<UInt16>

        init() {
            let room = UnsafeMutablePointer<UInt16>.allocate(capacity: 8 * 256)
            for byte in 0..<256 {
                var crc = UInt16(byte) << 8
                for _ in 0..<8 { crc = crc & 0x8000 != 0 ? crc << 1 ^ 0x1021 : crc << 1 }
                unsafe room[byte] = crc
            }
            for index in 256..<8 * 256 {
                let shorter = unsafe room[index - 256]
                unsafe room[index] = shorter << 8 ^ room[Int(shorter >> 8)]
            }
            unsafe base = UnsafePointer(room)
        }
    }

    private static let tables = Tables()
}
