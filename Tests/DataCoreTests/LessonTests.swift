import ClusterModel
import Testing

@testable import DataCore

/// A learner that the log does not reach is taught from the store (RULES C5).
@Suite("Lessons") struct LessonTests {
    /// d1 is the primary of a shard whose log in memory has its last record alone; d2 is its learner, and has said that it
    /// has no record.
    private static func teacher() throws -> ReplicaNode {
        let held = RecoveredNode.Replica(
            shard: ReplicaNode.shard, incarnation: .first, configuration: ReplicaNode.configuration(1, [1]),
            lastEpoch: Epoch(rawValue: 1), last: Seq(rawValue: 10), applied: Seq(rawValue: 10),
            epochs: [EpochStart(epoch: Epoch(rawValue: 1), first: Seq(rawValue: 1))], time: 0)
        let node = ReplicaNode(RecoveredNode(cluster: ReplicaNode.cluster, replicas: [held], batches: []))
        node.adopt(2, [1], learners: [2])
        // Until then it may have granted leases before it was started.
        node.advance(millis: 2000)
        node.sync()
        let asked = try #require(node.take(Reconcile.self, to: 2).last)
        node.hear(
            2,
            ReconcileAnswer(
                nonce: asked.nonce,
                Reconciled(
                    shard: ReplicaNode.shard, epoch: Epoch(rawValue: 2), incarnation: .first, last: Seq(rawValue: 0))))
        node.answerWalks()
        return node
    }

    @Test func aLearnerWithNothingIsTaught() throws {
        let node = try Self.teacher()
        let chunk = try #require(node.take(SnapshotChunk.self, to: 2).last)
        #expect(chunk.isLast && chunk.base == Seq(rawValue: 10))
        node.hear(
            2,
            SnapshotTaken(
                shard: ReplicaNode.shard, epoch: Epoch(rawValue: 2), incarnation: .first, lesson: chunk.lesson,
                number: 0)
        )
        node.advance(millis: 300)
        node.grant(2, epoch: 2, last: 11)
        node.advance(millis: 300)
        #expect(node.proposals.last?.configuration.members.count == 2)
    }

    /// Records came to it by a link that was given up, behind its word: it has no use for rows any more and does not answer
    /// them.
    @Test func aLearnerThatHasRecordsAllTheSameGoesOnByTheLog() throws {
        let node = try Self.teacher()
        #expect(node.take(SnapshotChunk.self, to: 2).count == 1)
        node.advance(millis: 300)
        node.grant(2, epoch: 2, last: 11)
        node.advance(millis: 300)
        #expect(node.proposals.last?.configuration.members.count == 2)
    }
}
