import ClusterModel

/// The reply of COMMAND DOCS: redis-cli takes its hints from it.
enum CommandDocumentation {
    static func write(_ specs: [CommandSpec], _ call: Call) {
        call.reply.map(specs.count)
        for spec in specs { write(spec, call) }
    }

    private static func write(_ spec: CommandSpec, _ call: Call) {
        let subcommands = CommandTable.subcommands[spec.name] ?? []
        let changes = CommandHistory.changes[spec.name] ?? []
        let deprecated = CommandHistory.deprecated[spec.name]
        let arguments = CommandArgument.parse(CommandArguments.words[spec.name] ?? "")
        call.reply.bulk(spec.name)
        let parts = [!changes.isEmpty, !arguments.isEmpty, !subcommands.isEmpty].count { $0 }
        call.reply.map(4 + parts + (deprecated == nil ? 0 : 3))
        text("summary", spec.summary, call)
        text("since", spec.since, call)
        text("group", spec.group.rawValue, call)
        text("complexity", spec.complexity, call)
        if let deprecated {
            call.reply.bulk("doc_flags")
            call.reply.set(1)
            call.reply.simple("deprecated")
            text("deprecated_since", deprecated.since, call)
            text("replaced_by", deprecated.replacement, call)
        }
        if !changes.isEmpty {
            call.reply.bulk("history")
            call.reply.set(changes.count)
            for (since, change) in changes {
                call.reply.array(2)
                call.reply.bulk(since)
                call.reply.bulk(change)
            }
        }
        if !arguments.isEmpty { write(arguments, call) }
        if !subcommands.isEmpty {
            call.reply.bulk("subcommands")
            write(subcommands, call)
        }
    }

    private static func write(_ arguments: [CommandArgument], _ call: Call) {
        call.reply.bulk("arguments")
        call.reply.array(arguments.count)
        for argument in arguments {
            let parts = [
                argument.keyUse != nil, argument.token != nil, argument.since != nil, argument.deprecated != nil,
                !argument.flags.isEmpty, !argument.inside.isEmpty,
            ].count { $0 }
            call.reply.map(2 + parts)
            text("name", argument.name, call)
            text("type", argument.type, call)
            if let keyUse = argument.keyUse {
                call.reply.bulk("key_spec_index")
                call.reply.integer(keyUse)
            }
            if let token = argument.token { text("token", token, call) }
            if let since = argument.since { text("since", since, call) }
            if let deprecated = argument.deprecated { text("deprecated_since", deprecated, call) }
            if !argument.flags.isEmpty {
                call.reply.bulk("flags")
                call.reply.set(argument.flags.count)
                for flag in argument.flags { call.reply.simple(flag) }
            }
            if !argument.inside.isEmpty { write(argument.inside, call) }
        }
    }

    private static func text(_ name: String, _ value: String, _ call: Call) {
        call.reply.bulk(name)
        call.reply.bulk(value)
    }
}

/// One argument of a command, as `CommandArguments` writes it.
struct CommandArgument {
    var name: String
    /// `string`, `integer`, `key`, `oneof`, ...: Redis's word.
    var type = "pure-token"
    /// Number of the key specification that finds it.
    var keyUse: Int?
    var token: String?
    var since: String?
    var deprecated: String?
    var flags: [StaticString] = []
    /// The arguments that a `oneof` or a `block` holds.
    var inside: [CommandArgument] = []

    /// All arguments that `words` tell of.
    static func parse(_ words: String) -> [CommandArgument] {
        var rest = words.split(separator: " ")[...]
        return parse(&rest)
    }

    private static func parse(_ words: inout ArraySlice<Substring>) -> [CommandArgument] {
        var arguments: [CommandArgument] = []
        while let word = words.popFirst(), word != ")" {
            if word == "(" {
                let inside = parse(&words)
                if !arguments.isEmpty { arguments[arguments.count - 1].inside = inside }
            } else {
                arguments.append(CommandArgument(word))
            }
        }
        return arguments
    }

    private static let marks = "#=@~?*+"

    private init(_ word: Substring) {
        let head = word.prefix { !Self.marks.contains($0) }
        if let slash = head.lastIndex(of: "/") {
            name = String(head[..<slash])
            type = String(head[head.index(after: slash)...])
        } else {
            name = String(head)
        }
        var rest = word[head.endIndex...]
        while let mark = rest.popFirst() {
            let value = String(rest.prefix { !Self.marks.contains($0) })
            rest = rest.dropFirst(value.count)
            switch mark {
            case "#": keyUse = Int(value)
            case "=": token = value
            case "@": since = value
            case "~": deprecated = value
            case "?": flags.append("optional")
            case "*": flags.append("multiple")
            default: flags.append("multiple_token")
            }
        }
    }
}
