import ClusterModel

// COMMAND: the table of commands, told as Redis tells its own.
extension Engine {
    mutating func runCommandQuery(_ call: Call, _ id: CommandID) -> Attempt {
        switch id {
        case .command: CommandDescription.writeAll(call)
        case .commandCount: call.reply.integer(CommandTable.shown.count)
        case .commandInfo:
            if call.count == 2 { CommandDescription.writeAll(call) }
            if call.count > 2 { call.reply.array(call.count - 2) }
            for index in 2..<max(call.count, 2) {
                if let spec = CommandTable.find(named: call[index]), spec.isShown {
                    CommandDescription.write(spec, call)
                } else {
                    call.reply.null()
                }
            }
        case .commandDocs:
            var specs = CommandTable.shown
            if call.count > 2 {
                specs = []
                for index in 2..<call.count {
                    if let spec = CommandTable.find(named: call[index]), spec.isShown { specs.append(spec) }
                }
            }
            CommandDocumentation.write(specs, call)
        case .commandList: return commandList(call)
        default: return commandKeys(call)
        }
        return .done
    }

    /// `COMMAND LIST [FILTERBY MODULE name | ACLCAT category | PATTERN pattern]`
    private mutating func commandList(_ call: Call) -> Attempt {
        var names = CommandTable.all.filter(\.isShown)
        if call.count > 2 {
            guard call.count == 5, call[2].equalsIgnoringCase("filterby") else {
                return reject(call, "ERR syntax error")
            }
            if call[3].equalsIgnoringCase("module") {
                names = []
            } else if call[3].equalsIgnoringCase("aclcat") {
                let category = String(decoding: CommandTable.lowercased(call[4]), as: UTF8.self)
                names = names.filter { $0.categories.contains(category) }
            } else if call[3].equalsIgnoringCase("pattern") {
                let pattern = CommandTable.lowercased(call[4])
                names = names.filter { spec in
                    pattern.withByteView { pattern in
                        Array(spec.name.utf8).withByteView { Glob.matches(pattern, $0) }
                    }
                }
            } else {
                return reject(call, "ERR syntax error")
            }
        }
        call.reply.array(names.count)
        for spec in names { call.reply.bulk(spec.name) }
        return .done
    }

    /// `COMMAND GETKEYS command [argument ...]`
    private mutating func commandKeys(_ call: Call) -> Attempt {
        let count = call.count - 2
        // A container with a second word that was not found: no such subcommand.
        guard let spec = CommandTable.find(call[2], count > 1 ? call[3] : nil), spec.isShown,
            !spec.isContainer || count == 1
        else {
            return reject(call, "ERR Invalid command specified")
        }
        guard spec.firstKey > 0 else { return reject(call, "ERR The command has no key arguments") }
        guard spec.accepts(count: count) else {
            return reject(call, "ERR Invalid number of arguments specified for command")
        }
        let positions = Array(spec.keyPositions(count: count))
        call.reply.array(positions.count)
        for position in positions { call.reply.bulk(call[2 + position]) }
        return .done
    }
}

extension CommandTable {
    /// Commands that clients may know of, without subcommands.
    static let shown: [CommandSpec] = all.filter { $0.isShown && !$0.isSubcommand }

    /// Subcommands by the name of their parent.
    static let subcommands: [String: [CommandSpec]] = {
        var table: [String: [CommandSpec]] = [:]
        for spec in all where spec.isShown {
            guard let bar = spec.name.firstIndex(of: "|") else { continue }
            table[String(spec.name[..<bar]), default: []].append(spec)
        }
        return table
    }()
}
