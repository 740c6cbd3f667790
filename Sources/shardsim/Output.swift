import Foundation

/// Standard output, a line at a time and at once: what was told before a trap is not lost.
enum Output {
    static func line(_ text: String) { FileHandle.standardOutput.write(Data("\(text)\n".utf8)) }
}
