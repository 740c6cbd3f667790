import ClusterModel

/// Redis's glob patterns: `*`, `?`, `[a-z]`, `[^a]`, and `\` before a byte that stands for itself.
///
/// Without recursion: only the last `*` is ever gone back to, so a hostile pattern costs time, not stack.
enum Glob {
    static func matches(_ pattern: ByteView, _ text: ByteView) -> Bool {
        var (at, read) = (0, 0)
        var star: (pattern: Int, text: Int)?
        while read < text.count {
            if at < pattern.count, pattern[at] == UInt8(ascii: "*") {
                star = (at, read)
                at += 1
            } else if at < pattern.count, let next = next(pattern, at, text[read]) {
                at = next
                read += 1
            } else if let last = star {
                star = (last.pattern, last.text + 1)
                at = last.pattern + 1
                read = last.text + 1
            } else {
                return false
            }
        }
        while at < pattern.count, pattern[at] == UInt8(ascii: "*") { at += 1 }
        return at == pattern.count
    }

    /// Where the pattern goes on if its element at `at` matches the byte; nil if it does not.
    private static func next(_ pattern: ByteView, _ at: Int, _ byte: UInt8) -> Int? {
        switch pattern[at] {
        case UInt8(ascii: "?"): return at + 1
        case UInt8(ascii: "["): return nextBehindSet(pattern, at + 1, byte)
        case UInt8(ascii: "\\") where at + 1 < pattern.count: return pattern[at + 1] == byte ? at + 2 : nil
        default: return pattern[at] == byte ? at + 1 : nil
        }
    }

    /// A set of bytes, read as Redis reads it: one that is not closed ends with the pattern.
    private static func nextBehindSet(_ pattern: ByteView, _ start: Int, _ byte: UInt8) -> Int? {
        var at = start
        var isMatch = false
        let isNegated = at < pattern.count && pattern[at] == UInt8(ascii: "^")
        if isNegated { at += 1 }
        while at < pattern.count, pattern[at] != UInt8(ascii: "]") {
            if pattern[at] == UInt8(ascii: "\\"), at + 1 < pattern.count {
                at += 1
                isMatch = isMatch || pattern[at] == byte
            } else if at + 2 < pattern.count, pattern[at + 1] == UInt8(ascii: "-") {
                let (low, high) = (min(pattern[at], pattern[at + 2]), max(pattern[at], pattern[at + 2]))
                isMatch = isMatch || byte >= low && byte <= high
                at += 2
            } else {
                isMatch = isMatch || pattern[at] == byte
            }
            at += 1
        }
        return isMatch != isNegated ? min(at + 1, pattern.count) : nil
    }
}
