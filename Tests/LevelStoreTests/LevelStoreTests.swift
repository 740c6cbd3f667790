import ClusterModel
import Foundation
import LevelStore
import Testing

/// A directory for one database, removed at the end.
private final class Folder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("ostraka-level-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var database: String { path + "/db" }

    func open(creates: Bool = true, buffer: Int = 64 << 10) throws -> LevelDatabase {
        try LevelDatabase(
            directory: database,
            options: LevelOptions(
                createsIfMissing: creates, writeBufferBytes: buffer, cache: LevelCache(bytes: 1 << 20)))
    }

    func files(_ suffix: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: database).filter { $0.hasSuffix(suffix) }.sorted()
            .map { database + "/" + $0 }
    }

    func flipByte(of file: String, at place: (Int) -> Int) throws {
        var data = try Data(contentsOf: URL(fileURLWithPath: file))
        data[place(data.count)] ^= 0xFF
        try data.write(to: URL(fileURLWithPath: file))
    }
}

private func key(_ number: Int) -> [UInt8] { Array(String(10_000 + number).utf8) }

extension LevelDatabase {
    fileprivate func put(_ rows: [([UInt8], [UInt8])], syncs: Bool = false) throws {
        let batch = LevelBatch()
        for (key, value) in rows {
            key.withByteView { key in value.withByteView { batch.put(key, $0) } }
        }
        #expect(batch.count == rows.count)
        try write(batch, syncs: syncs)
    }

    /// Rows with values large enough that compaction writes several table files.
    fileprivate func fill(_ count: Int) throws {
        for start in stride(from: 0, to: count, by: 100) {
            try put(
                (start..<min(start + 100, count)).map { (key($0), [UInt8](repeating: UInt8($0 & 0xFF), count: 500)) })
        }
    }
}

@Suite("LevelDB behind safe Swift")
struct LevelStoreTests {
    @Test("gives back bytes as they were put, empty and binary ones too")
    func roundTrip() throws {
        let folder = try Folder()
        let database = try folder.open()
        let rows: [([UInt8], [UInt8])] = [
            ([], [1]), ([0], []), ([0, 0], [0, 0, 0]), ([0xFF, 0x0D, 0x0A], [0xC3, 0x28]),
        ]
        try database.put(rows, syncs: true)
        for (key, value) in rows { #expect(try database.value(key) == value) }
        #expect(try database.value([9]) == nil)
        let batch = LevelBatch()
        rows[1].0.withByteView { batch.delete($0) }
        try database.write(batch)
        #expect(try database.value(rows[1].0) == nil)
        batch.removeAll()
        #expect(batch.count == 0 && batch.bytes == 0)
    }

    @Test("keeps its rows over a close, and one process at a time")
    func reopen() throws {
        let folder = try Folder()
        try folder.open().put([(key(1), [7])], syncs: true)
        let database = try folder.open(creates: false)
        #expect(try database.value(key(1)) == [7])
        let second = #expect(throws: LevelError.self) { _ = try folder.open() }
        guard case .locked = second else {
            Issue.record("a second open gives \(String(describing: second))")
            return
        }
    }

    @Test("a missing database is no empty one")
    func missing() throws {
        let folder = try Folder()
        let error = #expect(throws: LevelError.self) { _ = try folder.open(creates: false) }
        guard case .missing = error else {
            Issue.record("opening nothing gives \(String(describing: error))")
            return
        }
    }

    @Test("walks forward and backward, from any key")
    func iteration() throws {
        let folder = try Folder()
        let database = try folder.open()
        try database.fill(1000)
        let iterator = database.iterator(fillsCache: false)
        var seen = 0
        iterator.seekToFirst()
        while iterator.isValid {
            #expect(iterator.key.array == key(seen))
            seen += 1
            iterator.next()
        }
        try iterator.check()
        #expect(seen == 1000)
        key(500).withByteView { iterator.seek($0) }
        #expect(iterator.isValid && iterator.key.array == key(500))
        key(500).withByteView { iterator.seekBefore($0) }
        #expect(iterator.isValid && iterator.key.array == key(499))
        iterator.previous()
        #expect(iterator.isValid && iterator.key.array == key(498) && iterator.value.array.count == 500)
        Array("zzz".utf8).withByteView { iterator.seekBefore($0) }
        #expect(iterator.isValid && iterator.key.array == key(999))
        [UInt8]().withByteView { iterator.seekBefore($0) }
        #expect(!iterator.isValid)
    }

    @Test("a snapshot shows what was, also when its database's other owner is gone")
    func snapshots() throws {
        let folder = try Folder()
        var database: LevelDatabase? = try folder.open()
        try database?.put([(key(1), [1]), (key(2), [2])])
        let snapshot = database?.snapshot()
        try database?.put([(key(1), [9]), (key(3), [3])])
        let iterator = database?.iterator(snapshot: snapshot)
        database = nil
        var found: [[UInt8]] = []
        iterator?.seekToFirst()
        while let iterator, iterator.isValid {
            found.append(iterator.value.array)
            iterator.next()
        }
        #expect(found == [[1], [2]])
    }

    @Test("compaction writes table files; sizes and properties tell of them")
    func compaction() throws {
        let folder = try Folder()
        let database = try folder.open()
        try database.fill(2000)
        // RULES E5: the range does not matter, the memory buffer is written.
        database.compact(from: [], to: [0xFF])
        #expect(try !folder.files(".ldb").isEmpty)
        #expect(database.approximateSize(from: key(0), to: key(2000)) > 10_000)
        #expect(database.approximateSize(from: [0xFE], to: [0xFF]) == 0)
        #expect(database.property("leveldb.stats")?.contains("Compactions") == true)
        #expect(database.property("leveldb.nonsense") == nil)
    }

    @Test("a flipped byte of a table file is corruption, never a wrong value (RULES E4)")
    func rottenTable() throws {
        let folder = try Folder()
        do {
            let database = try folder.open()
            try database.fill(2000)
            database.compact(from: [], to: [0xFF])
        }
        for file in try folder.files(".ldb") { try folder.flipByte(of: file) { $0 / 3 } }
        let error = #expect(throws: LevelError.self) {
            let database = try folder.open(creates: false)
            for number in 0..<2000 {
                let value = try database.value(key(number))
                #expect(value == [UInt8](repeating: UInt8(number & 0xFF), count: 500))
            }
        }
        guard case .corruption = error else {
            Issue.record("rot gives \(String(describing: error))")
            return
        }
    }

