import ClusterModel

// GET, SET and their kin. Semantics and error texts as Redis 7.0 (t_string.c).
extension Engine {
    mutating func runString(_ id: CommandID, _ call: inout Call) {
        switch id {
        case .get: get(&call)
        case .set: set(&call)
        case .setnx: setIfAbsent(&call)
        case .setex, .psetex:
            setWithExpiry(&call, unit: id == .setex ? 1000 : 1, name: id == .setex ? "setex" : "psetex")
        case .getset: getSet(&call)
        case .getdel: getDelete(&call)
        case .getex: getExpire(&call)
        case .mget: getMany(&call)
        case .mset: setMany(&call, onlyIfAbsent: false)
        case .msetnx: setMany(&call, onlyIfAbsent: true)
        case .append: append(&call)
        case .strlen: call.reply.integer(row(&call, call[1])?.value.count ?? 0)
        case .getrange, .substr: getRange(&call)
        case .setrange: setRange(&call)
        case .incr: increment(&call, by: 1)
        case .decr: increment(&call, by: -1)
        case .incrby, .decrby: incrementBy(&call, isNegative: id == .decrby)
        case .incrbyfloat: incrementByFloat(&call)
        case .lcs: longestCommonSubsequence(&call)
        default: break
        }
    }

    private mutating func get(_ call: inout Call) {
        if let row = row(&call, call[1]) {
            stats.hits += 1
            call.reply.bulk(row.value)
        } else {
            stats.misses += 1
            call.reply.null()
        }
    }

    private mutating func set(_ call: inout Call) {
        if call.count == 3 {
            put(&call, call[1], call[2])
            return call.reply.ok()
        }
        let options: SetOptions
        switch SetOptions.parse(call, from: 3, allowed: .set) {
        case .failure(let error): return call.reply.error(error.text)
        case .success(let parsed): options = parsed
        }
        let deadline: Int64
        switch options.deadline(call, now: timeToCountFrom(call), "set") {
        case .failure(let error): return call.reply.error(error.text)
        case .success(let found): deadline = found
        }
        let old = row(&call, call[1])
        let isRefused = options.onlyIfAbsent && old != nil || options.onlyIfPresent && old == nil
        if options.givesOld {
            if let old { call.reply.bulk(old.value) } else { call.reply.null() }
        } else if isRefused {
            call.reply.null()
        }
        if isRefused { return }
        put(&call, call[1], call[2], deadline: options.keepsDeadline ? old?.deadline ?? 0 : deadline)
        if !options.givesOld { call.reply.ok() }
    }

    private mutating func setIfAbsent(_ call: inout Call) {
        if row(&call, call[1]) != nil { return call.reply.integer(0) }
        put(&call, call[1], call[2])
        call.reply.integer(1)
    }

    private mutating func setWithExpiry(_ call: inout Call, unit: Int64, name: String) {
        guard let amount = WholeNumber.parse(call[2]) else {
            return call.reply.error(WholeNumber.refusal)
        }
        guard let deadline = SetOptions.deadline(amount, unit: unit, from: timeToCountFrom(call)) else {
            return call.reply.error("ERR invalid expire time in '\(name)' command")
        }
        put(&call, call[1], call[3], deadline: deadline)
        call.reply.ok()
    }

    private mutating func getSet(_ call: inout Call) {
        if let old = row(&call, call[1]) { call.reply.bulk(old.value) } else { call.reply.null() }
        put(&call, call[1], call[2])
    }

    private mutating func getDelete(_ call: inout Call) {
        guard let old = row(&call, call[1]) else { return call.reply.null() }
        call.reply.bulk(old.value)
        remove(&call, call[1])
    }

    private mutating func getExpire(_ call: inout Call) {
        let options: SetOptions
        switch SetOptions.parse(call, from: 2, allowed: .getex) {
        case .failure(let error): return call.reply.error(error.text)
        case .success(let parsed): options = parsed
        }
        guard let old = row(&call, call[1]) else { return call.reply.null() }
        let deadline: Int64
        switch options.deadline(call, now: timeToCountFrom(call), "getex") {
        case .failure(let error): return call.reply.error(error.text)
        case .success(let found): deadline = found
        }
        call.reply.bulk(old.value)
        if options.removesDeadline {
            if old.deadline != 0 { put(&call, call[1], old.value) }
        } else if deadline != 0 {
            if deadline <= time(call) {
                remove(&call, call[1])
            } else {
                put(&call, call[1], old.value, deadline: deadline)
            }
        }
    }

    private mutating func getMany(_ call: inout Call) {
        call.reply.array(call.count - 1)
        for index in 1..<call.count {
            if let row = row(&call, call[index]) {
                stats.hits += 1
                call.reply.bulk(row.value)
            } else {
                stats.misses += 1
                call.reply.null()
            }
        }
    }

