import ClusterModel

// Bits of strings. Semantics and error texts as Redis 7.0 (bitops.c); bit 0 is the highest of the first byte.
extension Engine {
    mutating func runBit(_ id: CommandID, _ call: inout Call) {
        switch id {
        case .setbit: setBit(&call)
        case .getbit: getBit(&call)
        case .bitcount: countBits(&call)
        case .bitpos: findBit(&call)
        case .bitop: combineBits(&call)
        case .bitfield: bitField(&call, isReadonly: false)
        case .bitfieldRo: bitField(&call, isReadonly: true)
        default: break
        }
    }

    /// A bit offset within the longest value; `#n` counts in units of `width`.
    static func bitOffset(_ bytes: ByteView, width: Int? = nil) -> Int? {
        var digits = bytes
        var factor: Int64 = 1
        if let width, bytes.count > 1, bytes[0] == 35 {
            digits = bytes[1..<bytes.count]
            factor = Int64(width)
        }
        guard let number = WholeNumber.parse(digits) else { return nil }
        let (offset, overflow) = number.multipliedReportingOverflow(by: factor)
        guard !overflow, offset >= 0, offset >> 3 < Limits.valueBytes else { return nil }
        return Int(offset)
    }

    static let badOffset = "ERR bit offset is not an integer or out of range"

    private mutating func setBit(_ call: inout Call) {
        guard let offset = Self.bitOffset(call[2]) else { return call.reply.error(Self.badOffset) }
        guard let bit = WholeNumber.parse(call[3]), bit == 0 || bit == 1 else {
            return call.reply.error("ERR bit is not an integer or out of range")
        }
        let old = row(&call, call[1])
        scratch.removeAll()
        if let old { scratch.append(old.value) }
        while scratch.count <= offset >> 3 { scratch.append(0) }
        let mask = UInt8(0x80) >> UInt8(offset & 7)
        let byte = scratch.view[offset >> 3]
        scratch.replace(at: offset >> 3, littleEndian: bit == 1 ? byte | mask : byte & ~mask)
        put(&call, call[1], scratch.view, deadline: old?.deadline ?? 0)
        call.reply.integer(byte & mask == 0 ? 0 : 1)
    }

    private mutating func getBit(_ call: inout Call) {
        guard let offset = Self.bitOffset(call[2]) else { return call.reply.error(Self.badOffset) }
        guard let row = row(&call, call[1]), offset >> 3 < row.value.count else { return call.reply.integer(0) }
        call.reply.integer(row.value[offset >> 3] & UInt8(0x80) >> UInt8(offset & 7) == 0 ? 0 : 1)
    }

    // MARK: Ranges

    /// The bits from ... to that `start end [BYTE|BIT]` name in a value of so many bytes; nil = none.
    private func bits(_ start: Int64, _ end: Int64, ofBytes count: Int, inBits: Bool) -> ClosedRange<Int>? {
        let total = Int64(inBits ? count * 8 : count)
        let low = max(start < 0 ? start &+ total : start, 0)
        let high = min(max(end < 0 ? end &+ total : end, 0), total - 1)
        guard low <= high else { return nil }
        return inBits ? Int(low)...Int(high) : Int(low) * 8...Int(high) * 8 + 7
    }

    /// Reads BYTE or BIT; nil for any other word.
    private func isInBits(_ word: ByteView) -> Bool? {
        if word.equalsIgnoringCase("bit") { return true }
        return word.equalsIgnoringCase("byte") ? false : nil
    }

    private mutating func countBits(_ call: inout Call) {
        // Redis looks at the options of a key that exists only.
        guard let row = row(&call, call[1]) else { return call.reply.integer(0) }
        guard call.count == 2 || call.count == 4 || call.count == 5 else { return call.reply.error("ERR syntax error") }
        var range: (start: Int64, end: Int64) = (0, -1)
        var inBits = false
        if call.count >= 4 {
            guard let start = WholeNumber.parse(call[2]), let end = WholeNumber.parse(call[3]) else {
                return call.reply.error(WholeNumber.refusal)
            }
            range = (start, end)
            if start < 0, end < 0, start > end { return call.reply.integer(0) }
        }
        if call.count == 5 {
            guard let unit = isInBits(call[4]) else { return call.reply.error("ERR syntax error") }
            inBits = unit
        }
        guard let bits = bits(range.start, range.end, ofBytes: row.value.count, inBits: inBits) else {
            return call.reply.integer(0)
        }
        var count = 0
        for index in bits.lowerBound >> 3...bits.upperBound >> 3 {
            count += (row.value[index] & mask(bits, byte: index)).nonzeroBitCount
        }
        call.reply.integer(count)
    }

