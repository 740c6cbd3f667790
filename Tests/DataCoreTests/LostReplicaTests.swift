import ClusterModel
import Testing

@testable import DataCore

/// A node whose log or stores have lost something starts without the replicas it concerns (RULES C14, E3).
@Suite("Starts that find something lost") struct LostReplicaTests {
    private static let store = StoreID(shard: ReplicaNode.shard, incarnation: .first)

    @Test func aLostReplicaEndsAndIsNotMadeAgain() {
        var found = RecoveredNode(cluster: ReplicaNode.cluster, replicas: [], batches: [])
        let end = ReplicaEnd(.first, promised: Epoch(rawValue: 2))
        found.lost = [RecoveredNode.Lost(ReplicaNode.shard, end, why: "a test")]
        let node = ReplicaNode(found)
        #expect(node.droppedStores == [Self.store])
        #expect(node.logged.map(\.kind) == [.drop])
        node.adopt(3, [2, 1, 3])
        #expect(node.glance == nil && node.opened.isEmpty, "an empty copy would go by the name of the lost one")
        // The beat before was not answered.
        node.advance(millis: 3100)
        let told = EndedReplica(shard: ReplicaNode.shard, incarnation: .first, promised: Epoch(rawValue: 2))
        #expect(node.beats.last?.ended == [told], "the metadata group hears how far it went")
    }

    /// Not even its name is known: the map has it.
    @Test func whatADamagedLogSaysNothingOfIsNotMadeAgain() {
        var found = RecoveredNode(cluster: ReplicaNode.cluster, replicas: [], batches: [])
        found.isDamaged = true
        let node = ReplicaNode(found)
        node.adopt(3, [2, 1, 3])
        #expect(node.glance == nil && node.opened.isEmpty)
        #expect(node.logged.map(\.kind) == [.drop], "the next start knows it too")
    }

    /// A shard of one copy: an empty one in its place would be the loss of all that was acknowledged.
    @Test func theOnlyCopyIsNotMadeAgainEither() {
        var found = RecoveredNode(cluster: ReplicaNode.cluster, replicas: [], batches: [])
        found.isDamaged = true
        let node = ReplicaNode(found)
        node.adopt(3, [1])
        #expect(node.glance == nil && node.opened.isEmpty && node.droppedStores.isEmpty)
        #expect(node.logged.map(\.kind) == [.drop], "the next start knows it too")
        #expect(node.errors.contains { $0.contains("no other copy is known") })
        node.adopt(4, [1])
        #expect(node.opened.isEmpty, "no later epoch brings it back")
    }

    @Test func whatEndedInAnEarlierLifeOfTheProcessIsNotMadeAgain() {
        var found = RecoveredNode(cluster: ReplicaNode.cluster, replicas: [], batches: [])
        found.dropped = [ReplicaNode.shard: ReplicaEnd(.first, promised: nil)]
        let node = ReplicaNode(found)
        node.adopt(3, [2, 1, 3])
        #expect(node.glance == nil)
    }

    @Test func aNodeThatLostNothingMakesItsCopies() {
        let node = ReplicaNode()
        node.adopt(3, [2, 1, 3])
        #expect(node.opened == [Self.store])
    }

    /// What log and store say of a replica, and what is made of it.
    @Test func storesAreJudgedByTheLog() {
        var control = ShardControl(shard: ReplicaNode.shard, incarnation: .first)
        control.last = Seq(rawValue: 20)
        func judge(_ first: UInt64?, durable: UInt64, seen: UInt64, syncsFirst: Bool = true) -> ReplicaJudgement {
            ReplicaJudgement(
                control, first: first.map { Seq(rawValue: $0) }, durable: Seq(rawValue: durable),
                seen: Seq(rawValue: seen), syncsFirst: syncsFirst)
        }
        func isLost(_ judgement: ReplicaJudgement) -> Bool { if case .lost = judgement { true } else { false } }
        #expect(judge(1, durable: 0, seen: 0) == .whole(held: .zero), "the log has all of it")
        #expect(judge(11, durable: 10, seen: 15) == .whole(held: Seq(rawValue: 10)))
        #expect(isLost(judge(11, durable: 9, seen: 15)), "record 10 is nowhere")
        #expect(judge(nil, durable: 20, seen: 20) == .whole(held: Seq(rawValue: 20)), "the log was let go")
        #expect(isLost(judge(nil, durable: 19, seen: 20)))
        #expect(isLost(judge(1, durable: 5, seen: 21)), "the log ends before what the store has")
        if case .lost(_, let end) = judge(1, durable: 5, seen: 21) { #expect(end.promised == nil) }
        #expect(judge(1, durable: 21, seen: 21, syncsFirst: false) == .shortened(held: Seq(rawValue: 20)))
        // A learner that crashed between the snapshot in its store and the record of it in its log.
        control.last = .zero
        #expect(isLost(judge(nil, durable: 26, seen: 26)))
        control.last = Seq(rawValue: 20)
        control.isDoubtful = true
        #expect(isLost(judge(1, durable: 20, seen: 20)))
        #expect(control.end.promised == nil, "what is lost may have been a promise")
    }
}
