import Foundation

/// A file in a directory of its own, removed with this object.
final class ConfigFile: Sendable {
    let path: String
    private let directory: String

    init(_ text: String, named name: String = "settings.yaml") throws {
        directory = NSTemporaryDirectory() + "ostraka-config-\(UUID().uuidString)"
        path = directory + "/" + name
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }
}