    /// The bits of a byte that lie in the range.
    private func mask(_ bits: ClosedRange<Int>, byte: Int) -> UInt8 {
        var mask: UInt8 = 0xFF
        if byte == bits.lowerBound >> 3 { mask &= 0xFF >> UInt8(bits.lowerBound & 7) }
        if byte == bits.upperBound >> 3 { mask &= 0xFF << UInt8(7 - bits.upperBound & 7) }
        return mask
    }

    private mutating func findBit(_ call: inout Call) {
        guard let bit = WholeNumber.parse(call[2]) else { return call.reply.error(WholeNumber.refusal) }
        guard bit == 0 || bit == 1 else { return call.reply.error("ERR The bit argument must be 1 or 0.") }
        // Redis looks at the options of a key that exists only.
        guard let row = row(&call, call[1]) else { return call.reply.integer(bit == 1 ? -1 : 0) }
        guard call.count <= 6 else { return call.reply.error("ERR syntax error") }
        var range: (start: Int64, end: Int64) = (0, -1)
        var inBits = false
        if call.count >= 4 {
            guard let start = WholeNumber.parse(call[3]) else {
                return call.reply.error(WholeNumber.refusal)
            }
            range.start = start
        }
        if call.count == 6 {
            guard let unit = isInBits(call[5]) else { return call.reply.error("ERR syntax error") }
            inBits = unit
        }
        if call.count >= 5 {
            guard let end = WholeNumber.parse(call[4]) else {
                return call.reply.error(WholeNumber.refusal)
            }
            range.end = end
        }
        guard let bits = bits(range.start, range.end, ofBytes: row.value.count, inBits: inBits) else {
            return call.reply.integer(-1)
        }
        for index in bits.lowerBound >> 3...bits.upperBound >> 3 {
            let byte = (bit == 1 ? row.value[index] : ~row.value[index]) & mask(bits, byte: index)
            if byte != 0 { return call.reply.integer(index * 8 + byte.leadingZeroBitCount) }
        }
        // A value of ones only, asked for a 0 without an end: the first 0 is taken to be behind it.
        call.reply.integer(bit == 0 && call.count < 5 ? row.value.count * 8 : -1)
    }

    // MARK: BITOP

    private mutating func combineBits(_ call: inout Call) {
        let word = call[1]
        let combine: (UInt8, UInt8) -> UInt8
        if word.equalsIgnoringCase("and") {
            combine = { $0 & $1 }
        } else if word.equalsIgnoringCase("or") {
            combine = { $0 | $1 }
        } else if word.equalsIgnoringCase("xor") {
            combine = { $0 ^ $1 }
        } else if word.equalsIgnoringCase("not") {
            guard call.count == 4 else {
                return call.reply.error("ERR BITOP NOT must be called with a single source key.")
            }
            combine = { _, byte in ~byte }
        } else {
            return call.reply.error("ERR syntax error")
        }
        var result: [UInt8] = []
        for index in 3..<call.count {
            let bytes = row(&call, call[index])?.value ?? .empty
            if index == 3 {
                result = word.equalsIgnoringCase("not") ? bytes.array.map { ~$0 } : bytes.array
                continue
            }
            let longest = max(result.count, bytes.count)
            result.append(contentsOf: [UInt8](repeating: 0, count: longest - result.count))
            for place in 0..<longest { result[place] = combine(result[place], place < bytes.count ? bytes[place] : 0) }
        }
        if result.isEmpty {
            if row(&call, call[2]) != nil { remove(&call, call[2]) }
        } else {
            result.withByteView { put(&call, call[2], $0) }
        }
        call.reply.integer(result.count)
    }
}
