internal import CSystemCalls

/// CRC-32C (Castagnoli, polynomial 0x1EDC6F41 reflected, as in RFC 3720 appendix B.4): by the processor's own instruction
/// where it has one, else eight bytes a step by table.
public enum Checksum {
    /// The CRC of `bytes`; 0 for none.
    public static func of(_ bytes: ByteView) -> UInt32 {
        guard hasInstruction, let base = unsafe bytes.base else { return byTable(bytes) }
        return unsafe ~ostraka_crc32c(~0, base, bytes.count)
    }

    static let hasInstruction = ostraka_has_crc32c() == 1

    static func byTable(_ bytes: ByteView) -> UInt32 {
        var crc: UInt32 = ~0
        let tables = Self.tables
        unsafe tables.withUnsafeBufferPointer { table in
            let raw = unsafe bytes.raw
            var index = 0
            while index + 8 <= bytes.count {
                let word = unsafe UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: index, as: UInt64.self))
                let mixed = word ^ UInt64(crc)
                crc = 0
                for lane in 0..<8 {
                    let byte = Int(truncatingIfNeeded: mixed >> UInt64(8 * lane)) & 0xFF
                    crc ^= unsafe table[(7 - lane) * 256 + byte]
                }
                index += 8
            }
            while index < bytes.count {
                let byte = unsafe raw[index]
                crc = unsafe crc >> 8 ^ table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)]
                index += 1
            }
        }
        return ~crc
    }

    private static let tables: [UInt32] = {
        var table = [UInt32](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            var crc = UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 0 ? crc >> 1 : crc >> 1 ^ 0x82F6_3B78 }
            table[byte] = crc
        }
        for lane in 1..<8 {
            for byte in 0..<256 {
                let crc = table[(lane - 1) * 256 + byte]
                table[lane * 256 + byte] = crc >> 8 ^ table[Int(crc & 0xFF)]
            }
        }
        return table
    }()
}
