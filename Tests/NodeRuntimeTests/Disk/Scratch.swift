import Foundation

/// A directory of its own for one test, removed when the test ends.
final class Scratch: Sendable {
    let path: String

    init() throws {
        let template = FileManager.default.temporaryDirectory.appendingPathComponent("ostraka-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: template, withIntermediateDirectories: true)
        path = template.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func path(_ name: String) -> String { "\(path)/\(name)" }

    /// Files in a folder of it whose names end so, sorted.
    func files(_ folder: String, ending: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path(folder)).filter { $0.hasSuffix(ending) }.sorted()
            .map { "\(path(folder))/\($0)" }
    }

    /// Flips one bit of a file.
    static func flip(_ file: String, at offset: Int) throws {
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: file))
        defer { try? handle.close() }
        try handle.seek(toOffset: UInt64(offset))
        guard var byte = try handle.read(upToCount: 1), !byte.isEmpty else { return }
        byte[byte.startIndex] ^= 1
        try handle.seek(toOffset: UInt64(offset))
        try handle.write(contentsOf: byte)
    }
}
