/// An error reply: its first word and the rest.
public struct ServerError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The first word, as `ERR`, `WRONGTYPE`, `STALE`.
    public var code: String
    /// What follows the first word.
    public var message: String

    public init(code: String, message: String) {
        self.code = code
        self.message = message
    }

    /// Takes an error reply's line apart. Bytes that are not UTF-8 are repaired: the text is for people.
    public init(line: [UInt8]) {
        let text = String(decoding: line, as: UTF8.self)
        if let space = text.firstIndex(of: " ") {
            self.init(code: String(text[..<space]), message: String(text[text.index(after: space)...]))
        } else {
            self.init(code: text, message: "")
        }
    }

    public var description: String { message.isEmpty ? code : "\(code) \(message)" }
}
