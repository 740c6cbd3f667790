extension CommandTable {
    static let strings: [CommandSpec] = []
}
