extension CommandTable {
    static let own: [CommandSpec] = []
}
