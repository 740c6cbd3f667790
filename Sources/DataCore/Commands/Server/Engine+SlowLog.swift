import ClusterModel

// SLOWLOG: what `noteStep` found slow, the newest first.
extension Engine {
    mutating func runSlowlog(_ call: Call, _ id: CommandID) -> Attempt {
        switch id {
        case .slowlogGet: return slowlogGet(call)
        case .slowlogLen: call.reply.integer(stats.slowLog.entries.count)
        case .slowlogReset:
            stats.slowLog.removeAll()
            call.reply.ok()
        default: writeSlowlogHelp(call)
        }
        return .done
    }

    /// `SLOWLOG GET [count]`: 10 by default, -1 = all.
    private mutating func slowlogGet(_ call: Call) -> Attempt {
        if call.count > 3 { return refuseForm(call) }
        var wanted: Int64 = 10
        if call.count == 3 {
            guard let number = WholeNumber.parse(call[2]), number >= -1 else {
                return reject(call, "ERR count should be greater than or equal to -1")
            }
            wanted = number < 0 ? .max : number
        }
        let shown = stats.slowLog.entries.suffix(Int(clamping: wanted)).reversed()
        call.reply.array(shown.count)
        for entry in shown {
            call.reply.array(6)
            call.reply.integer(entry.number)
            call.reply.integer(entry.time)
            call.reply.integer(entry.micros)
            call.reply.array(entry.arguments.count)
            for argument in entry.arguments { call.reply.bulk(argument) }
            call.reply.bulk(entry.address)
            call.reply.bulk(entry.name)
        }
        return .done
    }

    private func writeSlowlogHelp(_ call: Call) {
        call.reply.array(12)
        call.reply.simple("SLOWLOG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:")
        call.reply.simple("GET [<count>]")
        call.reply.simple("    Return top <count> entries from the slowlog (default: 10, -1 mean all).")
        call.reply.simple("    Entries are made of:")
        call.reply.simple("    id, timestamp, time in microseconds, arguments array, client IP and port,")
        call.reply.simple("    client name")
        call.reply.simple("LEN")
        call.reply.simple("    Return the length of the slowlog.")
        call.reply.simple("RESET")
        call.reply.simple("    Reset the slowlog.")
        call.reply.simple("HELP")
        call.reply.simple("    Prints this help.")
    }
}
