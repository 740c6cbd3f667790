import ClusterModel
import Glibc

@testable import SharedLog

/// A directory of its own for one test, removed with all its files at the end.
final class LogFolder {
    let path: String

    init() throws {
        var template = Array("/tmp/ostraka-log-XXXXXX".utf8CString)
        let made = unsafe template.withUnsafeMutableBufferPointer {
            unsafe $0.baseAddress.map { unsafe mkdtemp($0) } != nil
        }
        guard made else { throw SystemFailure("mkdtemp") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        for name in names() { _ = unsafe unlink("\(path)/\(name)") }
        _ = unsafe rmdir(path)
    }

    func open(writer: UInt64) throws -> FileLog {
        try FileLog(directory: path, writer: UniqueID(high: 7, low: writer))
    }

    func names() -> [String] {
        guard let directory = try? LogDirectory(creating: path), let names = try? directory.names() else { return [] }
        return names.filter { $0 != "." && $0 != ".." }
    }

    func slots() -> [String] { names().filter { $0.hasPrefix("slot-") } }

    func bytes(_ name: String) throws -> [UInt8] { try LogDirectory(creating: path).read(name) ?? [] }
    func write(_ name: String, _ bytes: [UInt8]) throws { try LogDirectory(creating: path).create(name, bytes) }
    func remove(_ name: String) throws { try LogDirectory(creating: path).remove(name) }
    func path(_ name: String) -> String { "\(path)/\(name)" }
}

func entry(_ writer: UInt64, term: UInt64 = 1) -> LogEntry {
    LogEntry(
        writer: UniqueID(high: 7, low: writer), term: Term(rawValue: term), wall: 1_700_000_000_000,
        commands: [.beat(term: Term(rawValue: term))])
}

func at(_ position: UInt64) -> LogPosition { LogPosition(rawValue: position) }

extension LogReading {
    var records: [LogRecord] {
        if case .entries(let records) = self { return records }
        return []
    }
}
