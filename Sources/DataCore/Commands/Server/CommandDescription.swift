import ClusterModel

/// The replies of COMMAND INFO and COMMAND DOCS for one command.
enum CommandDescription {
    static func writeAll(_ call: Call) {
        call.reply.array(CommandTable.shown.count)
        for spec in CommandTable.shown { write(spec, call) }
    }

    /// The ten elements of COMMAND INFO.
    static func write(_ spec: CommandSpec, _ call: Call) {
        call.reply.array(10)
        call.reply.bulk(spec.name)
        call.reply.integer(spec.arity)
        let flags = spec.flags.names
        call.reply.set(flags.count)
        for flag in flags { call.reply.simple(flag) }
        call.reply.integer(spec.firstKey)
        call.reply.integer(spec.lastKey)
        call.reply.integer(spec.keyStep)
        let categories = spec.categories
        call.reply.set(categories.count)
        for category in categories {
            call.reply.bytes.append("+@")
            call.reply.bytes.append(text: category)
            call.reply.bytes.append("\r\n")
        }
        let tips = CommandDetails.tips[spec.name]?.split(separator: " ") ?? []
        call.reply.set(tips.count)
        for tip in tips { call.reply.bulk(String(tip)) }
        writeKeyUses(spec, call)
        let subcommands = CommandTable.subcommands[spec.name] ?? []
        call.reply.set(subcommands.count)
        for subcommand in subcommands { write(subcommand, call) }
    }

    private static func writeKeyUses(_ spec: CommandSpec, _ call: Call) {
        let uses = spec.keyUses
        call.reply.set(uses.count)
        for use in uses {
            let note = CommandDetails.notes[spec.name]
            call.reply.map(note == nil ? 3 : 4)
            if let note {
                call.reply.bulk("notes")
                call.reply.bulk(note)
            }
            call.reply.bulk("flags")
            call.reply.set(use.flags.count)
            for flag in use.flags {
                call.reply.bytes.append("+")
                call.reply.bytes.append(text: flag)
                call.reply.bytes.append("\r\n")
            }
            call.reply.bulk("begin_search")
            call.reply.map(2)
            call.reply.bulk("type")
            call.reply.bulk("index")
            call.reply.bulk("spec")
            call.reply.map(1)
            call.reply.bulk("index")
            call.reply.integer(use.first)
            call.reply.bulk("find_keys")
            call.reply.map(2)
            call.reply.bulk("type")
            call.reply.bulk("range")
            call.reply.bulk("spec")
            call.reply.map(3)
            call.reply.bulk("lastkey")
            call.reply.integer(use.last)
            call.reply.bulk("keystep")
            call.reply.integer(use.step)
            call.reply.bulk("limit")
            call.reply.integer(0)
        }
    }
}

extension CommandSpec.Flags {
    /// As COMMAND INFO names them, in Redis's order.
    var names: [StaticString] {
        let all: [(CommandSpec.Flags, StaticString)] = [
            (.write, "write"), (.readonly, "readonly"), (.denyoom, "denyoom"), (.admin, "admin"),
            (.noscript, "noscript"), (.blocking, "blocking"), (.loading, "loading"), (.stale, "stale"),
            (.skipSlowlog, "skip_slowlog"), (.fast, "fast"), (.noAuth, "no_auth"), (.allowBusy, "allow_busy"),
            (.noMulti, "no_multi"),
            (.movableKeys, "movablekeys"),
        ]
        return all.filter { contains($0.0) }.map(\.1)
    }
}

extension CommandSpec {
    /// How it uses keys: one place of the arguments each.
    struct KeyUse {
        var flags: [String]
        var first: Int
        /// Relative to the first; negative counts from the end.
        var last: Int
        var step: Int
    }

    /// Whether clients may know of it: what nodes say to each other is no business of theirs.
    var isShown: Bool {
        guard group == .shard else { return true }
        switch id {
        case .shardWhere, .shardRange, .shardStatus: return true
        default: return false
        }
    }

    var keyUses: [KeyUse] {
        guard let text = CommandDetails.keyUses[name] else {
            guard firstKey > 0 else { return [] }
            let last = lastKey < 0 ? lastKey : lastKey - firstKey
            return [KeyUse(flags: [flags.contains(.write) ? "RW" : "RO"], first: firstKey, last: last, step: keyStep)]
        }
        return text.split(separator: ";").compactMap { use in
            let halves = use.split(separator: "@")
            let numbers = halves.last?.split(separator: " ").compactMap { Int($0) } ?? []
            guard halves.count == 2, numbers.count == 3 else { return nil }
            return KeyUse(
                flags: halves[0].split(separator: " ").map(String.init), first: numbers[0], last: numbers[1],
                step: numbers[2])
        }
    }

    /// ACL categories in Redis's order, by its own rules: what the flags and the group imply.
    var categories: [String] {
        let own = name.split(separator: "|").first.map(String.init) ?? name
        var all: [String] = []
        if group == .generic, own != "wait", !isContainer { all.append("keyspace") }
        if flags.contains(.readonly) { all.append("read") }
        if flags.contains(.write) { all.append("write") }
        if group == .string { all.append("string") }
        if group == .bitmap { all.append("bitmap") }
        if own == "flushdb" || own == "flushall" || own == "dbsize" {
            if !all.contains("keyspace") { all.insert("keyspace", at: 0) }
        }
        if flags.contains(.admin) { all.append("admin") }
        all.append(flags.contains(.fast) ? "fast" : "slow")
        let isDangerous = flags.contains(.admin) || ["keys", "flushdb", "flushall", "info"].contains(own)
        if isDangerous { all.append("dangerous") }
        let isAboutConnection =
            group == .connection && id != .client
            || ["command", "wait", "readonly", "readwrite", "asking"].contains(own)
        if isAboutConnection { all.append("connection") }
        if group == .transactions { all.append("transaction") }
        return all
    }
}
