import ClusterModel

/// All commands by name.
enum CommandTable {
    /// Every command, subcommands included, in the order of `CommandID`.
    static let all: [CommandSpec] = strings + bits + keys + transactions + connections + servers + own

    private static let byName: [[UInt8]: CommandSpec] = {
        var table: [[UInt8]: CommandSpec] = [:]
        for spec in all { table[Array(spec.name.utf8)] = spec }
        return table
    }()

    /// The command a client names, letters in any case; nil if there is none. `second` is the argument behind it: a
    /// container command has its keys and flags by subcommand.
    static func find(_ name: ByteView, _ second: ByteView?) -> CommandSpec? {
        guard name.count <= 32 else { return nil }
        return byName[lowercased(name)]
    }

    static func lowercased(_ name: ByteView) -> [UInt8] {
        name.array.map { $0 >= 65 && $0 <= 90 ? $0 + 32 : $0 }
    }

    /// Redis's own words for a command it does not know.
    static func unknown(_ call: Call) -> String {
        "ERR unknown command '\(call[0][0..<128].text)', with args beginning with: "
    }
}