    private mutating func setMany(_ call: inout Call, onlyIfAbsent: Bool) {
        guard call.count % 2 == 1 else {
            return call.reply.error("ERR wrong number of arguments for '\(onlyIfAbsent ? "msetnx" : "mset")' command")
        }
        if onlyIfAbsent {
            for index in stride(from: 1, to: call.count, by: 2) where row(&call, call[index]) != nil {
                return call.reply.integer(0)
            }
        }
        for index in stride(from: 1, to: call.count, by: 2) { put(&call, call[index], call[index + 1]) }
        if onlyIfAbsent { call.reply.integer(1) } else { call.reply.ok() }
    }

    // MARK: Parts

    static let tooLong = "ERR string exceeds maximum allowed size (proto-max-bulk-len)"

    private mutating func append(_ call: inout Call) {
        let old = row(&call, call[1])
        let size = (old?.value.count ?? 0) + call[2].count
        guard size <= Limits.valueBytes else { return call.reply.error(Self.tooLong) }
        scratch.removeAll()
        if let old { scratch.append(old.value) }
        scratch.append(call[2])
        put(&call, call[1], scratch.view, deadline: old?.deadline ?? 0)
        call.reply.integer(size)
    }

    private mutating func getRange(_ call: inout Call) {
        guard let first = WholeNumber.parse(call[2]), let last = WholeNumber.parse(call[3]) else {
            return call.reply.error(WholeNumber.refusal)
        }
        guard let row = row(&call, call[1]) else { return call.reply.bulk(ByteView.empty) }
        let count = Int64(row.value.count)
        if first < 0, last < 0, first > last { return call.reply.bulk(ByteView.empty) }
        let low = max(first < 0 ? first &+ count : first, 0)
        let high = min(max(last < 0 ? last &+ count : last, 0), count - 1)
        guard low <= high, count > 0 else { return call.reply.bulk(ByteView.empty) }
        call.reply.bulk(row.value[Int(low)..<Int(high) + 1])
    }

    private mutating func setRange(_ call: inout Call) {
        guard let offset = WholeNumber.parse(call[2]) else {
            return call.reply.error(WholeNumber.refusal)
        }
        guard offset >= 0 else { return call.reply.error("ERR offset is out of range") }
        let old = row(&call, call[1])
        let patch = call[3]
        if patch.isEmpty { return call.reply.integer(old?.value.count ?? 0) }
        guard offset <= Int64(Limits.valueBytes - patch.count) else { return call.reply.error(Self.tooLong) }
        let start = Int(offset)
        scratch.removeAll()
        let kept = old.map { $0.value[0..<start] } ?? .empty
        scratch.append(kept)
        for _ in kept.count..<start { scratch.append(0) }
        scratch.append(patch)
        if let old, old.value.count > start + patch.count {
            scratch.append(old.value[start + patch.count..<old.value.count])
        }
        put(&call, call[1], scratch.view, deadline: old?.deadline ?? 0)
        call.reply.integer(scratch.count)
    }

    // MARK: Numbers

    private mutating func incrementBy(_ call: inout Call, isNegative: Bool) {
        guard let amount = WholeNumber.parse(call[2]) else {
            return call.reply.error(WholeNumber.refusal)
        }
        if isNegative {
            guard amount != .min else { return call.reply.error("ERR decrement would overflow") }
            return increment(&call, by: -amount)
        }
        increment(&call, by: amount)
    }

    private mutating func increment(_ call: inout Call, by amount: Int64) {
        let old = row(&call, call[1])
        guard let value = old.map({ WholeNumber.parse($0.value) }) ?? 0 else {
            return call.reply.error(WholeNumber.refusal)
        }
        let (sum, overflow) = value.addingReportingOverflow(amount)
        if overflow { return call.reply.error("ERR increment or decrement would overflow") }
        scratch.removeAll()
        scratch.append(decimal: sum)
        put(&call, call[1], scratch.view, deadline: old?.deadline ?? 0)
        call.reply.integer(sum)
    }

    private mutating func incrementByFloat(_ call: inout Call) {
        let old = row(&call, call[1])
        guard let value = old.map({ FloatText.parse($0.value) }) ?? 0, let amount = FloatText.parse(call[2]) else {
            return call.reply.error("ERR value is not a valid float")
        }
        let sum = value + amount
        guard sum.isFinite else { return call.reply.error("ERR increment would produce NaN or Infinity") }
        scratch.removeAll()
        scratch.append(FloatText.text(sum))
        put(&call, call[1], scratch.view, deadline: old?.deadline ?? 0)
        call.reply.bulk(scratch.view)
    }
}
