internal import ClusterModel
internal import DataCore
internal import Foundation
internal import Glibc
internal import LevelStore

/// The LevelDBs of a node's shard stores, by id.
///
/// Thread-safe. A store is opened and dropped on the applier's thread, in the order the core said; a reader that asks for
/// one that is still being opened waits for it.
final class ShardStores: @unchecked Sendable {
    private enum Entry {
        case opening
        case open(LevelDatabase, usesSlots: Bool)
        case failed(LevelError)
    }

    private let condition = Condition()
    private var entries: [StoreID: Entry] = [:]
    private let directory: String
    private let cache: LevelCache
    private let openFiles: Int

    /// Bytes that the write buffers of all stores share.
    private static let writeBuffers = 256 << 20
    private static let patience: TimeInterval = 30

    /// - Parameters:
    ///   - cacheBytes: block cache of all stores together.
    ///   - openFiles: descriptors that all stores together may hold.
    init(directory: String, cacheBytes: Int, openFiles: Int) {
        self.directory = directory
        cache = LevelCache(bytes: cacheBytes)
        self.openFiles = openFiles
    }

    /// Notes that a store will be opened, so that readers wait for it.
    func announce(_ id: StoreID) {
        condition.lock()
        if entries[id] == nil { entries[id] = .opening }
        condition.unlock()
    }

    /// Opens a store; makes it if `isNew`.
    func open(_ id: StoreID, usesSlots: Bool, isNew: Bool) throws(DiskError) {
        let path = path(id)
        if isNew, Files.exists(path), try Files.names(in: path).isEmpty == false {
            // A store of this very life that the log does not know: made just before a crash, or what told of it is lost.
            try Self.setAside(path, as: "unknown", in: directory)
        }
        try Files.makeDirectory(path)
        condition.lock()
        let count = max(entries.count, 4)
        condition.unlock()
        let options = LevelOptions(
            createsIfMissing: isNew, writeBufferBytes: min(max(Self.writeBuffers / count, 4 << 20), 64 << 20),
            maxOpenFiles: max(openFiles / count, 32), cache: cache)
        do {
            let database = try LevelDatabase(directory: path, options: options)
            if isNew { try Files.syncDirectory(directory) }
            set(id, .open(database, usesSlots: usesSlots))
        } catch let error as LevelError {
            set(id, .failed(error))
            throw DiskError("cannot open store \(id)", error)
        } catch {
            set(id, .failed(.other("\(error)")))
            throw DiskError("\(error)")
        }
    }

    /// Whether the directory of a store holds a database.
    func holdsDatabase(_ id: StoreID) -> Bool { Files.exists(path(id) + "/CURRENT") }

    /// Closes a store and removes its directory.
    func drop(_ id: StoreID) throws(DiskError) {
        condition.lock()
        entries[id] = nil
        condition.unlock()
        let path = path(id)
        guard Files.exists(path) else { return }
        let aside = path + ".dropped"
        try Files.removeTree(aside)
        guard unsafe rename(path, aside) == 0 else { throw DiskError("cannot rename", path) }
        try Files.syncDirectory(directory)
        try Files.removeTree(aside)
    }

    private func set(_ id: StoreID, _ entry: Entry) {
        condition.lock()
        entries[id] = entry
        condition.broadcast()
        condition.unlock()
    }

    /// The database of a store; waits while it is being opened. Nil when it is unknown, dropped, or did not open.
    func database(_ id: StoreID) -> LevelDatabase? {
        condition.lock()
        defer { condition.unlock() }
        let limit = Condition.Limit(after: Self.patience)
        while case .opening = entries[id] { if !condition.wait(until: limit) { return nil } }
        if case .open(let database, _) = entries[id] { return database }
        return nil
    }

    /// The database of a store if it is open now.
    func database(openNow id: StoreID) -> LevelDatabase? {
        condition.lock()
        defer { condition.unlock() }
        if case .open(let database, _) = entries[id] { return database }
        return nil
    }

