import ClusterModel

/// All commands by name.
enum CommandTable {
    /// Every command, subcommands included, in the order of `CommandID`.
    static let all: [CommandSpec] = strings + bits + keys + transactions + connections + servers + own

    private static let byName = CommandNames(all)

    /// The command a client names, letters in any case; nil if there is none. `second` is the argument behind it: a
    /// container command has its keys and flags by subcommand.
    static func find(_ name: ByteView, _ second: ByteView?) -> CommandSpec? {
        // The table's own spelling of subcommands is no name a client may call.
        guard name.count <= 32, let spec = byName.find(name), !spec.isSubcommand else { return nil }
        guard spec.isContainer, let second, second.count <= 32 else { return spec }
        return byName.find(name, second) ?? spec
    }

    /// A command or subcommand by its full name, `client|getname`, letters in any case.
    static func find(named name: ByteView) -> CommandSpec? {
        guard name.count <= 64 else { return nil }
        return byName.find(name)
    }

    /// Names by number.
    static let names: [String] = {
        var names = [String](repeating: "", count: 256)
        for spec in all { names[Int(spec.id.rawValue)] = spec.name }
        return names
    }()

    static func name(of id: CommandID) -> String { names[Int(id.rawValue)] }

    static func lowercased(_ name: ByteView) -> [UInt8] {
        name.array.map { $0 >= 65 && $0 <= 90 ? $0 + 32 : $0 }
    }

    /// Redis's own words for a subcommand it does not know.
    static func unknownSubcommand(_ call: Call) -> String {
        let name = String(decoding: lowercased(call[0]), as: UTF8.self).uppercased()
        return "ERR unknown subcommand '\(call[1][0..<128].text)'. Try \(name) HELP."
    }

    /// Redis's own words for a command it does not know: its name and its first arguments, within 128 bytes each.
    static func unknown(_ call: Call) -> String {
        var arguments = ""
        var index = 1
        while index < call.count, arguments.utf8.count < 128 {
            arguments += "'\(call[index][0..<128 - arguments.utf8.count].text)' "
            index += 1
        }
        return "ERR unknown command '\(call[0][0..<128].text)', with args beginning with: \(arguments)"
    }
}
