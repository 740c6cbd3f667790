import Foundation
import Testing

/// An article of a documentation catalogue, whose drawings are read as examples.
struct Page {
    /// One line of a drawing: its bytes, and what they are.
    struct Field {
        var bytes: [UInt8]
        var label: String
    }

    private var drawings: [String: [Field]] = [:]
    private var texts: [String: String] = [:]

    /// - Parameter path: below `Sources`.
    init(_ path: String, file: String = #filePath) throws {
        let root = URL(fileURLWithPath: file).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appendingPathComponent("Sources/\(path)"), encoding: .utf8)
        var block: (kind: Substring, name: String)?
        var lines: [Substring] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if let open = block {
                guard line == "```" else {
                    lines.append(line)
                    continue
                }
                if open.kind == "golden" { drawings[open.name] = try lines.map(Self.field) }
                if open.kind == "golden-text" { texts[open.name] = lines.joined(separator: "\n") + "\n" }
                block = nil
                lines = []
            } else if line.hasPrefix("```") {
                let words = line.dropFirst(3).split(separator: " ")
                block = (words.first ?? "", words.count > 1 ? String(words[1]) : "")
            }
        }
    }

    /// `offset  bytes  label`: bytes begin in column 6 and end where two spaces stand.
    private static func field(_ line: Substring) throws -> Field {
        let offset = line.prefix(4)
        try #require(line.count > 6 && Int(offset.trimmingCharacters(in: .whitespaces)) != nil, "\(line)")
        let rest = line.dropFirst(6)
        let hexadecimal = rest.prefix(47)
        let bytes = try hexadecimal.split(separator: " ").map { digits in
            try #require(digits.count == 2 ? UInt8(digits, radix: 16) : nil, "\(line)")
        }
        return Field(bytes: bytes, label: rest.dropFirst(47).trimmingCharacters(in: .whitespaces))
    }

    func fields(_ name: String) throws -> [Field] { try #require(drawings[name], "no drawing \(name)") }

    func bytes(_ name: String) throws -> [UInt8] { try fields(name).flatMap(\.bytes) }

    func text(_ name: String) throws -> String { try #require(texts[name], "no text \(name)") }

    /// Holds every `path = value` of a drawing against a value that was read from its bytes.
    /// - Returns: how many there were.
    @discardableResult
    func check(_ name: String, reads value: Any) throws -> Int {
        var checked = 0
        for field in try fields(name) {
            let halves = field.label.split(separator: " = ", maxSplits: 1)
            guard halves.count == 2 else { continue }
            let expected = halves[1].split(separator: ";")[0]
            let found = try Self.find(String(halves[0]), in: value)
            #expect(found == String(expected), "\(name): \(halves[0])")
            checked += 1
        }
        return checked
    }

    /// The value at a path such as `shards[0].epoch`, as text.
    private static func find(_ path: String, in value: Any) throws -> String {
        var current = value
        for part in path.split(whereSeparator: { ".[]".contains($0) }) {
            let mirror = Mirror(reflecting: current)
            if let index = Int(part) {
                try #require(index < mirror.children.count, "\(path)")
                current =
                    mirror.children[mirror.children.index(mirror.children.startIndex, offsetBy: index)]
                    .value
            } else {
                current = try #require(mirror.descendant(String(part)), "\(path)")
            }
            // What is optional is there in a drawing.
            let optional = Mirror(reflecting: current)
            if optional.displayStyle == .optional { current = try #require(optional.children.first?.value, "\(path)") }
        }
        return "\(current)"
    }
}
