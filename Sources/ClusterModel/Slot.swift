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
        var start = 0
        var end = key.count
        if let open = unsafe key.firstIndex(of: 0x7B) {
            var close = open + 1
            while close < key.count, unsafe key[close] != 0x7D { close += 1 }
            if close < key.count, close > open + 1 {
                start = open + 1
                end = close
            }
        }
        var crc: UInt16 = 0
        for index in start..<end {
            crc = crc << 8 ^ Slot.table[Int(crc >> 8 ^ UInt16(unsafe key[index]))]
        }
        return crc & (Slot.count - 1)
    }

    private static let table: [UInt16] = (0..<256).map { (byte: Int) -> UInt16 in
        var crc = UInt16(byte) << 8
        for _ in 0..<8 { crc = crc & 0x8000 != 0 ? crc << 1 ^ 0x1021 : crc << 1 }
        return crc
    }
}
