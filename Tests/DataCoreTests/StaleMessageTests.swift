import ClusterModel
import Testing

@testable import DataCore

/// What a link that broke, or an earlier role, still brings (RULES C1, C5, C15, G4, H6).
@Suite("Messages and rows of another time") struct StaleMessageTests {
    private static func question(_ epoch: UInt64, _ members: [Int], _ starts: [(UInt64, UInt64)], last: UInt64)
        -> Reconcile
    {
        Reconcile(
            configuration: ReplicaNode.configuration(epoch, members),
            epochs: starts.map { EpochStart(epoch: Epoch(rawValue: $0.0), first: Seq(rawValue: $0.1)) },
            last: Seq(rawValue: last), nonce: 77)
    }

    private static func answer(_ nonce: UInt64, _ number: Int, epoch: UInt64, last: UInt64) -> ReconcileAnswer {
        ReconcileAnswer(
            nonce: nonce,
            Reconciled(
                shard: ReplicaNode.shard, epoch: Epoch(rawValue: epoch),
                incarnation: ReplicaNode.member(number).incarnation, last: Seq(rawValue: last)))
    }

    /// Makes d1 the serving primary of an epoch in which the others have its log up to `last`.
    private static func serve(_ node: ReplicaNode, epoch: UInt64, last: UInt64) throws {
        node.adopt(epoch, [1, 2, 3])
        for number in 2...3 {
            let asked = try #require(node.take(Reconcile.self, to: number).last)
            node.hear(number, answer(asked.nonce, number, epoch: epoch, last: last - 1))
        }
        node.advance(millis: 300)
        for number in 2...3 { node.grant(number, epoch: epoch, last: last) }
        #expect(node.glance?.isServing == true)
    }

    /// d2 takes the role: what d1 has above `common` is cut, and records of d2's own follow.
    private static func follow(_ node: ReplicaNode, epoch: UInt64, first: UInt64, _ starts: [(UInt64, UInt64)]) {
        node.adopt(epoch, [2, 1, 3])
        node.hear(2, question(epoch, [2, 1, 3], starts + [(epoch, first)], last: first))
        node.sync()
    }

    /// Records that were taken since the question was sent are the primary's own.
    @Test func anOldQuestionCutsNothing() {
        let node = ReplicaNode()
        node.adopt(2, [2, 1, 3])
        let question = Self.question(2, [2, 1, 3], [(2, 1)], last: 1)
        node.hear(2, question)
        node.hearRecords(2, epoch: 2, 1...3, startsEpoch: true, commit: 0)
        node.sync()
        node.hear(2, question)
        #expect(node.glance?.last == Seq(rawValue: 3))
        #expect(!node.logged.contains { $0.kind == .truncate })
    }

    /// The answer of a process that is gone: the one that lives now has not been asked.
    @Test func anOldAnswerReconcilesNobody() throws {
        let node = ReplicaNode()
        node.adopt(1, [1, 2, 3])
        let first = try #require(node.take(Reconcile.self, to: 2).first)
        node.lose(2)
        node.advance(millis: 300)
        let second = try #require(node.take(Reconcile.self, to: 2).first)
        #expect(first.nonce != second.nonce)
        node.hear(2, Self.answer(first.nonce, 2, epoch: 1, last: 0))
        node.advance(millis: 400)
        #expect(!node.take(Reconcile.self, to: 2).isEmpty, "it asks on")
        node.hear(2, Self.answer(second.nonce, 2, epoch: 1, last: 0))
        node.advance(millis: 400)
        #expect(node.take(Reconcile.self, to: 2).isEmpty)
    }

    /// Chunk 0 empties the store: that of a lesson that was given up may not do so under a later one.
    @Test func chunksOfAnEarlierLessonAreDropped() {
        func chunk(_ lesson: UInt64, _ number: UInt64, isLast: Bool = false) -> SnapshotChunk {
            SnapshotChunk(
                shard: ReplicaNode.shard, epoch: Epoch(rawValue: 1), baseEpoch: Epoch(rawValue: 1),
                base: Seq(rawValue: 40), epochs: [EpochStart(epoch: Epoch(rawValue: 1), first: Seq(rawValue: 1))],
                lesson: lesson, number: number, isLast: isLast, end: Seq(rawValue: 40), rows: [])
        }
        let node = ReplicaNode()
        node.adopt(1, [2], learners: [1])
        var question = Self.question(1, [2], [(1, 1)], last: 50)
        question.configuration = ReplicaNode.configuration(1, [2], learners: [1])
        node.hear(2, question)
        node.sync()
        for part in [chunk(5, 0), chunk(9, 0), chunk(5, 0), chunk(5, 1), chunk(9, 2), chunk(9, 1, isLast: true)] {
            node.hear(2, part)
        }
        #expect(node.installed == [chunk(5, 0), chunk(9, 0), chunk(9, 1, isLast: true)])
        _ = node.take(SnapshotTaken.self, to: 2)
        node.noteInstalled(chunk(5, 0))
        node.noteInstalled(chunk(9, 0))
        #expect(node.take(SnapshotTaken.self, to: 2).isEmpty, "the store has more to take")
        node.noteInstalled(chunk(9, 1))
        #expect(node.take(SnapshotTaken.self, to: 2).isEmpty, "the log does not begin behind the snapshot durably yet")
        node.sync()
        #expect(node.take(SnapshotTaken.self, to: 2).map(\.lesson) == [9])
        #expect(node.glance?.last == Seq(rawValue: 40))
    }

