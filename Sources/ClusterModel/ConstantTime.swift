/// Comparison whose time tells nothing of where two secrets differ.
public enum ConstantTime {
    /// Whether two byte strings are equal; only their lengths can be told from the time it takes.
    public static func equals(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for index in left.indices { difference |= left[index] ^ right[index] }
        return difference == 0
    }
}