    @Test("a flipped byte of the log refuses the open (RULES E4)")
    func rottenLog() throws {
        let folder = try Folder()
        do {
            let database = try folder.open(buffer: 4 << 20)
            try database.fill(200)
        }
        for file in try folder.files(".log") { try folder.flipByte(of: file) { $0 / 2 } }
        let error = #expect(throws: LevelError.self) { _ = try folder.open(creates: false) }
        guard case .corruption = error else {
            Issue.record("rot gives \(String(describing: error))")
            return
        }
    }

    @Test("a lost table file is an error, not silence")
    func missingTable() throws {
        let folder = try Folder()
        do {
            let database = try folder.open()
            try database.fill(2000)
            database.compact(from: [], to: [0xFF])
        }
        for file in try folder.files(".ldb") { try FileManager.default.removeItem(atPath: file) }
        #expect(throws: LevelError.self) { _ = try folder.open(creates: false) }
    }

    @Test("destroy removes the database")
    func destroy() throws {
        let folder = try Folder()
        try folder.open().put([(key(1), [1])], syncs: true)
        try LevelDatabase.destroy(directory: folder.database)
        #expect(throws: LevelError.self) { _ = try folder.open(creates: false) }
    }

    @Test("many threads read and write one database", .timeLimit(.minutes(1)))
    func threads() async throws {
        let folder = try Folder()
        let database = try folder.open()
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for writer in 0..<4 {
                tasks.addTask {
                    for number in 0..<200 {
                        let own = key(writer * 1000 + number)
                        try database.put([(own, own)])
                        #expect(try database.value(own) == own)
                    }
                }
            }
            try await tasks.waitForAll()
        }
        let iterator = database.iterator()
        var seen = 0
        iterator.seekToFirst()
        while iterator.isValid {
            seen += 1
            iterator.next()
        }
        #expect(seen == 800)
    }
}
