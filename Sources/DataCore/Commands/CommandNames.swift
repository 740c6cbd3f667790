import ClusterModel

/// Commands by name, letters in any case: an open table over the names' bytes, so that a look-up makes nothing.
struct CommandNames: Sendable {
    private struct Name: Sendable {
        /// Where its bytes begin, and how many there are.
        var start: Int
        var count: Int
        var command: CommandSpec
    }

    /// Slots, a power of two and at least twice the names; 0 = free, else the name's number and 1.
    private let slots: [UInt16]
    private let names: [Name]
    /// The bytes of all names, lower case.
    private let bytes: [UInt8]

    /// - Precondition: names differ, are ASCII and have no capital letter; there are fewer than 65,535.
    init(_ commands: [CommandSpec]) {
        var width = 64
        while width < commands.count * 2 { width *= 2 }
        var slots = [UInt16](repeating: 0, count: width)
        var names: [Name] = []
        var bytes: [UInt8] = []
        for command in commands {
            let text = Array(command.name.utf8)
            var hash = Self.seed
            for byte in text { Self.mix(byte, into: &hash) }
            var slot = Int(truncatingIfNeeded: hash) & (width - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (width - 1) }
            names.append(Name(start: bytes.count, count: text.count, command: command))
            slots[slot] = UInt16(names.count)
            bytes += text
        }
        self.slots = slots
        self.names = names
        self.bytes = bytes
    }

    /// The command of exactly that name.
    func find(_ name: ByteView) -> CommandSpec? { find(name, .empty, hasSecond: false) }

    /// The subcommand `second` of the container `name`.
    func find(_ name: ByteView, _ second: ByteView) -> CommandSpec? { find(name, second, hasSecond: true) }

    private func find(_ name: ByteView, _ second: ByteView, hasSecond: Bool) -> CommandSpec? {
        var hash = Self.seed
        for index in 0..<name.count { Self.mix(Self.lower(name[index]), into: &hash) }
        var count = name.count
        if hasSecond {
            Self.mix(Self.bar, into: &hash)
            for index in 0..<second.count { Self.mix(Self.lower(second[index]), into: &hash) }
            count += 1 + second.count
        }
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != 0 {
            let candidate = Int(slots[slot]) - 1
            if names[candidate].count == count, isNamed(names[candidate].start, name, second, hasSecond: hasSecond) {
                return names[candidate].command
            }
            slot = (slot + 1) & mask
        }
        return nil
    }

    /// - Precondition: the name that begins at `start` is as long as the one looked for.
    private func isNamed(_ start: Int, _ name: ByteView, _ second: ByteView, hasSecond: Bool) -> Bool {
        for index in 0..<name.count where bytes[start + index] != Self.lower(name[index]) { return false }
        guard hasSecond else { return true }
        guard bytes[start + name.count] == Self.bar else { return false }
        let behind = start + name.count + 1
        for index in 0..<second.count where bytes[behind + index] != Self.lower(second[index]) { return false }
        return true
    }

    private static let bar = UInt8(ascii: "|")

    @inline(__always) private static func lower(_ byte: UInt8) -> UInt8 {
        byte >= 65 && byte <= 90 ? byte + 32 : byte
    }

    // FNV-1a: https://datatracker.ietf.org/doc/draft-eastlake-fnv
    private static let seed: UInt32 = 0x811C_9DC5

    @inline(__always) private static func mix(_ byte: UInt8, into hash: inout UInt32) {
        hash = (hash ^ UInt32(byte)) &* 0x0100_0193
    }
}
