import ClusterModel
import Foundation
import Testing
import Wire

@testable import DataCore
@testable import SharedLog

/// The drawings of what is on disk, and of frames.
@Suite("Drawings of disk and wire") struct DiskPageTests {
    private static let log = UniqueID(high: 0x0123_4567_89AB_CDEF, low: 0xFEDC_BA98_7654_3210)
    private static let wall: Int64 = 1_700_000_000_000

    private func bytes<Failure: Error>(_ text: String, _ body: (ByteView) throws(Failure) -> Void) throws(Failure) {
        try Array(text.utf8).withByteView(body)
    }

    @Test func segmentHeader() throws {
        let page = try Page("DataCore/DataCore.docc/NodeLog.md")
        let drawn = try page.bytes("segment")
        let header = try #require(drawn.withByteView { SegmentHeader($0) })
        #expect(try page.check("segment", reads: header) == 2)
        #expect(header.log == Self.log)
        #expect(header.block == drawn + [UInt8](repeating: 0, count: 4096 - 64))
    }

    @Test func batch() throws {
        let drawn = try Page("DataCore/DataCore.docc/NodeLog.md").bytes("batch")
        let batch = LogBatch()
        batch.beginRecord(
            shard: ShardID(rawValue: 5), incarnation: Incarnation(rawValue: 4), epoch: Epoch(rawValue: 7),
            seq: Seq(rawValue: 131), kind: .data)
        bytes("user:1") { key in bytes("ada") { batch.put(key: key, value: $0, deadline: Self.wall) } }
        bytes("user:2") { batch.delete(key: $0) }
        batch.time(Self.wall)
        batch.flush()
        batch.endRecord()
        let place = LogOffset(generation: 3, offset: 4224)
        let sealed = batch.seal(
            BatchStamp(log: Self.log, place: place, syncedThrough: place, previousChecksum: 0x5F0C_2A9B))
        #expect(sealed.bytes.array == drawn)
        let header = try #require(drawn.withByteView { BatchHeader($0, log: Self.log, at: place) })
        #expect(header.records == 1 && header.syncedThrough == place && header.previousChecksum == 0x5F0C_2A9B)
        #expect(header.padded == drawn.count && header.checksum == sealed.checksum && !header.isCheckpoint)
    }

    @Test func controlState() throws {
        let page = try Page("DataCore/DataCore.docc/NodeLog.md")
        let drawn = try page.bytes("control")
        let header = RecordHeader(
            shard: ShardID(rawValue: 5), incarnation: Incarnation(rawValue: 4), epoch: Epoch(rawValue: 7),
            seq: Seq(rawValue: 130), kind: .checkpoint, length: drawn.count)
        let control = try #require(drawn.withByteView { ShardControl(header, $0) })
        #expect(try page.check("control", reads: control) == 5)
        let configuration = try Page("ClusterModel/ClusterModel.docc/Configurations.md").bytes("configuration")
        #expect(control.configuration == configuration)
        var buffer = ByteBuffer()
        control.encode(into: &buffer)
        #expect(buffer.view.array == drawn)
    }

    @Test func rows() throws {
        let page = try Page("DataCore/DataCore.docc/ShardStore.md")
        func written(_ body: (inout ByteBuffer) -> Void) -> [UInt8] {
            var buffer = ByteBuffer()
            body(&buffer)
            return buffer.view.array
        }
        let (slots, keys, hint) = (
            try page.bytes("row-slots"), try page.bytes("row-keys"), try page.bytes("row-hint")
        )
        bytes("user:1") { key in
            #expect(written { RowKey.write(key, usesSlots: true, to: &$0) } == slots)
            #expect(written { RowKey.write(key, usesSlots: false, to: &$0) } == keys)
            #expect(written { RowKey.writeHint(deadline: Self.wall, key: key, to: &$0) } == hint)
            #expect(slots.withByteView { RowKey.key(of: $0, usesSlots: true)?.array } == key.array)
            #expect(keys.withByteView { RowKey.key(of: $0, usesSlots: false)?.array } == key.array)
            #expect(hint.withByteView { RowKey.key(ofHint: $0)?.array } == key.array)
        }
        for (name, deadline) in [("value-plain", 0), ("value-deadline", Self.wall)] as [(String, Int64)] {
            let drawn = try page.bytes(name)
            bytes("ada") { value in
                #expect(written { StoredValue.write(value, deadline: deadline, to: &$0) } == drawn)
                drawn.withByteView {
                    let stored = StoredValue($0)
                    #expect(stored?.deadline == deadline && stored?.value.array == value.array)
                }
            }
        }
        #expect(try page.bytes("row-applied") == RowKey.applied)
    }

    @Test func frames() throws {
        let page = try Page("Wire/Wire.docc/PeerFrames.md")
        let drawn = try page.bytes("frame")
        let release = try Page("ClusterModel/ClusterModel.docc/ForwardedCommands.md").bytes("release")
        var buffer = ByteBuffer()
        release.withByteView { PeerFrame.append(.release, $0, to: &buffer) }
        #expect(buffer.view.array == drawn)
        try drawn.withByteView { view in
            guard case .frame(let frame, let consumed) = try PeerFrame.next(view) else {
                Issue.record("the drawn frame is incomplete")
                return
            }
            #expect(frame.kind == .release && consumed == view.count && frame.payload.array == release)
        }
        let hello = try page.bytes("hello")
        let value = try #require(hello.withByteView { PeerHello(decoding: $0) })
        #expect(try page.check("hello", reads: value) == 2)
        #expect(value.cluster == Self.log && value.boot == BootNonce(rawValue: 0xDEAD))
        #expect(value.secret == Array("secret".utf8))
        var again = ByteBuffer()
        value.encode(into: &again)
        #expect(again.view.array == hello)
    }

    @Test func fileLog() throws {
        let page = try Page("SharedLog/SharedLog.docc/FileLogFormat.md")
        let entry = LogEntry(
            writer: Self.log, term: Term(rawValue: 3), wall: Self.wall, commands: [.beat(term: Term(rawValue: 3))])
        let slot = Array(try page.text("slot").utf8)
        #expect(SealedText.seal(.log, number: 17, try EntryCoding.encode(entry)) == slot)
        guard case .whole(17, let content) = SealedText.open(.log, slot) else {
            Issue.record("the drawn slot is not whole")
            return
        }
        #expect(EntryCoding.decode(content) == entry)
        #expect(SealedText.seal(.floor, number: 12, []) == Array(try page.text("floor").utf8))
        #expect(SealedText.seal(.snapshot, number: 16, Array("{}".utf8)) == Array(try page.text("snapshot").utf8))
    }
}
