extension CommandTable {
    static let keys: [CommandSpec] = []
}
