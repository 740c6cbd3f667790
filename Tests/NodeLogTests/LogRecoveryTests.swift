import ClusterModel
import DataCore
import Testing

@Suite("Judging a log (RULES E3, E8)")
struct LogRecoveryTests {
    @Test("a whole log is read to its end")
    func whole() throws {
        let recovery = try Tape.filled([5, 5, 5]).recover()
        #expect(recovery.last == 15)
        #expect(recovery.batches.count == 18)
        #expect(recovery.end.generation == 3)
        #expect(recovery.firstSeen[ShardID(rawValue: 1)] == Seq(rawValue: 1))
    }

    @Test("what is left when older segments went is told by the checkpoint")
    func trimmed() throws {
        let tape = Tape.filled([5, 5, 0])
        let two = try tape.recover(without: [0])
        #expect(two.last == 10 && two.firstSeen[ShardID(rawValue: 1)] == Seq(rawValue: 6))
        let one = try tape.recover(without: [0, 1])
        #expect(one.last == 10 && one.firstSeen.isEmpty)
    }

    @Test("the last batch torn at any place is a tail", arguments: 0..<192)
    func tornTail(offset: Int) throws {
        var tape = Tape.filled([5])
        let (_, range) = tape.batches[4]
        guard offset < range.count else { return }
        for place in range.lowerBound + offset..<range.upperBound { tape.segments[0][place] = 0 }
        let recovery = try tape.recover()
        // Only padding may be lost without losing the batch.
        #expect(recovery.last == 4 || recovery.last == 5)
        #expect(recovery.last == 4 || offset > 64)
    }

    @Test("pages of unsynced batches may have reached the disk in any order: a hole among them is a tail")
    func holeInUnsynced() throws {
        var tape = Tape.filled([6], syncsEach: false)
        tape.flip(batch: 2)
        let recovery = try tape.recover()
        #expect(recovery.last == 2)
        #expect(tape.segments[0].withByteView { recovery.hasRemains(in: $0) })
    }

    @Test("a log that ends where it should leaves no remains")
    func noRemains() throws {
        let tape = Tape.filled([6])
        let recovery = try tape.recover()
        #expect(!tape.segments[0].withByteView { recovery.hasRemains(in: $0) })
    }

    @Test("a bad spot below what a later batch knew synced is damage", arguments: 0..<4)
    func damage(batch: Int) {
        var tape = Tape.filled([5])
        tape.flip(batch: batch)
        let damage = #expect(throws: LogRecovery.Damage.self) { _ = try tape.recover() }
        #expect(damage?.place.offset == UInt64(tape.batches[batch].range.lowerBound))
        #expect(damage?.witness != nil)
    }

    @Test("a later segment is a witness too: a full one was synced before it")
    func damageAtASegmentsEnd() {
        var tape = Tape.filled([5, 5], syncsEach: false)
        tape.flip(batch: 4)
        #expect(throws: LogRecovery.Damage.self) { _ = try tape.recover() }
    }

    @Test("a segment missing in the middle is damage")
    func missing() {
        #expect(throws: LogRecovery.Damage.self) { _ = try Tape.filled([3, 3, 3]).recover(without: [1]) }
    }

    @Test("a segment that was begun and not opened ends the log", arguments: [0, 20, 4096, 4100, 4160])
    func unopened(from offset: Int) throws {
        var tape = Tape.filled([5, 0])
        for place in offset..<Tape.size { tape.segments[1][place] = 0 }
        let recovery = try tape.recover()
        #expect(recovery.last == 5 && recovery.end.generation == 1)
    }

    @Test("the oldest segment of a log that was trimmed must open: its checkpoint was synced", arguments: [20, 4100])
    func oldestDamaged(at offset: Int) {
        var tape = Tape.filled([5, 5])
        tape.segments[1][offset] ^= 1
        let damage = #expect(throws: LogRecovery.Damage.self) { _ = try tape.recover(without: [0]) }
        #expect(damage?.description.contains("oldest") == true)
    }

    @Test("a first segment that was never opened holds nothing")
    func firstUnopened() throws {
        var tape = Tape.filled([0])
        tape.segments[0][4100] ^= 1
        let recovery = try tape.recover()
        #expect(recovery.end == .zero && recovery.control.all.isEmpty)
    }

    @Test("batches of another log, and of a recycled segment's former life, never pass for this one's")
    func ghosts() throws {
        let former = Tape.filled([8])
        var tape = Tape.filled([3, 3])
        // Segment 2 as if it had been written over the file of segment 1, which had been longer.
        let end = tape.batches[5].range.upperBound
        tape.segments[1].replaceSubrange(end..<Tape.size, with: former.segments[0][end..<Tape.size])
        let recycled = try tape.recover()
        #expect(recycled.last == 6)
        #expect(!tape.segments[1].withByteView { recycled.hasRemains(in: $0) })
        var other = LogRecovery(log: UniqueID(high: 1, low: 3))
        try tape.segments[0].withByteView { (view) throws(LogRecovery.Damage) in
            try other.take(generation: 1, view)
        }
        #expect(other.batches.isEmpty)
        var renamed = LogRecovery(log: Tape.log)
        #expect(throws: LogRecovery.Damage.self) {
            try tape.segments[0].withByteView { (view) throws(LogRecovery.Damage) in
                try renamed.take(generation: 7, view)
            }
        }
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
            guard let recovery = try? tape.recover() else { continue }
            #expect((recovery.last ?? 0) <= 8)
            #expect(recovery.control.all.allSatisfy { !$0.hasGap })
        }
    }
}
