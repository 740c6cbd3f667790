import ClusterModel
import DataCore
import Testing

@Suite("Judging a log (RULES E3, E8)")
struct LogRecoveryTests {
    @Test("a whole log is read to its end")
    func whole() throws {
        let recovery = Tape.filled([5, 5, 5]).recover()
        #expect(recovery.last == 15)
        #expect(recovery.batches.count == 18)
        #expect(recovery.end.generation == 3)
        #expect(recovery.firstSeen[ShardID(rawValue: 1)] == Seq(rawValue: 1))
    }

    @Test("what is left when older segments went is told by the checkpoint")
    func trimmed() throws {
        let tape = Tape.filled([5, 5, 0])
        let two = tape.recover(without: [0])
        #expect(two.last == 10 && two.firstSeen[ShardID(rawValue: 1)] == Seq(rawValue: 6))
        let one = tape.recover(without: [0, 1])
        #expect(one.last == 10 && one.firstSeen.isEmpty)
    }

    @Test("the last batch torn at any place is a tail", arguments: 0..<192)
    func tornTail(offset: Int) throws {
        var tape = Tape.filled([5])
        let (_, range) = tape.batches[4]
        guard offset < range.count else { return }
        for place in range.lowerBound + offset..<range.upperBound { tape.segments[0][place] = 0 }
        let recovery = tape.recover()
        // Only padding may be lost without losing the batch.
        #expect(recovery.last == 4 || recovery.last == 5)
        #expect(recovery.last == 4 || offset > 64)
    }

    @Test("pages of unsynced batches may have reached the disk in any order: a hole among them is a tail")
    func holeInUnsynced() throws {
        var tape = Tape.filled([6], syncsEach: false)
        tape.flip(batch: 2)
        let recovery = tape.recover()
        #expect(recovery.last == 2)
        #expect(tape.segments[0].withByteView { recovery.hasRemains(in: $0) })
    }

    @Test("a log that ends where it should leaves no remains")
    func noRemains() throws {
        let tape = Tape.filled([6])
        let recovery = tape.recover()
        #expect(!tape.segments[0].withByteView { recovery.hasRemains(in: $0) })
    }

    @Test("a bad spot below what a later batch knew synced is damage", arguments: 0..<4)
    func damage(batch: Int) {
        var tape = Tape.filled([5])
        tape.flip(batch: batch)
        let recovery = tape.recover()
        #expect(recovery.damages.count == 1)
        #expect(recovery.damages.first?.place.offset == UInt64(tape.batches[batch].range.lowerBound))
        #expect(recovery.damages.first?.witness != nil)
        #expect(recovery.last == 5, "what lies behind it is taken")
        #expect(recovery.isLost(1) == true)
    }

    @Test("a later segment is a witness too: a full one was synced before it")
    func damageAtASegmentsEnd() {
        var tape = Tape.filled([5, 5], syncsEach: false)
        tape.flip(batch: 4)
        let recovery = tape.recover()
        #expect(recovery.damages.count == 1)
        #expect(recovery.isLost(1) == true, "the checkpoint tells of a record that is not there")
    }

    @Test("a segment missing in the middle is damage")
    func missing() {
        let recovery = Tape.filled([3, 3, 3]).recover(without: [1])
        #expect(recovery.damages.count == 1)
        #expect(recovery.isLost(1) == true)
    }

    @Test("only shards of which something may be missing are lost")
    func othersAreWhole() {
        var tape = Tape.synced([1, 2, 3, 1, 2, 1, 3])
        tape.flip(batch: 4)
        let early = tape.recover()
        #expect(early.isLost(1) == false && early.isLost(3) == false, "their next records follow their last")
        #expect(early.isLost(2) == true, "nothing shows that its last record was the last")
        tape.openSegment()
        let late = tape.recover()
        #expect(late.isLost(1) == false && late.isLost(2) == true && late.isLost(3) == false)
    }

    @Test("a checkpoint behind lost bytes shows which shards lack nothing")
    func checkpointAttests() {
        var tape = Tape.synced([1, 2, 2, 2])
        tape.flip(batch: 1)
        #expect(tape.recover().isLost(1) == true)
        tape.openSegment()
        let recovery = tape.recover()
        #expect(recovery.isLost(1) == false && recovery.isLost(2) == true)
    }

    @Test("a replica that ended stays ended behind every checkpoint")
    func endedStaysEnded() {
        var control = ControlState()
        func record(_ kind: RecordKind, _ seq: UInt64) {
            let batch = LogBatch()
            batch.beginRecord(
                shard: ShardID(rawValue: 1), incarnation: .first, epoch: Epoch(rawValue: 1), seq: Seq(rawValue: seq),
                kind: kind)
            batch.endRecord()
            control.note(batch)
        }
        record(.data, 1)
        record(.drop, 1)
        let opening = LogBatch()
        control.write(to: opening)
        control = ControlState()
        control.note(opening)
        record(.data, 1)
        #expect(control.all.isEmpty)
        #expect(control.dropped == [ShardID(rawValue: 1): ReplicaEnd(.first, promised: Epoch(rawValue: 1))])
    }

