public import ClusterModel
import Glibc

/// The shared log as files of one directory, local or shared by a network file system.
///
/// | file | is |
/// |---|---|
/// | `slot-<position>` | one entry: write-once, claimed by link(2) of a complete, fsynced temporary file |
/// | `snapshot-<position>` | the state after that position; the two newest are kept |
/// | `floor` | the lowest position that counts; written before any slot is unlinked |
/// | `tmp-<writer>-<number>` | on its way to one of the above |
/// | `trim.lock` | held while the floor is raised |
///
/// Positions are 20 digits, so that names sort. Several processes may hold the same directory open: the slots decide. On NFS
/// mount with `hard,sync,lookupcache=none` (RULES B2). Not safe for two threads at once.
public final class FileLog: SharedLogStore {
    let directory: LogDirectory
    private let writer: UniqueID
    private var temporaries = 0
    /// Slots from here up to the floor may still have their files.
    var swept = LogPosition(rawValue: 1)

    /// Opens the log of a directory, which is created when it is missing.
    public init(directory path: String, writer: UniqueID) throws(SharedLogError) {
        self.writer = writer
        do {
            directory = try LogDirectory(creating: path)
            let names = try directory.names()
            let lowest = names.lazy.compactMap { Self.number(in: $0, after: "slot-") }.first
            swept = lowest ?? swept
            if let lowest, lowest > LogPosition(rawValue: 1), !names.contains("floor") {
                throw SharedLogError.damaged(
                    "the metadata log \(path) begins with \(Self.slot(lowest)), and its file 'floor' is missing: restore both from a "
                        + "copy of the directory")
            }
        } catch let error as SystemFailure {
            throw .unusable("the metadata log cannot be opened: \(error.text)")
        } catch let error as SharedLogError {
            throw error
        } catch {
            throw .unusable("the metadata log \(path) cannot be opened: \(error)")
        }
    }

    // MARK: Names

    static func slot(_ position: LogPosition) -> String { "slot-" + digits(position) }
    static func snapshot(_ position: LogPosition) -> String { "snapshot-" + digits(position) }

    private static func digits(_ position: LogPosition) -> String {
        let text = "\(position.rawValue)"
        return String(repeating: "0", count: 20 - text.count) + text
    }

    static func number(in name: String, after prefix: String) -> LogPosition? {
        guard name.hasPrefix(prefix), name.utf8.count == prefix.utf8.count + 20 else { return nil }
        return UInt64(name.dropFirst(prefix.count)).map { LogPosition(rawValue: $0) }
    }

    func temporary() -> String {
        temporaries += 1
        return "tmp-\(writer)-\(temporaries)"
    }

    // MARK: The contract

    public func append(_ entry: LogEntry, at position: LogPosition) throws(SharedLogError) -> AppendOutcome {
        let bytes = SealedText.seal(.log, number: position.rawValue, try EntryCoding.encode(entry))
        let slot = Self.slot(position)
        // An earlier try of the same entry may have won without knowing.
        if let outcome = try judge(slot, bytes, position) { return outcome }
        let name = temporary()
        do {
            try directory.create(name, bytes)
        } catch {
            try? directory.remove(name)
            throw .notWritten("the metadata log cannot take an entry: \(error.text)")
        }
        defer { try? directory.remove(name) }
        var failure: SystemFailure?
        do {
            try directory.link(name, to: slot)
        } catch {
            failure = error
        }
        if let outcome = try judge(slot, bytes, position) { return outcome }
        guard let failure, [ENOSPC, EDQUOT, EACCES, EPERM, EROFS, EMLINK].contains(failure.code) else {
            throw .unknown("it is not known whether \(slot) was written: \(failure?.text ?? "it cannot be seen")")
        }
        throw .notWritten("the metadata log cannot take an entry: \(failure.text)")
    }