    /// Whether row keys of a store begin with slot and hash.
    func usesSlots(_ id: StoreID) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        if case .open(_, let usesSlots) = entries[id] { return usesSlots }
        return true
    }

    /// All open stores, by id.
    var all: [(id: StoreID, database: LevelDatabase)] {
        condition.lock()
        defer { condition.unlock() }
        return entries.compactMap { id, entry in
            if case .open(let database, _) = entry { (id, database) } else { nil }
        }.sorted { $0.id < $1.id }
    }

    /// Closes all: after it nobody may ask.
    func close() {
        condition.lock()
        entries = [:]
        condition.unlock()
    }

    /// What a store holds, as LevelDB shows it: (epoch, seq) of its last record; zero for a new one.
    static func applied(_ database: LevelDatabase) throws(LevelError) -> (epoch: Epoch, seq: Seq) {
        try mark(RowKey.applied, database)
    }

    /// What of it is certain after any crash: everything up to this record was in table files. What `applied` says beyond
    /// it may have holes, since LevelDB's logs are not synced (RULES E5).
    static func durable(_ database: LevelDatabase) throws(LevelError) -> (epoch: Epoch, seq: Seq) {
        try mark(RowKey.durable, database)
    }

    /// Brings what was applied into table files and notes it; a store that nothing was applied to since costs two reads.
    static func makeDurable(_ database: LevelDatabase) throws(LevelError) {
        guard let applied = try database.value(RowKey.applied), try database.value(RowKey.durable) != applied else {
            return
        }
        try database.flush(outside: RowKey.beforeAll)
        let changes = LevelBatch()
        RowKey.durable.withByteView { key in applied.withByteView { changes.put(key, $0) } }
        // Synced: segments of the log go by it, and the note before it may be older than they are.
        try database.write(changes, syncs: true)
    }

    /// Takes notes of seqs back that the log does not know.
    static func cut(
        _ database: LevelDatabase, applied: (epoch: Epoch, seq: Seq), durable: Seq
    ) throws(LevelError) {
        let changes = LevelBatch()
        for (key, seq) in [(RowKey.applied, applied.seq), (RowKey.durable, durable)] {
            var value = ByteBuffer(capacity: 16)
            value.append(littleEndian: applied.epoch.rawValue)
            value.append(littleEndian: seq.rawValue)
            key.withByteView { changes.put($0, value.view) }
        }
        try database.write(changes, syncs: true)
    }

    private static func mark(_ key: [UInt8], _ database: LevelDatabase) throws(LevelError) -> (epoch: Epoch, seq: Seq) {
        guard let bytes = try database.value(key), bytes.count == 16 else { return (.none, .zero) }
        return bytes.withByteView { view in
            (
                Epoch(rawValue: view.littleEndian(at: 0, as: UInt64.self)),
                Seq(rawValue: view.littleEndian(at: 8, as: UInt64.self))
            )
        }
    }

    /// Puts the directory of a store that LevelDB refuses out of the way: it is made again from the log.
    func setAside(_ id: StoreID) throws(DiskError) { try setAside(id, as: "damaged") }

    /// Puts the directory of a store out of the way whose replica has lost something.
    func giveUp(_ id: StoreID) throws(DiskError) { try setAside(id, as: Self.givenUp) }

    /// Whether an earlier start gave a store up and ended before the log said so: what the log tells of it must not be taken
    /// for all there was (RULES E4).
    func wasGivenUp(_ id: StoreID) -> Bool { Files.exists("\(path(id)).\(Self.givenUp)") }

    private static let givenUp = "lost"

    private func setAside(_ id: StoreID, as ending: String) throws(DiskError) {
        condition.lock()
        entries[id] = nil
        condition.unlock()
        let path = path(id)
        if Files.exists(path) { try Self.setAside(path, as: ending, in: directory) }
    }

    /// Gives a store's directory another name, so that it can be made again: what is in it stays until somebody looked at it.
    private static func setAside(_ path: String, as ending: String, in directory: String) throws(DiskError) {
        var aside = "\(path).\(ending)"
        var number = 1
        while Files.exists(aside) {
            number += 1
            aside = "\(path).\(ending)-\(number)"
        }
        guard unsafe rename(path, aside) == 0 else { throw DiskError("cannot rename", path) }
        try Files.syncDirectory(directory)
    }

    /// Whether LevelDB found bytes of a store that are not what was written when it was last opened.
    func isDamaged(_ id: StoreID) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        if case .failed(.corruption) = entries[id] { return true }
        return false
    }

    private func path(_ id: StoreID) -> String { "\(directory)/\(id)" }
}
