extension CommandTable {
    static let bits: [CommandSpec] = []
}
