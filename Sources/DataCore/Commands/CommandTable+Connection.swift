extension CommandTable {
    static let connections: [CommandSpec] = []
}