    /// A SET is cut while the store is still asked for the key's row: what it had written is nobody's.
    @Test func aRowThatIsLoadedForgetsWhatWasCut() throws {
        let node = ReplicaNode()
        try Self.serve(node, epoch: 1, last: 1)
        node.send(node.open(), "GET", "k")
        #expect(node.openReads == 1)
        node.send(node.open(), "SET", "k", "void")
        node.sync()
        Self.follow(node, epoch: 2, first: 2, [(1, 1)])
        node.hearRecords(2, epoch: 2, 2...2, startsEpoch: true, commit: 0)
        node.sync()
        try Self.serve(node, epoch: 3, last: 3)
        let client = node.open()
        node.send(client, "GET", "k")
        node.answerReads()
        node.answerReads()
        #expect(node.takeReply(client) == "$-1\r\n")
    }

    /// What a walk waits for is never committed, since another node is primary now: it is answered all the same.
    @Test func aWalkEndsWithTheRole() throws {
        let node = ReplicaNode()
        try Self.serve(node, epoch: 1, last: 1)
        node.forward(1, attempt: 0, "SET", "k", "v")
        node.forward(2, attempt: 0, "shard.count", "1")
        #expect(node.takeAnswers().isEmpty)
        Self.follow(node, epoch: 2, first: 2, [(1, 1)])
        node.advance(millis: 200)
        #expect(node.takeAnswers() == [1: .reply, 2: .reply])
    }

    /// The metadata group is slow. Each proposal is asked once until it is answered, and the refusal of one that the shard's
    /// next epoch has overtaken takes back none that was made since.
    @Test func aLateRefusalIsNoneOfTheNextProposal() throws {
        let node = ReplicaNode()
        func waitForProposal(_ epoch: UInt64, last: UInt64) {
            for _ in 0..<12 {
                node.advance(millis: 250)
                node.grant(2, epoch: epoch, last: last)
            }
        }
        try Self.serve(node, epoch: 1, last: 1)
        waitForProposal(1, last: 1)
        #expect(node.proposals.map(\.expected.rawValue) == [1])
        try Self.serve(node, epoch: 2, last: 2)
        waitForProposal(2, last: 2)
        #expect(node.proposals.map(\.expected.rawValue) == [1, 2])
        let second = try #require(node.proposals.last)
        node.answer(try #require(node.proposals.first), refusal: "the epoch is 2, not 1")
        node.answer(second, refusal: nil)
        waitForProposal(2, last: 2)
        #expect(node.proposals.dropFirst(2).map(\.configuration.proposal) == [second.configuration.proposal])
        node.answer(second, refusal: "too early")
        waitForProposal(2, last: 2)
        #expect(node.proposals.count == 4)
        #expect(node.proposals.last?.configuration.proposal != second.configuration.proposal)
    }

    /// A command came before the map; the one behind it comes when the shard serves. Both go again, in their order.
    @Test func aCommandBehindARefusedOneIsNotQuicker() throws {
        let node = ReplicaNode()
        node.forward(1, attempt: 0, "INCR", "k")
        #expect(node.takeAnswers() == [1: .tryAgain])
        try Self.serve(node, epoch: 1, last: 1)
        node.forward(2, attempt: 0, "SET", "k", "7")
        #expect(node.takeAnswers() == [2: .tryAgain])
        node.forward(1, attempt: 1, "SET", "k", "6")
        node.forward(2, attempt: 1, "SET", "k", "7")
        node.sync()
        node.advance(millis: 10)
        node.grant(2, epoch: 1, last: 3)
        node.grant(3, epoch: 1, last: 3)
        node.advance(millis: 300)
        node.grant(2, epoch: 1, last: 3)
        node.grant(3, epoch: 1, last: 3)
        #expect(node.takeAnswers() == [1: .reply, 2: .reply])
    }

    /// The node that a WATCH was on its way from becomes primary itself: the key is watched all the same.
    @Test func aWatchThatComesHomeIsKept() throws {
        let node = ReplicaNode()
        node.adopt(1, [2, 1, 3])
        let client = node.open()
        node.send(client, "WATCH", "k")
        node.lose(2)
        node.hear(2, Self.question(1, [2, 1, 3], [(1, 1)], last: 1))
        node.hearRecords(2, epoch: 1, 1...1, startsEpoch: true, commit: 0)
        node.sync()
        try Self.serve(node, epoch: 2, last: 2)
        node.advance(millis: 30)
        node.answerReads()
        #expect(node.takeReply(client) == "+OK\r\n")
        node.send(node.open(), "SET", "k", "other")
        node.send(client, "MULTI")
        node.send(client, "SET", "k", "mine")
        node.send(client, "EXEC")
        #expect(node.takeReply(client) == "+OK\r\n+QUEUED\r\n*-1\r\n")
    }

    /// The key changed while another node was primary: EXEC does nothing.
    @Test func aWatchEndsWithTheRole() throws {
        let node = ReplicaNode()
        try Self.serve(node, epoch: 1, last: 1)
        let client = node.open()
        node.send(client, "WATCH", "k")
        node.answerReads()
        #expect(node.takeReply(client) == "+OK\r\n")
        Self.follow(node, epoch: 2, first: 2, [(1, 1)])
        node.hearRecords(2, epoch: 2, 2...3, startsEpoch: true, commit: 0)
        node.sync()
        try Self.serve(node, epoch: 3, last: 4)
        node.send(client, "MULTI")
        node.send(client, "SET", "k", "mine")
        node.send(client, "EXEC")
        #expect(node.takeReply(client) == "+OK\r\n+QUEUED\r\n*-1\r\n")
    }
}
