import ClusterModel
import FoundationEssentials

/// An entry as JSON with sorted names: the same entry is the same bytes.
enum EntryCoding {
    static func encode(_ entry: LogEntry) throws(SharedLogError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(entry))
        } catch {
            throw .notWritten("an entry of the metadata log cannot be written as JSON: \(error)")
        }
    }

    /// nil for what is no entry, or one of a newer version.
    static func decode(_ bytes: [UInt8]) -> LogEntry? { try? JSONDecoder().decode(LogEntry.self, from: Data(bytes)) }
}
