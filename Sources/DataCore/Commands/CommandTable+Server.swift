extension CommandTable {
    static let servers: [CommandSpec] = []
}
