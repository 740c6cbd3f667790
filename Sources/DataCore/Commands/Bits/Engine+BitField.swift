import ClusterModel

// BITFIELD: integers of 1 to 64 bits anywhere in a value, as bitops.c of Redis 7.0.
extension Engine {
    private enum Overflow { case wrap, saturate, fail }

    private struct FieldOperation {
        enum Kind { case get, set(Int64), increment(Int64) }
        var kind: Kind
        var isSigned: Bool
        var width: Int
        var offset: Int
        var overflow: Overflow

        var isWrite: Bool { if case .get = kind { false } else { true } }
    }

    mutating func bitField(_ call: inout Call, isReadonly: Bool) {
        var operations: [FieldOperation] = []
        if let error = parse(call, isReadonly: isReadonly, into: &operations) { return call.reply.error(error) }
        let old = row(&call, call[1])
        let deadline = old?.deadline ?? 0
        var bytes = old?.value.array ?? []
        // The value grows to hold every field that is written, even where the write then fails.
        let end = operations.map { $0.isWrite ? ($0.offset + $0.width + 7) >> 3 : 0 }.max() ?? 0
        var isChanged = bytes.count < end
        if isChanged { bytes.append(contentsOf: [UInt8](repeating: 0, count: end - bytes.count)) }
        call.reply.array(operations.count)
        for operation in operations {
            let before = read(bytes, operation)
            switch operation.kind {
            case .get: call.reply.integer(before)
            case .set(let value):
                guard let stored = fit(value, 0, operation) else {
                    call.reply.null()
                    continue
                }
                write(&bytes, operation, stored)
                isChanged = true
                call.reply.integer(before)
            case .increment(let amount):
                guard let stored = fit(before, amount, operation) else {
                    call.reply.null()
                    continue
                }
                write(&bytes, operation, stored)
                isChanged = true
                call.reply.integer(stored)
            }
        }
        if isChanged { bytes.withByteView { put(&call, call[1], $0, deadline: deadline) } }
    }

    private func parse(_ call: Call, isReadonly: Bool, into operations: inout [FieldOperation]) -> String? {
        var overflow = Overflow.wrap
        var index = 2
        while index < call.count {
            let word = call[index]
            let left = call.count - index - 1
            if word.equalsIgnoringCase("overflow"), left >= 1 {
                let kind = call[index + 1]
                if kind.equalsIgnoringCase("wrap") {
                    overflow = .wrap
                } else if kind.equalsIgnoringCase("sat") {
                    overflow = .saturate
                } else if kind.equalsIgnoringCase("fail") {
                    overflow = .fail
                } else {
                    return "ERR Invalid OVERFLOW type specified"
                }
                index += 2
                continue
            }
            let isGet = word.equalsIgnoringCase("get") && left >= 2
            let isSet = word.equalsIgnoringCase("set") && left >= 3
            let isIncrement = word.equalsIgnoringCase("incrby") && left >= 3
            guard isGet || isSet || isIncrement else { return "ERR syntax error" }
            guard let (isSigned, width) = type(call[index + 1]) else {
                return
                    "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is."
            }
            guard let offset = Self.bitOffset(call[index + 2], width: width),
                (offset + width - 1) >> 3 < Limits.valueBytes
            else { return Self.badOffset }
            var kind = FieldOperation.Kind.get
            if !isGet {
                guard let value = WholeNumber.parse(call[index + 3]) else {
                    return WholeNumber.refusal
                }
                kind = isSet ? .set(value) : .increment(value)
            }
            operations.append(
                FieldOperation(kind: kind, isSigned: isSigned, width: width, offset: offset, overflow: overflow))
            index += isGet ? 3 : 4
        }
        return isReadonly && operations.contains(where: \.isWrite)
            ? "ERR BITFIELD_RO only supports the GET subcommand" : nil
    }

    private func type(_ word: ByteView) -> (isSigned: Bool, width: Int)? {
        guard word.count >= 2, word[0] == 105 || word[0] == 117, let width = WholeNumber.parse(word[1..<word.count])
        else {
            return nil
        }
        let isSigned = word[0] == 105
        guard width >= 1, width <= (isSigned ? 64 : 63) else { return nil }
        return (isSigned, Int(width))
    }

    private func read(_ bytes: [UInt8], _ operation: FieldOperation) -> Int64 {
        var value: UInt64 = 0
        for bit in operation.offset..<operation.offset + operation.width {
            let byte = bit >> 3 < bytes.count ? bytes[bit >> 3] : 0
            value = value << 1 | UInt64(byte >> UInt8(7 - bit & 7) & 1)
        }
        if operation.isSigned, operation.width < 64, value >> UInt64(operation.width - 1) & 1 == 1 {
            value |= ~0 << UInt64(operation.width)
        }
        return Int64(bitPattern: value)
    }

    private func write(_ bytes: inout [UInt8], _ operation: FieldOperation, _ value: Int64) {
        for index in 0..<operation.width {
            let bit = operation.offset + index
            let mask = UInt8(0x80) >> UInt8(bit & 7)
            let isSet = UInt64(bitPattern: value) >> UInt64(operation.width - 1 - index) & 1 == 1
            if isSet { bytes[bit >> 3] |= mask } else { bytes[bit >> 3] &= ~mask }
        }
    }

    /// `value + amount` as the field can hold it; nil when it must fail.
    private func fit(_ value: Int64, _ amount: Int64, _ operation: FieldOperation) -> Int64? {
        let width = Int64(operation.width)
        let highest =
            operation.isSigned
            ? Int64(bitPattern: UInt64.max >> UInt64(65 - width)) : Int64(bitPattern: ~(~0 << UInt64(width)))
        let lowest = operation.isSigned ? -highest - 1 : 0
        let (sum, overflow) = value.addingReportingOverflow(amount)
        // An unsigned field set to a negative number wraps as its bits do: beyond the top.
        let isAbove = overflow ? amount > 0 : sum > highest || !operation.isSigned && amount == 0 && sum < 0
        let isBelow = overflow ? amount < 0 : sum < lowest && !isAbove
        guard isAbove || isBelow else { return sum }
        switch operation.overflow {
        case .fail: return nil
        case .saturate: return isAbove ? highest : lowest
        case .wrap:
            if operation.width == 64 { return sum }
            var wrapped = UInt64(bitPattern: sum) & ~(~0 << UInt64(width))
            if operation.isSigned, wrapped >> UInt64(width - 1) & 1 == 1 { wrapped |= ~0 << UInt64(width) }
            return Int64(bitPattern: wrapped)
        }
    }
}
