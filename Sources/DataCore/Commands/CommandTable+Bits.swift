extension CommandTable {
    /// Bits of strings.
    static let bits: [CommandSpec] = [
        CommandSpec(
            .setbit, "setbit", arity: 4, [.write, .denyoom], keys: (1, 1, 1), reach: .shard, group: .bitmap,
            since: "2.2.0",
            "Sets or clears the bit at offset in the string value stored at key"),
        CommandSpec(
            .getbit, "getbit", arity: 3, [.readonly, .fast], keys: (1, 1, 1), reach: .shard, group: .bitmap,
            since: "2.2.0",
            "Returns the bit value at offset in the string value stored at key"),
        CommandSpec(
            .bitcount, "bitcount", arity: -2, [.readonly], keys: (1, 1, 1), reach: .shard, group: .bitmap,
            since: "2.6.0",
            complexity: "O(N)",
            "Count set bits in a string"),
        CommandSpec(
            .bitpos, "bitpos", arity: -3, [.readonly], keys: (1, 1, 1), reach: .shard, group: .bitmap, since: "2.8.7",
            complexity: "O(N)",
            "Find first bit set or clear in a string"),
        CommandSpec(
            .bitop, "bitop", arity: -4, [.write, .denyoom], keys: (2, -1, 1), reach: .shard, group: .bitmap,
            since: "2.6.0",
            complexity: "O(N)",
            "Perform bitwise operations between strings"),
        CommandSpec(
            .bitfield, "bitfield", arity: -2, [.write, .denyoom], keys: (1, 1, 1), reach: .shard, group: .bitmap,
            since: "3.2.0",
            complexity: "O(1) for each subcommand specified",
            "Perform arbitrary bitfield integer operations on strings"),
        CommandSpec(
            .bitfieldRo, "bitfield_ro", arity: -2, [.readonly, .fast], keys: (1, 1, 1), reach: .shard, group: .bitmap,
            since: "6.0.0",
            complexity: "O(1) for each subcommand specified",
            "Perform arbitrary bitfield integer operations on strings. Read-only variant of BITFIELD"),
    ]
}
