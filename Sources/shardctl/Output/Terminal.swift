import FoundationEssentials
import Glibc

/// What standard input, output and error are, and how to write to them.
enum Terminal {
    static let outputIsTerminal = isatty(STDOUT_FILENO) == 1
    static let errorIsTerminal = isatty(STDERR_FILENO) == 1
    /// Whether a question can be asked and answered.
    static let canAsk = isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1

    /// Whether standard output takes colour: a terminal that is not dumb, and NO_COLOR (no-color.org) is not set.
    static let takesColour: Bool = {
        let environment = ProcessInfo.processInfo.environment
        return outputIsTerminal && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
    }()

    /// Writes a line to standard error.
    static func complain(_ text: String, terminator: String = "\n") {
        write(Array((text + terminator).utf8), to: STDERR_FILENO)
    }

    /// Writes bytes to standard output as they are.
    static func write(_ bytes: [UInt8]) {
        fflush(nil)
        write(bytes, to: STDOUT_FILENO)
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { return }
            rest = rest.dropFirst(written)
        }
    }

    /// Replaces the progress line, on a terminal.
    static func progress(_ text: String) {
        if errorIsTerminal { complain("\r\u{1B}[K\(text)", terminator: "") }
    }

    /// Clears the progress line.
    static func endProgress() {
        if errorIsTerminal { complain("\r\u{1B}[K", terminator: "") }
    }
}
