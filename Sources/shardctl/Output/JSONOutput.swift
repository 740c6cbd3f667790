import FoundationEssentials

/// `-o json`: one document on standard output and nothing else.
enum JSONOutput {
    static func text(_ document: some Encodable, pretty: Bool) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
        return String(decoding: try encoder.encode(document), as: UTF8.self)
    }

    /// Indented for people at a terminal, one line for programs.
    static func write(_ document: some Encodable) throws {
        print(try text(document, pretty: Terminal.outputIsTerminal))
    }
}
