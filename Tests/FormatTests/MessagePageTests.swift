import ClusterModel
import Testing

@testable import ClusterClient
@testable import DataCore

/// The drawings of ClusterModel's messages: what is drawn is read as it says, and written the same.
@Suite("Drawings of messages") struct MessagePageTests {
    private func repeats<Value: Equatable>(
        _ page: Page, _ name: String, _ read: (ByteView) -> Value?, _ write: (Value, inout ByteBuffer) -> Void
    ) throws {
        let bytes = try page.bytes(name)
        let found = bytes.withByteView(read)
        let value = try #require(found, "\(name) is not read")
        #expect(try page.check(name, reads: value) > 0)
        var buffer = ByteBuffer()
        write(value, &buffer)
        #expect(buffer.view.array == bytes, "\(name) is written as it is drawn")
        // A byte less or more is no such document.
        let (short, long) = (Array(bytes.dropLast()).withByteView(read), (bytes + [0]).withByteView(read))
        #expect(short == nil && long == nil)
    }

    private func message<Message: ReplicaMessage>(_: Message.Type, _ name: String) throws {
        let page = try Page("ClusterModel/ClusterModel.docc/ReplicaMessages.md")
        try repeats(page, name, { Message(decoding: $0) }, { $0.encode(into: &$1) })
    }

    @Test func beat() throws { try message(ReplicaBeat.self, "beat") }
    @Test func grant() throws { try message(ReplicaGrant.self, "grant") }
    @Test func reconcile() throws { try message(Reconcile.self, "reconcile") }
    @Test func reconciled() throws { try message(ReconcileAnswer.self, "reconciled") }
    @Test func acks() throws { try message(ReplicaAcks.self, "acks") }
    @Test func poll() throws { try message(TakeoverPoll.self, "poll") }
    @Test func vote() throws { try message(TakeoverVote.self, "vote") }
    @Test func snapshot() throws { try message(SnapshotChunk.self, "snapshot") }
    @Test func snapshotTaken() throws { try message(SnapshotTaken.self, "snapshotTaken") }
    @Test func relearn() throws { try message(Relearn.self, "relearn") }

    /// Every kind of message that there is has its drawing.
    @Test func nothingIsLeftOut() throws {
        let page = try Page("ClusterModel/ClusterModel.docc/ReplicaMessages.md")
        for kind in ReplicaMessageKind.allCases { #expect(try !page.bytes("\(kind)").isEmpty) }
    }

    @Test func batch() throws {
        let page = try Page("ClusterModel/ClusterModel.docc/ReplicaMessages.md")
        let bytes = try page.bytes("replica")
        let batch = ReplicaBatch()
        try bytes.withByteView { bytes in
            var cursor = ReplicaCursor(bytes)
            let firstNext = cursor.next()
            let first = try #require(firstNext)
            #expect(first.kind == .relearn)
            batch.append(try #require(Relearn(decoding: first.body)))
            let secondNext = cursor.next()
            let second = try #require(secondNext)
            #expect(second.kind == .poll)
            batch.append(try #require(TakeoverPoll(decoding: second.body)))
            let end = cursor.next()
            #expect(end == nil && !cursor.isDamaged)
        }
        #expect(batch.bytes.view.array == bytes)
    }

    @Test func records() throws {
        let page = try Page("ClusterModel/ClusterModel.docc/ReplicaMessages.md")
        let bytes = try page.bytes("records")
        try bytes.withByteView { view in
            let stream = try #require(RecordStream.read(view))
            #expect(stream.parts.count == 1)
            let part = stream.parts[0]
            #expect(part.shard == ShardID(rawValue: 5) && part.epoch == 7 && part.commit == 129)
            #expect(part.previousEpoch == 7 && part.previous == 130 && part.last == 131)
            var buffer = ByteBuffer()
            RecordStream.begin(stream.parts, in: &buffer)
            buffer.append(stream.records)
            #expect(buffer.view.array == bytes)
            var cursor = RecordCursor(stream.records)
            let recordNext = cursor.next()
            let record = try #require(recordNext)
            #expect(record.header.seq == Seq(rawValue: 131) && record.header.kind == .data)
            let end = cursor.next()
            #expect(end == nil && !cursor.isDamaged)
        }
    }

    @Test func configuration() throws {
        let page = try Page("ClusterModel/ClusterModel.docc/Configurations.md")
        try repeats(page, "configuration", { ShardConfiguration(decoding: $0) }, { $0.encode(into: &$1) })
        let configuration = try page.bytes("configuration").withByteView { ShardConfiguration(decoding: $0) }
        #expect(configuration?.range == .slots(from: 0, to: 1024))
        #expect(configuration?.primaryBoot == BootNonce(rawValue: 0xDEAD))
        let stale = try #require(StaleReply(String(try page.text("stale").dropFirst("-STALE ".count).dropLast())))
        #expect(stale.shard == ShardID(rawValue: 5) && stale.epoch == Epoch(rawValue: 7))
        #expect(stale.configuration == configuration)
    }

    @Test func release() throws {
        let page = try Page("ClusterModel/ClusterModel.docc/ForwardedCommands.md")
        try repeats(page, "release", { Release(decoding: $0) }, { $0.encode(into: &$1) })
    }

    @Test func forward() throws {
        let page = try Page("ClusterModel/ClusterModel.docc/ForwardedCommands.md")
        let bytes = try page.bytes("forward")
        try bytes.withByteView { view in
            var cursor = ForwardCursor(view)
            var arguments: [ByteView] = []
            let commandNext = cursor.next(into: &arguments)
            let command = try #require(commandNext)
            #expect(try page.check("forward", reads: command) == 7)
            #expect(arguments.map(\.text) == ["GET", "user:1"])
            let batch = ForwardBatch()
            batch.begin(command, arguments: arguments.count)
            for argument in arguments { batch.append(argument: argument) }
            #expect(batch.bytes.view.array == bytes)
        }
        let reply = try page.bytes("forwardReply")
        try reply.withByteView { view in
            var cursor = ForwardReplyCursor(view)
            let foundNext = cursor.next()
            let found = try #require(foundNext)
            #expect(found.request == 31 && found.outcome == .reply && found.body.text == "$3\r\nada\r\n")
            let batch = ForwardReplyBatch()
            batch.append(request: found.request, found.outcome, body: found.body)
            #expect(batch.bytes.view.array == reply)
        }
    }
}