    /// What stands in a slot, compared with what was to stand there; nil = nothing (RULES B1, B2, B6).
    private func judge(_ slot: String, _ bytes: [UInt8], _ position: LogPosition) throws(SharedLogError)
        -> AppendOutcome?
    {
        let found: [UInt8]?
        do {
            found = try directory.read(slot)
        } catch {
            throw .unknown("it is not known whether \(slot) was written: \(error.text)")
        }
        if let found {
            guard found == bytes else { return .lost }
            do {
                try directory.sync()
            } catch {
                // The pages are marked clean now, so a second try would prove nothing (RULES E2).
                throw .damaged(
                    "fsync of the metadata log's directory failed, what it holds is in doubt: \(error.text)")
            }
        }
        // Read after the slot: below the floor a slot's name is free again and means nothing.
        do {
            let floor = try floor()
            if floor > position { return .lost }
            if found != nil { sweep(below: floor) }
        } catch {
            if case .damaged = error { throw error }
            throw .unknown("it is not known whether \(slot) counts: \(error)")
        }
        return found == nil ? nil : .won
    }

    /// Unlinks two trimmed slots, where an append adds one: a thousand at once would hold up the primary's beats for
    /// seconds on a slow file system. A failure is no matter, below the floor they mean nothing.
    private func sweep(below floor: LogPosition) {
        for _ in 0..<2 where swept < floor {
            try? directory.remove(Self.slot(swept))
            swept = swept.successor ?? floor
        }
    }

    public func read(from position: LogPosition, limit: Int) throws(SharedLogError) -> LogReading {
        var records: [LogRecord] = []
        var next: LogPosition? = position
        while records.count < limit, let wanted = next {
            guard let record = try record(at: wanted, isFirst: records.isEmpty) else { break }
            records.append(record)
            next = wanted.successor
        }
        // Read after the slots: what was trimmed meanwhile is reloaded, never skipped (RULES B6).
        return try floor() > position ? .trimmed : .entries(records)
    }

    /// The entry of a slot; nil where the log ends.
    private func record(at position: LogPosition, isFirst: Bool) throws(SharedLogError) -> LogRecord? {
        let slot = Self.slot(position)
        do {
            guard let bytes = try directory.read(slot) else {
                guard let next = position.successor, try directory.exists(Self.slot(next)) else { return nil }
                // The next was written after this one: look again.
                guard let again = try directory.read(slot) else {
                    if try floor() > position { return nil }
                    throw SharedLogError.damaged(
                        "\(directory.path(of: slot)) is missing, and the entry after it is there: restore it from a copy"
                    )
                }
                return try record(again, slot, position, isFirst: isFirst)
            }
            return try record(bytes, slot, position, isFirst: isFirst)
        } catch let error as SystemFailure {
            throw .unreadable("the metadata log cannot be read: \(error.text)")
        } catch let error as SharedLogError {
            throw error
        } catch {
            throw .unreadable("the metadata log cannot be read: \(error)")
        }
    }

    private func record(
        _ bytes: [UInt8], _ slot: String, _ position: LogPosition, isFirst: Bool
    ) throws -> LogRecord? {
        let file = directory.path(of: slot)
        switch SealedText.open(.log, bytes) {
        case .whole(let number, let content):
            guard number == position.rawValue else {
                throw SharedLogError.damaged("\(file) holds entry \(number): restore it from a copy")
            }
            guard let entry = EntryCoding.decode(content) else {
                throw SharedLogError.damaged(
                    "\(file) holds an entry that this version cannot read: run a newer metasrv")
            }
            return LogRecord(position: position, entry: entry)
        case .foreign:
            throw SharedLogError.damaged("\(file) is no entry of a metadata log of format \(SealedText.format)")
        case .broken:
            // The last entry may be half-written; it is damage only once there is a later one (RULES B5).
            if let next = position.successor, try directory.exists(Self.slot(next)) {
                throw SharedLogError.damaged("\(file) is damaged (length or checksum): restore it from a copy")
            }
            guard isFirst else { return nil }
            throw SharedLogError.unreadable(
                "\(file), the last entry, is incomplete: waiting for the rest; if nobody writes it, restore it from a copy "
                    + "(removing it would lose its change)")
        }
    }

    public func floor() throws(SharedLogError) -> LogPosition {
        let bytes: [UInt8]?
        do {
            bytes = try directory.read("floor")
        } catch {
            throw .unreadable("the metadata log cannot be read: \(error.text)")
        }
        guard let bytes else { return LogPosition(rawValue: 1) }
        guard case .whole(let number, _) = SealedText.open(.floor, bytes) else {
            throw .damaged("\(directory.path(of: "floor")) is damaged: restore it from a copy")
        }
        return LogPosition(rawValue: number)
    }
}
