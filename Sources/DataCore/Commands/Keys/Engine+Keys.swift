import ClusterModel

// Keys whatever they hold. Semantics and error texts as Redis 7.0 (db.c, expire.c).
extension Engine {
    mutating func runKey(_ id: CommandID, _ call: inout Call) {
        switch id {
        case .del, .unlink: delete(&call)
        case .exists, .touch: countExisting(&call)
        case .type: if row(&call, call[1]) != nil { call.reply.simple("string") } else { call.reply.simple("none") }
        case .ttl, .pttl: timeToLive(&call, inSeconds: id == .ttl)
        case .expiretime, .pexpiretime: deadlineOf(&call, inSeconds: id == .expiretime)
        case .expire: expire(&call, unit: 1000, isAbsolute: false, "expire")
        case .pexpire: expire(&call, unit: 1, isAbsolute: false, "pexpire")
        case .expireat: expire(&call, unit: 1000, isAbsolute: true, "expireat")
        case .pexpireat: expire(&call, unit: 1, isAbsolute: true, "pexpireat")
        case .persist: persist(&call)
        case .rename, .renamenx: rename(&call, onlyIfAbsent: id == .renamenx)
        case .copy: copy(&call)
        default: break
        }
    }

    private mutating func delete(_ call: inout Call) {
        var count = 0
        for index in 1..<call.count where row(&call, call[index]) != nil {
            remove(&call, call[index])
            count += 1
        }
        call.reply.integer(count)
    }

    private mutating func countExisting(_ call: inout Call) {
        var count = 0
        for index in 1..<call.count where row(&call, call[index]) != nil { count += 1 }
        call.reply.integer(count)
    }

    private mutating func timeToLive(_ call: inout Call, inSeconds: Bool) {
        guard let row = row(&call, call[1]) else { return call.reply.integer(-2) }
        guard row.deadline != 0 else { return call.reply.integer(-1) }
        let left = max(row.deadline - timeToCountFrom(call), 0)
        call.reply.integer(inSeconds ? (left + 500) / 1000 : left)
    }

    private mutating func deadlineOf(_ call: inout Call, inSeconds: Bool) {
        guard let row = row(&call, call[1]) else { return call.reply.integer(-2) }
        guard row.deadline != 0 else { return call.reply.integer(-1) }
        call.reply.integer(inSeconds ? (row.deadline + 500) / 1000 : row.deadline)
    }

    private mutating func persist(_ call: inout Call) {
        guard let old = row(&call, call[1]), old.deadline != 0 else { return call.reply.integer(0) }
        put(&call, call[1], old.value)
        call.reply.integer(1)
    }

    // MARK: EXPIRE

    private struct ExpireConditions {
        var onlyWithout = false
        var onlyWith = false
        var onlyLater = false
        var onlyEarlier = false
    }

    private func conditions(_ call: Call) -> Result<ExpireConditions, SetOptions.Refusal> {
        var found = ExpireConditions()
        for index in 3..<max(call.count, 3) {
            if call[index].equalsIgnoringCase("nx") {
                found.onlyWithout = true
            } else if call[index].equalsIgnoringCase("xx") {
                found.onlyWith = true
            } else if call[index].equalsIgnoringCase("gt") {
                found.onlyLater = true
            } else if call[index].equalsIgnoringCase("lt") {
                found.onlyEarlier = true
            } else {
                return .failure(SetOptions.Refusal(text: "ERR Unsupported option \(call[index][0..<128].text)"))
            }
        }
        if found.onlyWithout, found.onlyWith || found.onlyLater || found.onlyEarlier {
            return .failure(
                SetOptions.Refusal(text: "ERR NX and XX, GT or LT options at the same time are not compatible"))
        }
        if found.onlyLater, found.onlyEarlier {
            return .failure(SetOptions.Refusal(text: "ERR GT and LT options at the same time are not compatible"))
        }
        return .success(found)
    }

    private mutating func expire(_ call: inout Call, unit: Int64, isAbsolute: Bool, _ name: StaticString) {
        let conditions: ExpireConditions
        switch self.conditions(call) {
        case .failure(let refusal): return call.reply.error(refusal.text)
        case .success(let parsed): conditions = parsed
        }
        guard let amount = WholeNumber.parse(call[2]) else {
            return call.reply.error(WholeNumber.refusal)
        }
        let (milliseconds, overflow) = amount.multipliedReportingOverflow(by: unit)
        let (deadline, carry) = milliseconds.addingReportingOverflow(isAbsolute ? 0 : timeToCountFrom(call))
        if overflow || carry { return call.reply.error("ERR invalid expire time in '\(name)' command") }
        guard let old = row(&call, call[1]) else { return call.reply.integer(0) }
        // No deadline counts as one that never comes.
        let isRefused =
            conditions.onlyWithout && old.deadline != 0 || conditions.onlyWith && old.deadline == 0
            || conditions.onlyLater && (old.deadline == 0 || deadline <= old.deadline)
            || conditions.onlyEarlier && old.deadline != 0 && deadline >= old.deadline
        if isRefused { return call.reply.integer(0) }
        if deadline <= time(call) {
            remove(&call, call[1])
        } else {
            put(&call, call[1], old.value, deadline: deadline)
        }
        call.reply.integer(1)
    }

    // MARK: RENAME, COPY

    private mutating func rename(_ call: inout Call, onlyIfAbsent: Bool) {
        guard let old = row(&call, call[1]) else { return call.reply.error("ERR no such key") }
        if call[1] == call[2] {
            if onlyIfAbsent { call.reply.integer(0) } else { call.reply.ok() }
            return
        }
        let (value, deadline) = (old.value.array, old.deadline)
        if onlyIfAbsent, row(&call, call[2]) != nil { return call.reply.integer(0) }
        value.withByteView { put(&call, call[2], $0, deadline: deadline) }
        remove(&call, call[1])
        if onlyIfAbsent { call.reply.integer(1) } else { call.reply.ok() }
    }

    private mutating func copy(_ call: inout Call) {
        var replaces = false
        var index = 3
        while index < call.count {
            if call[index].equalsIgnoringCase("replace") {
                replaces = true
                index += 1
            } else if call[index].equalsIgnoringCase("db"), index + 1 < call.count {
                guard let database = WholeNumber.parse(call[index + 1]) else {
                    return call.reply.error(WholeNumber.refusal)
                }
                guard database == 0 else { return call.reply.error("ERR DB index is out of range") }
                index += 2
            } else {
                return call.reply.error("ERR syntax error")
            }
        }
        if call[1] == call[2] { return call.reply.error("ERR source and destination objects are the same") }
        guard let old = row(&call, call[1]) else { return call.reply.integer(0) }
        let (value, deadline) = (old.value.array, old.deadline)
        if !replaces, row(&call, call[2]) != nil { return call.reply.integer(0) }
        value.withByteView { put(&call, call[2], $0, deadline: deadline) }
        call.reply.integer(1)
    }
}
