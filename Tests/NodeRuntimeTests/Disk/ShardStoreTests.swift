import ClusterModel
import Foundation
import LevelStore
import Testing

@testable import DataCore
@testable import NodeRuntime

@Suite("Stores of shards", .timeLimit(.minutes(3))) struct ShardStoreTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    var path: String { scratch.path("d1") }
    var storePath: String { "\(path)/stores/\(DiskLife.store)" }

    /// What a power cut may do to LevelDB: of its own log only the note of what is durable, which is synced, and what came
    /// before it are kept.
    private func loseUnsynced() throws {
        let logs = try scratch.files("d1/stores/\(DiskLife.store)", ending: ".log")
        #expect(!logs.isEmpty)
        for file in logs {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: file))
            // A note ends with the length and the 16 bytes of its value.
            let note = bytes.range(of: Data(RowKey.durable), options: .backwards)
            let handle = try FileHandle(forUpdating: URL(fileURLWithPath: file))
            try handle.truncate(atOffset: UInt64(note.map { $0.upperBound + 17 } ?? 0))
            try handle.close()
        }
    }

    @Test("rounds apply the last op of each key, and applied stands beside the rows")
    func rounds() throws {
        let life = try DiskLife(path)
        for round in 0..<50 {
            for key in 0..<5 { life.put("key\(key)", [UInt8(round), UInt8(key)]) }
        }
        life.delete("key3")
        life.delete("never there")
        #expect(life.commit())
        #expect(try life.value("key4") == [49, 4])
        #expect(try life.value("key3") == nil)
        let database = try #require(life.database)
        #expect(try ShardStores.applied(database) == (Epoch(rawValue: 1), Seq(rawValue: 253)))
        #expect(life.applier.counters.rows < 250)
        life.stop()
        #expect(life.told.failures.isEmpty)
    }

    @Test("a flush removes what was before it and nothing that came after")
    func flush() throws {
        let life = try DiskLife(path)
        for key in 0..<300 { life.put("old\(key)", [1], deadline: key == 7 ? 99 : 0) }
        #expect(life.commit())
        life.put("between", [2])
        life.log { $0.flush() }
        life.put("old5", [3])
        #expect(life.commit())
        #expect(try life.value("between") == nil)
        #expect(try life.value("old5") == [3])
        let database = try #require(life.database)
        let rows = database.iterator()
        var count = 0
        [RowKey.dataKind].withByteView { rows.seek($0) }
        while rows.isValid {
            count += 1
            rows.next()
        }
        #expect(count == 1, "data rows and expiry hints of before are gone")
        life.stop()
    }

    /// E5: what LevelDB had only in its own log is lost, in whole or in part; the node's log has it.
    @Test("what was not in table files comes back from the log", arguments: [true, false])
    func unsyncedRowsComeBack(losesWholeLog: Bool) throws {
        do {
            let life = try DiskLife(path)
            for key in 0..<100 { life.put("key\(key)", [1]) }
            #expect(life.commit())
            try ShardStores.makeDurable(try #require(life.database))
            for key in 50..<150 { life.put("key\(key)", [2]) }
            life.delete("key149")
            #expect(life.commit())
            if !losesWholeLog {
                // An older log of LevelDB lost a row, a newer one still says `applied`.
                var row = ByteBuffer(capacity: 64)
                Array("key120".utf8).withByteView { RowKey.write($0, usesSlots: true, to: &row) }
                let hole = LevelBatch()
                hole.delete(row.view)
                try life.database?.write(hole)
            }
            life.stop(isClean: false)
        }
        if losesWholeLog { try loseUnsynced() }
        let life = try DiskLife(path)
        #expect(life.recovered == 101)
        #expect(life.commit())
        for key in 0..<149 { #expect(try life.value("key\(key)") == [key < 50 ? 1 : 2], "key\(key)") }
        #expect(try life.value("key149") == nil)
        life.stop()
    }

    /// A process that is killed before it has filled two segments leaves what it did to the next one, but not for ever.
    @Test("of many starts that are killed none has all to do again")
    func killedAgainAndAgain() throws {
        for round in 0..<20 {
            let life = try DiskLife(path, segmentBytes: 64 << 10)
            #expect(life.recovered <= 40, "round \(round)")
            for key in 0..<9 { life.put("key\(round).\(key)", [UInt8](repeating: 1, count: 100)) }
            #expect(life.commit())
            let names = { try? scratch.files("d1/log", ending: ".seg") }
            #expect(life.told.wait(until: { _ in (names()?.count ?? 99) <= 4 }), "old segments are let go")
            life.stop(isClean: false)
            #expect(life.told.failures.isEmpty)
        }
        let life = try DiskLife(path)
        for round in 0..<20 { #expect(try life.value("key\(round).8") != nil) }
        life.stop()
    }

    /// E5, E8: a segment goes only when all of it is in table files.
    @Test("segments that went are in table files")
    func segmentsGo() throws {
        do {
            let life = try DiskLife(path, segmentBytes: 64 << 10)
            for key in 0..<400 {
                life.put("key\(key)", [UInt8](repeating: UInt8(truncatingIfNeeded: key), count: 2000))
                if key % 20 == 19 { #expect(life.commit()) }
            }
            #expect(life.writer.generation > 8)
            let names = { try? scratch.files("d1/log", ending: ".seg") }
            #expect(life.told.wait(until: { _ in (names()?.count ?? 99) <= 4 }), "old segments are let go")
            life.stop(isClean: false)
            #expect(life.told.failures.isEmpty)
        }
        try loseUnsynced()
        let life = try DiskLife(path, segmentBytes: 64 << 10)
        #expect(life.recovered < 200)
        #expect(life.commit())
        for key in 0..<400 {
            #expect(try life.value("key\(key)")?.count == 2000)
        }
        life.stop()
    }

    @Test("after a clean stop nothing is done again")
    func cleanStop() throws {
        do {
            let life = try DiskLife(path)
            life.put("key", [1])
            #expect(life.commit())
            life.stop()
        }
        try loseUnsynced()
        let life = try DiskLife(path)
        #expect(life.recovered == 0)
        #expect(try life.value("key") == [1])
        life.stop()
    }

    /// E4: LevelDB refuses a store whose log is damaged; the node's log has all of it.
    @Test("a damaged store is made again from the log")
    func damagedStore() throws {
        do {
            let life = try DiskLife(path)
            for key in 0..<200 { life.put("key\(key)", [UInt8](repeating: 5, count: 500)) }
            #expect(life.commit())
            life.stop(isClean: false)
        }
        let log = try #require(try scratch.files("d1/stores/\(DiskLife.store)", ending: ".log").last)
        try Scratch.flip(log, at: 40_000)
        let life = try DiskLife(path)
        #expect(life.commit())
        for key in 0..<200 { #expect(try life.value("key\(key)")?.count == 500) }
        #expect(FileManager.default.fileExists(atPath: storePath + ".damaged/CURRENT"))
        life.stop()
    }

    @Test("a damaged store whose log was let go is refused, and stays as it is")
    func damagedStoreWithoutLog() throws {
        do {
            let life = try DiskLife(path, segmentBytes: 64 << 10)
            for key in 0..<200 {
                life.put("key\(key)", [UInt8](repeating: 5, count: 2000))
                if key % 20 == 19 { #expect(life.commit()) }
            }
            let first = "\(path)/log/\(SegmentFile.name(1))"
            #expect(life.told.wait(until: { _ in !FileManager.default.fileExists(atPath: first) }))
            life.stop()
        }
        for table in try scratch.files("d1/stores/\(DiskLife.store)", ending: ".ldb") {
            try FileManager.default.removeItem(atPath: table)
        }
        let error = #expect(throws: DiskError.self) { _ = try DiskLife(path) }
        #expect(error?.description.contains("cannot open store") == true)
        #expect(FileManager.default.fileExists(atPath: storePath + "/CURRENT"))
    }

    /// E4: the log ends before what the store holds: it lost what it had promised.
    @Test("a log shorter than its store is refused")
    func shortLog() throws {
        do {
            let life = try DiskLife(path)
            for key in 0..<5 { life.put("key\(key)", [1]) }
            #expect(life.commit())
            life.stop()
        }
        let file = try #require(try scratch.files("d1/log", ending: ".seg").last)
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
        let last = stride(from: 4096, to: bytes.count - 4, by: 64).filter {
            bytes[$0..<$0 + 4] == [0x4F, 0x42, 0x41, 0x54]
        }.last
        try Scratch.flip(file, at: try #require(last) + 100)
        let error = #expect(throws: DiskError.self) { _ = try DiskLife(path) }
        #expect(error?.description.contains("the log lost its end") == true)
        // Where nobody asked for syncs the end may be lost; seqs are taken again, and what they say now is kept.
        do {
            let life = try DiskLife(path, mode: .never)
            #expect(life.seq == 5)
            life.put("key9", [9])
            life.put("key9", [10])
            #expect(life.commit())
            life.stop(isClean: false)
        }
        try loseUnsynced()
        let life = try DiskLife(path, mode: .never)
        #expect(life.seq == 7 && life.recovered == 2)
        #expect(life.commit())
        #expect(try life.value("key9") == [10])
        life.stop()
    }

    /// E6: LevelDB's disk is full: the node stops, and loses nothing of what it acknowledged.
    @Test(
        "a full disk under LevelDB stops the applier",
        .enabled(if: SmallDisk.mayMount, "a disk to fill can be mounted by root alone"))
    func fullDisk() throws {
        do { try DiskLife(path).stop() }
        do {
            let disk = try SmallDisk(.memory, at: path + "/stores", megabytes: 2)
            defer { disk.unmount() }
            let life = try DiskLife(path, segmentBytes: 8 << 20)
            for key in 0..<800 { life.put("key\(key)", [UInt8](repeating: 5, count: 5000)) }
            #expect(!life.commit())
            #expect(life.told.failures.first?.contains("No space left") == true)
            life.stop(isClean: false)
        }
        let life = try DiskLife(path, segmentBytes: 8 << 20)
        #expect(life.commit())
        for key in 0..<800 { #expect(try life.value("key\(key)")?.count == 5000) }
        life.stop()
    }

    @Test("rows and walks come back from readers; a store that went under them is no fault of the disk")
    func readers() throws {
        let life = try DiskLife(path)
        for key in 0..<20 { life.put("key\(key)", [UInt8(key)], deadline: key == 3 ? 77 : 0) }
        #expect(life.commit())
        let batch = RowBatch()
        for key in ["key1", "key3", "none"] {
            Array(key.utf8).withByteView {
                batch.ask($0, keyspace: 1, store: DiskLife.store, usesSlots: true, load: 1)
            }
        }
        life.readers.read(batch)
        let scan = Scan(id: 1, store: DiskLife.store, usesSlots: true, from: [1], to: [2], limit: 1000, now: 100)
        life.readers.scan(scan)
        #expect(life.told.wait(until: { $0.answers == 2 }))
        #expect(batch.items.map(\.outcome) == [.found, .found, .absent])
        #expect(batch.value(0).array == [1] && batch.items[1].deadline == 77)
        #expect(scan.isComplete && scan.count == 19, "one row is past its deadline")
        life.applier.add(.drop(DiskLife.store))
        #expect(life.told.wait(until: { _ in !FileManager.default.fileExists(atPath: storePath) }))
        batch.removeAll()
        Array("key1".utf8).withByteView {
            batch.ask($0, keyspace: 1, store: DiskLife.store, usesSlots: true, load: 1)
        }
        life.readers.read(batch)
        #expect(life.told.wait(until: { $0.answers == 3 }))
        #expect(batch.items[0].outcome == .failed)
        life.stop()
        #expect(life.told.failures.isEmpty)
    }
}
