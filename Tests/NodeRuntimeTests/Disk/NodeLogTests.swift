import ClusterModel
import DataCore
import Foundation
import Synchronization
import Testing

@testable import NodeRuntime

@Suite("Node log on disk", .timeLimit(.minutes(2))) struct NodeLogTests {
    /// E1, the file's half: what was reported durable is there after the process is gone.
    @Test func durableBatchesAreFoundAgain() throws {
        let bench = try LogBench()
        do {
            let directory = try bench.directory()
            let writer = try bench.writer(directory)
            for ticket in 1...20 as ClosedRange<UInt64> {
                bench.submit(writer, LogBench.batch(ticket: ticket, seqs: ticket * 10 - 9...ticket * 10))
            }
            #expect(bench.waitDurable(20))
            writer.stop()
        }
        let reader = try LogReader(try bench.directory())
        #expect(reader.control[ShardID(rawValue: 1)]?.last == Seq(rawValue: 200))
        let store = StoreID(shard: ShardID(rawValue: 1), incarnation: .first)
        let found = try reader.batches(StoreNeeds(applied: [store: Seq(rawValue: 95)]))
        var seqs: [UInt64] = []
        for batch in found { batch.forEachRecord { header, _ in seqs.append(header.seq.rawValue) } }
        #expect(seqs == Array(91...200))
    }

    /// E8: the control state outlives the segments it was first written to.
    @Test func checkpointsCarryControlStateOverDeletedSegments() throws {
        let bench = try LogBench()
        do {
            let directory = try bench.directory()
            let writer = try bench.writer(directory, segmentBytes: 64 << 10)
            let promise = LogBatch()
            promise.ticket = 1
            promise.beginRecord(
                shard: ShardID(rawValue: 9), incarnation: .first, epoch: Epoch(rawValue: 7), seq: .zero, kind: .promise)
            promise.append([1, 2, 3])
            promise.endRecord()
            bench.submit(writer, promise)
            for ticket in 2...60 as ClosedRange<UInt64> {
                bench.submit(
                    writer, LogBench.batch(ticket: ticket, seqs: ticket * 10 - 19...ticket * 10 - 10, value: 1000))
            }
            #expect(bench.waitDurable(60))
            #expect(writer.generation > 5)
            try writer.release(below: writer.generation)
            writer.stop()
        }
        #expect(try bench.segments.count <= 2)
        let reader = try LogReader(try bench.directory())
        let control = try #require(reader.control[ShardID(rawValue: 9)])
        #expect(control.promised == Epoch(rawValue: 7))
        #expect(control.configuration == [1, 2, 3])
        #expect(reader.control[ShardID(rawValue: 1)]?.last == Seq(rawValue: 590))
    }

    /// A spare that is taken while the next one is made is a segment by then, and nobody writes zeros over it.
    @Test func sparesAreMadeWhileSegmentsBegin() throws {
        let bench = try LogBench()
        let last: UInt64 = 1000
        do {
            let writer = try bench.writer(try bench.directory(), segmentBytes: 16 << 10)
            let isOver = Atomic(false)
            let maker = Thread {
                while !isOver.load(ordering: .acquiring) { writer.prepareSpare() }
            }
            maker.start()
            for ticket in 1...last {
                bench.submit(writer, LogBench.batch(ticket: ticket, seqs: ticket...ticket, value: 8000))
                if ticket.isMultiple(of: 20) { #expect(bench.waitDurable(ticket)) }
                if bench.failed != nil { break }
            }
            isOver.store(true, ordering: .releasing)
            writer.stop()
            #expect(bench.failed == nil && writer.generation > 400)
            while !maker.isFinished { usleep(500) }  // poll: it ends after its last spare
        }
        let reader = try LogReader(try bench.directory())
        #expect(reader.control[ShardID(rawValue: 1)]?.last == Seq(rawValue: last) && reader.damages.isEmpty)
    }

    /// E3: half a batch at the end was never promised: it is cut, and the log goes on.
    @Test func aTornTailIsCut() throws {
        let bench = try LogBench()
        do {
            let writer = try bench.writer(try bench.directory())
            for ticket in 1...5 as ClosedRange<UInt64> {
                bench.submit(writer, LogBench.batch(ticket: ticket, seqs: ticket...ticket))
            }
            #expect(bench.waitDurable(5))
            writer.stop()
        }
        // Tear the last batch: its second half is as if the page had never been written.
        let file = try #require(try bench.segments.last)
        try tearLastBatch(file, of: bench)
        do {
            let directory = try bench.directory()
            let reader = try LogReader(directory)
            #expect(reader.control[ShardID(rawValue: 1)]?.last == Seq(rawValue: 4))
            let writer = try bench.writer(directory)
            bench.submit(writer, LogBench.batch(ticket: 1, seqs: 5...6))
            #expect(bench.waitDurable(1))
            writer.stop()
        }
        let again = try LogReader(try bench.directory())
        #expect(again.control[ShardID(rawValue: 1)]?.last == Seq(rawValue: 6))
        #expect(again.control[ShardID(rawValue: 1)]?.hasGap == false)
    }

    private func tearLastBatch(_ file: String, of bench: LogBench) throws {
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
        var last = 0
        for offset in stride(from: 4096, to: bytes.count - 4, by: 64)
        where bytes[offset..<offset + 4] == [0x4F, 0x42, 0x41, 0x54] { last = offset }
        #expect(last > 4096)
        try Scratch.flip(file, at: last + 100)
    }

    /// E3: a bad spot that a later batch knew synced is damage: the shard has lost something, and the segment is kept.
    @Test func rotBelowWhatWasSyncedIsTold() throws {
        let bench = try LogBench()
        do {
            let writer = try bench.writer(try bench.directory())
            for ticket in 1...5 as ClosedRange<UInt64> {
                bench.submit(writer, LogBench.batch(ticket: ticket, seqs: ticket...ticket))
                #expect(bench.waitDurable(ticket))
            }
            writer.stop()
        }
        let file = try #require(try bench.segments.last)
        let batches = try LogBench.batchPlaces(file)
        try #require(batches.count == 6)
        try Scratch.flip(file, at: batches[2] + 100)
        let reader = try LogReader(try bench.directory())
        #expect(reader.damages.first?.description.contains("damaged at") == true)
        #expect(reader.control[ShardID(rawValue: 1)]?.isLost == true)
        #expect(FileManager.default.fileExists(atPath: file + LogReader.damagedEnding))
    }

    /// E8: a segment in the middle is missing.
    @Test func aMissingSegmentIsTold() throws {
        let bench = try LogBench()
        do {
            let writer = try bench.writer(try bench.directory(), segmentBytes: 64 << 10)
            for ticket in 1...60 as ClosedRange<UInt64> {
                bench.submit(writer, LogBench.batch(ticket: ticket, seqs: ticket * 10 - 9...ticket * 10, value: 1000))
            }
            #expect(bench.waitDurable(60))
            writer.stop()
        }
        let segments = try bench.segments
        try #require(segments.count > 4)
        try FileManager.default.removeItem(atPath: segments[2])
        let reader = try LogReader(try bench.directory())
        #expect(reader.damages.count == 1)
        #expect(reader.control[ShardID(rawValue: 1)]?.isLost == true)
    }

    /// A recycled segment's old batches never pass for new ones.
    @Test func recycledSegmentsHoldNoGhosts() throws {
        let bench = try LogBench()
        do {
            let writer = try bench.writer(try bench.directory(), segmentBytes: 64 << 10)
            for ticket in 1...120 as ClosedRange<UInt64> {
                bench.submit(writer, LogBench.batch(ticket: ticket, seqs: ticket * 10 - 9...ticket * 10, value: 1000))
                #expect(bench.waitDurable(ticket))
                if ticket % 20 == 0 { try writer.release(below: writer.generation) }
            }
            writer.stop()
        }
        let reader = try LogReader(try bench.directory())
        #expect(reader.control[ShardID(rawValue: 1)]?.last == Seq(rawValue: 1200))
        #expect(reader.control[ShardID(rawValue: 1)]?.hasGap == false)
    }

    /// E6, E2: the disk is full: the writer fails stop with the reason, and reports nothing durable after it. That is no
    /// corruption: with some room it goes on from what was durable.
    @Test(.enabled(if: SmallDisk.mayMount, "a disk to fill can be mounted by root alone"))
    func aFullDiskStopsTheWriter() throws {
        let bench = try LogBench()
        let mount = try SmallDisk(.memory, at: bench.scratch.path("d1"), megabytes: 4)
        defer { mount.unmount() }
        let writer = try bench.writer(try bench.directory(), segmentBytes: 1 << 20)
        for ticket in 1...10 as ClosedRange<UInt64> {
            bench.submit(writer, LogBench.batch(ticket: ticket, seqs: ticket * 100...ticket * 100 + 99, value: 8000))
        }
        #expect(!bench.waitDurable(10))
        #expect(bench.failed?.contains("No space left") == true)
        #expect(bench.wasRefused)
        writer.stop()
        let last = try LogReader(try bench.directory()).control[ShardID(rawValue: 1)]?.last.rawValue ?? 0
        #expect(last >= bench.durableTicket * 100 + 99 && last < 1099)
        #expect(throws: DiskError.self, "no room for a segment to go on in") { try bench.writer(try bench.directory()) }
        try mount.grow(toMegabytes: 16)
        let next = try bench.writer(try bench.directory())
        bench.submit(next, LogBench.batch(ticket: 20, seqs: last + 1...last + 1))
        #expect(bench.waitDurable(20))
        next.stop()
        #expect(try LogReader(try bench.directory()).control[ShardID(rawValue: 1)]?.last.rawValue == last + 1)
    }

    /// E3, E8: the process ended between making a segment's file and writing its checkpoint: the log goes on, then and later.
    @Test func aSegmentThatWasNeverOpenedIsCut() throws {
        let bench = try LogBench()
        for round in 0..<3 as Range<UInt64> {
            let directory = try bench.directory()
            let writer = try bench.writer(directory)
            bench.submit(writer, LogBench.batch(ticket: 1, seqs: round + 1...round + 1))
            #expect(bench.waitDurable(1))
            writer.stop()
            _ = try SegmentFile(
                directory: directory.logPath, log: directory.identity.log, generation: writer.generation + 1,
                size: 64 << 10, recycled: nil)
            if round == 1 {
                // Not even its header was written.
                try SegmentFile.zero("\(directory.logPath)/\(SegmentFile.name(writer.generation + 1))", from: 0)
            }
        }
        let reader = try LogReader(try bench.directory())
        #expect(reader.control[ShardID(rawValue: 1)]?.last == Seq(rawValue: 3))
        #expect(try bench.segments.count == 3)
    }

    /// E3: a batch behind the torn one reached the disk; it is gone before the log goes on.
    @Test func whatIsLeftOfATornTailIsZeroed() throws {
        let bench = try LogBench()
        do {
            let writer = try bench.writer(try bench.directory(), mode: .never)
            for ticket in 1...5 as ClosedRange<UInt64> {
                bench.submit(writer, LogBench.batch(ticket: ticket, seqs: ticket...ticket))
            }
            #expect(bench.waitDurable(5))
            writer.stop()
        }
        let file = try #require(try bench.segments.last)
        let places = try LogBench.batchPlaces(file)
        try #require(places.count == 6)
        try Scratch.flip(file, at: places[3] + 100)
        #expect(try LogReader(try bench.directory()).control[ShardID(rawValue: 1)]?.last == Seq(rawValue: 2))
        #expect(try LogBench.batchPlaces(file).count == 3)
    }

    /// E2: the sync itself fails: it is not tried again, and what waited for it never counts as durable. The segment's
    /// descriptor is exchanged for one that takes every write and cannot be synced.
    @Test func aFailedSyncStopsTheWriter() throws {
        let bench = try LogBench()
        let writer = try bench.writer(try bench.directory())
        bench.submit(writer, LogBench.batch(ticket: 1, seqs: 1...1))
        #expect(bench.waitDurable(1))
        let file = try #require(try bench.segments.last)
        let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap(Int32.init).filter {
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")) == file
        }
        try #require(open.count == 1)
        let deaf = try #require(FileHandle(forUpdatingAtPath: "/dev/null"))
        #expect(dup2(deaf.fileDescriptor, open[0]) == open[0])
        bench.submit(writer, LogBench.batch(ticket: 2, seqs: 2...2))
        #expect(!bench.waitDurable(2))
        #expect(bench.failed?.contains("cannot sync \(file)") == true)
        #expect(!bench.wasRefused, "what a sync may have dropped is no mere refusal")
        let syncs = writer.counters.syncs
        bench.submit(writer, LogBench.batch(ticket: 3, seqs: 3...3))
        writer.stop()
        #expect(writer.counters.syncs == syncs)
        #expect(!bench.waitDurable(2))
    }

    /// E7: a directory has one owner, an identity, and an owner's name.
    @Test func aDirectoryHasOneOwner() throws {
        let bench = try LogBench()
        let directory = try bench.directory()
        let busy = #expect(throws: DiskError.self) { _ = try bench.directory() }
        #expect(busy?.description.contains("another process uses") == true)
        try directory.join(UniqueID(high: 1, low: 1))
        #expect(throws: DiskError.self) { try directory.join(UniqueID(high: 2, low: 2)) }
    }

    /// The process ended before the directory was complete.
    @Test func aDirectoryThatWasBegunIsFinished() throws {
        let bench = try LogBench()
        do { _ = try bench.directory() }
        for name in ["log", "stores"] { try FileManager.default.removeItem(atPath: bench.scratch.path("d1/\(name)")) }
        #expect(try bench.directory().identity.boots == 2)
        #expect(FileManager.default.fileExists(atPath: bench.scratch.path("d1/stores")))
    }

    /// H1: it tells the starts from the last registered one on; the oldest of many goes last.
    @Test func aDirectoryKnowsItsStarts() throws {
        let bench = try LogBench()
        var boots: [BootNonce] = []
        func start(_ body: (NodeDirectory) -> Void = { _ in }) throws {
            let directory = try bench.directory()
            boots.append(directory.boot)
            #expect(directory.identity.starts?.last == directory.boot)
            body(directory)
        }
        try start()
        try start()
        #expect(try bench.directory().identity.starts?.dropLast() == boots[...])
        try start { $0.forgetFormerStarts() }
        let registered = try #require(boots.last)
        for _ in 0..<300 { try start() }
        let starts = try #require(try bench.directory().identity.starts)
        #expect(starts.count == 256)
        #expect(starts.first == registered)
        #expect(Set(boots).count == boots.count)
        // One of a version that did not keep them says nothing, once.
        let file = bench.scratch.path("d1/identity")
        let text = try String(contentsOfFile: file, encoding: .utf8)
        let begin = try #require(text.range(of: "\"starts\""))
        let end = try #require(text.range(of: "],", range: begin.upperBound..<text.endIndex))
        try text.replacingCharacters(in: begin.lowerBound..<end.upperBound, with: "")
            .write(toFile: file, atomically: true, encoding: .utf8)
        #expect(try bench.directory().starts == nil)
        #expect(try bench.directory().starts?.count == 2)
    }

    @Test func aDirectoryOfAnotherNodeIsRefused() throws {
        let bench = try LogBench()
        do { _ = try bench.directory() }
        let error = #expect(throws: DiskError.self) {
            _ = try NodeDirectory(path: bench.scratch.path("d1"), node: NodeID(rawValue: "d2"))
        }
        #expect(error?.description.contains("belongs to node 'd1'") == true)
    }

    /// E2: after a failed write the directory is marked, and the node does not start until somebody looked.
    @Test func aSuspectDirectoryIsRefusedUntilSomebodyLooked() throws {
        let bench = try LogBench()
        do { try bench.directory().markSuspect("fsync failed") }
        let error = #expect(throws: DiskError.self) { _ = try bench.directory() }
        #expect(error?.description.contains("fsync failed") == true)
        try FileManager.default.removeItem(atPath: bench.scratch.path("d1/suspect"))
        _ = try bench.directory()
    }
}