    @Test("what every segment tells of lives that ended says nothing of the one that goes on")
    func firstRecordOfALife() {
        var tape = Tape()
        tape.openSegment()
        tape.write()
        tape.endLife()
        tape.write()
        tape.write()
        tape.openSegment()
        tape.write()
        let recovery = tape.recover()
        #expect(recovery.control.dropped == [ShardID(rawValue: 1): ReplicaEnd(.first, promised: nil)])
        #expect(recovery.last == 3 && recovery.isLost(1) == false)
        #expect(recovery.firstSeen[ShardID(rawValue: 1)] == Seq(rawValue: 1))
        let trimmed = tape.recover(without: [0])
        #expect(trimmed.last == 3 && trimmed.firstSeen[ShardID(rawValue: 1)] == Seq(rawValue: 3))
    }

    @Test(
        "the first record of a later epoch behind lost bytes shows nothing: the log may have been cut and grown again")
    func anotherEpochShowsNothing() {
        for kind in [RecordKind.data, .epochStart] {
            var tape = Tape.synced([1, 1, 2])
            tape.epoch = 2
            tape.write(shard: 1, kind: kind)
            tape.sync()
            #expect(tape.recover().isLost(1) == false)
            tape.flip(batch: 2)
            #expect(tape.recover().isLost(1) == true)
        }
    }

    @Test("behind two bad spots a shard must be shown whole twice")
    func twoSpots() {
        var tape = Tape.synced([1, 2, 1, 3, 1, 2, 3])
        tape.flip(batch: 1)
        tape.flip(batch: 3)
        let recovery = tape.recover()
        #expect(recovery.damages.count == 2)
        #expect(recovery.isLost(1) == false && recovery.isLost(2) == true && recovery.isLost(3) == true)
    }

    @Test("a segment that was begun and not opened ends the log", arguments: [0, 20, 4096, 4100, 4160])
    func unopened(from offset: Int) throws {
        var tape = Tape.filled([5, 0])
        for place in offset..<Tape.size { tape.segments[1][place] = 0 }
        let recovery = tape.recover()
        #expect(recovery.last == 5 && recovery.end.generation == 1)
    }

    @Test("the oldest segment of a log that was trimmed must open: its checkpoint was synced")
    func oldestDamaged() {
        var tape = Tape.filled([5, 5])
        tape.segments[1][4100] ^= 1
        let recovery = tape.recover(without: [0])
        #expect(recovery.damages.count == 1 && recovery.isLost(1) == true)
        #expect(recovery.control[ShardID(rawValue: 1)]?.configuration == [])
        var empty = Tape.filled([5, 0])
        empty.segments[1][4100] ^= 1
        #expect(empty.recover(without: [0]).fault?.description.contains("oldest") == true)
    }

    @Test("a segment's header is no part of what it holds")
    func headerDamaged() {
        var tape = Tape.filled([5, 5])
        tape.segments[1][20] ^= 1
        let recovery = tape.recover()
        #expect(recovery.last == 10 && recovery.isLost(1) == false)
    }

    @Test("a first segment that was never opened holds nothing")
    func firstUnopened() throws {
        var tape = Tape.filled([0])
        tape.segments[0][4100] ^= 1
        let recovery = tape.recover()
        #expect(recovery.end == .zero && recovery.control.all.isEmpty)
    }

    @Test("batches of another log, and of a recycled segment's former life, never pass for this one's")
    func ghosts() throws {
        let former = Tape.filled([8])
        var tape = Tape.filled([3, 3])
        // Segment 2 as if it had been written over the file of segment 1, which had been longer.
        let end = tape.batches[5].range.upperBound
        tape.segments[1].replaceSubrange(end..<Tape.size, with: former.segments[0][end..<Tape.size])
        let recycled = tape.recover()
        #expect(recycled.last == 6)
        #expect(!tape.segments[1].withByteView { recycled.hasRemains(in: $0) })
        var other = LogRecovery(log: UniqueID(high: 1, low: 3))
        tape.segments[0].withByteView { other.take(generation: 1, $0) }
        #expect(other.batches.isEmpty)
        var renamed = LogRecovery(log: Tape.log)
        tape.segments[0].withByteView { renamed.take(generation: 7, $0) }
        #expect(renamed.fault != nil)
    }

    @Test("any flipped byte and any cut leaves a prefix or is damage, and never traps")
    func anyByte() {
        let whole = Tape.filled([4, 4], syncsEach: false)
        var entropy = Entropy(seed: 3)
        for _ in 0..<1500 {
            var tape = whole
            let segment = Int.random(in: 0...1, using: &entropy)
            if Bool.random(using: &entropy) {
                tape.segments[segment].removeLast(Int.random(in: 0...Tape.size, using: &entropy))
            }
            for _ in 0..<Int.random(in: 1...3, using: &entropy) where !tape.segments[segment].isEmpty {
                let limit = min(tape.segments[segment].count, 5600)
                let place = Int.random(in: 0..<limit, using: &entropy)
                tape.segments[segment][place] = UInt8.random(in: 0...255, using: &entropy)
            }
            let recovery = tape.recover()
            #expect((recovery.last ?? 0) <= 8)
            #expect(!recovery.damages.isEmpty || recovery.control.all.allSatisfy { !$0.isLost })
            guard recovery.isLost(1) == false else { continue }
            // Nothing is missing behind the first record: that of the log, or that behind the checkpoint of segment 2, where
            // nothing of segment 1 tells of the shard; then the store must hold what came before.
            let first = recovery.firstSeen[ShardID(rawValue: 1)]?.rawValue
            #expect(first == 1 || first == 5 && !recovery.damages.isEmpty)
        }
    }
}
