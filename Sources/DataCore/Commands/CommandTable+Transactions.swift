extension CommandTable {
    static let transactions: [CommandSpec] = []
}
