import ClusterModel
import DataCore
import Testing

/// Folds records that are written down as (kind, shard, incarnation, epoch, seq, payload).
private struct Fold {
    var state = ControlState()
    let batch = LogBatch()

    mutating func note(
        _ kind: RecordKind, shard: UInt64 = 1, life: UInt64 = 1, epoch: UInt64 = 1, seq: UInt64, _ payload: [UInt8] = []
    ) {
        batch.removeAll()
        batch.beginRecord(
            shard: ShardID(rawValue: shard), incarnation: Incarnation(rawValue: life), epoch: Epoch(rawValue: epoch),
            seq: Seq(rawValue: seq), kind: kind)
        batch.append(payload)
        batch.endRecord()
        state.note(batch)
    }

    func shard(_ number: UInt64 = 1) -> ShardControl? { state[ShardID(rawValue: number)] }
}

@Suite("What a log says beside its rows")
struct ControlStateTests {
    @Test("a checkpoint gives back the whole fold")
    func checkpoint() throws {
        var fold = Fold()
        for shard in [3, 1, 2] as [UInt64] {
            fold.note(.epochStart, shard: shard, epoch: 2, seq: 1, [9, UInt8(shard)])
            for seq in 2...5 as ClosedRange<UInt64> { fold.note(.data, shard: shard, epoch: 2, seq: seq) }
            fold.note(.epochStart, shard: shard, epoch: 4, seq: 6, [8])
            fold.note(.promise, shard: shard, epoch: 7, seq: 0, [7, 7])
        }
        let written = LogBatch()
        fold.state.write(to: written)
        var read = ControlState()
        read.note(written)
        #expect(read.all == fold.state.all)
        #expect(read.all.map(\.shard.rawValue) == [1, 2, 3])
        let control = try #require(read[ShardID(rawValue: 3)])
        #expect(control.promised == Epoch(rawValue: 7) && control.configuration == [7, 7])
        #expect(control.last == Seq(rawValue: 6) && control.lastEpoch == Epoch(rawValue: 4))
        #expect(control.epochs.map(\.first.rawValue) == [1, 6] && control.epochs.map(\.epoch.rawValue) == [2, 4])
    }

    @Test("the end of a life names the highest epoch it promised, through every segment; lost bytes may hide one")
    func end() throws {
        var fold = Fold()
        fold.note(.epochStart, epoch: 2, seq: 1, [2])
        fold.note(.promise, epoch: 5, seq: 1, [5])
        #expect(fold.shard()?.end == ReplicaEnd(.first, promised: Epoch(rawValue: 5)))
        fold.note(.drop, epoch: 5, seq: 0)
        fold.note(.epochStart, shard: 2, epoch: 3, seq: 1, [3])
        fold.note(.drop, shard: 2, epoch: 0, seq: 0)
        let written = LogBatch()
        fold.state.write(to: written)
        var read = ControlState()
        read.note(written)
        #expect(read.dropped == fold.state.dropped)
        #expect(read.dropped[ShardID(rawValue: 1)] == ReplicaEnd(.first, promised: Epoch(rawValue: 5)))
        #expect(read.dropped[ShardID(rawValue: 2)] == ReplicaEnd(.first, promised: nil))
    }

    @Test("runs of two shards that alternate are kept apart, and a seq that is missing is a gap")
    func runs() {
        var fold = Fold()
        for seq in 1...100 as ClosedRange<UInt64> {
            fold.note(.data, shard: 1, seq: seq)
            if seq % 3 != 0 { fold.note(.data, shard: 2, epoch: 5, seq: seq) }
        }
        #expect(fold.shard(1)?.last == Seq(rawValue: 100) && fold.shard(1)?.hasGap == false)
        #expect(fold.shard(2)?.last == Seq(rawValue: 100) && fold.shard(2)?.hasGap == true)
        #expect(fold.shard(2)?.lastEpoch == Epoch(rawValue: 5) && fold.shard(1)?.lastEpoch == Epoch(rawValue: 1))
        // A gap inside one run.
        fold.note(.data, shard: 1, seq: 101)
        fold.note(.data, shard: 1, seq: 103)
        #expect(fold.shard(1)?.hasGap == true)
    }

    @Test("a promise names the last record there was: one above what the log has tells of lost ones (RULES E3)")
    func promiseBehindLostRecords() {
        var fold = Fold()
        fold.note(.promise, epoch: 3, seq: 7, [1])
        #expect(fold.shard()?.isLost == true)
        fold.note(.epochStart, shard: 2, seq: 1, [1])
        fold.note(.data, shard: 2, seq: 2)
        fold.note(.promise, shard: 2, epoch: 4, seq: 2, [1])
        #expect(fold.shard(2)?.isLost == false)
    }

    @Test("records of an earlier life are passed over, those of a new one begin anew (RULES C15)")
    func lives() {
        var fold = Fold()
        fold.note(.data, life: 1, seq: 1)
        fold.note(.promise, life: 1, epoch: 9, seq: 0, [1])
        fold.note(.data, life: 2, seq: 1)
        #expect(fold.shard()?.promised == Epoch.none && fold.shard()?.incarnation == Incarnation(rawValue: 2))
        fold.note(.data, life: 1, seq: 500)
        #expect(fold.shard()?.last == Seq(rawValue: 1) && fold.shard()?.hasGap == false)
        fold.note(.data, life: 2, seq: 2)
        #expect(fold.shard()?.last == Seq(rawValue: 2) && fold.shard()?.hasGap == false)
    }

    @Test("dropped shards are gone, and their neighbours are not")
    func drop() {
        var fold = Fold()
        for shard in 1...3 as ClosedRange<UInt64> { fold.note(.data, shard: shard, seq: 1) }
        fold.note(.drop, shard: 1, seq: 0)
        fold.note(.data, shard: 3, seq: 2)
        fold.note(.data, shard: 2, seq: 2)
        #expect(fold.shard(1) == nil)
        #expect(fold.state.all.map(\.shard.rawValue) == [2, 3])
        #expect(fold.state.all.allSatisfy { $0.last == Seq(rawValue: 2) && !$0.hasGap })
    }

    @Test("a truncation cuts seqs and epochs at and above it", arguments: [0, 1, 4, 5, 9, UInt64.max])
    func truncate(at seq: UInt64) {
        var fold = Fold()
        fold.note(.epochStart, epoch: 1, seq: 1)
        for seq in 2...3 as ClosedRange<UInt64> { fold.note(.data, epoch: 1, seq: seq) }
        fold.note(.epochStart, epoch: 2, seq: 4)
        fold.note(.data, epoch: 2, seq: 5)
        fold.note(.truncate, epoch: 3, seq: seq)
        let kept = min(seq == 0 ? 0 : seq - 1, 5)
        #expect(fold.shard()?.last == Seq(rawValue: kept))
        #expect(fold.shard()?.epochs.count == (kept >= 4 ? 2 : kept >= 1 ? 1 : 0))
        #expect(fold.shard()?.lastEpoch == Epoch(rawValue: kept >= 4 ? 2 : kept >= 1 ? 1 : 0))
        fold.note(.data, epoch: 3, seq: kept + 1)
        #expect(fold.shard()?.hasGap == false)
    }

    @Test("a lower promise changes nothing; a snapshot closes a gap")
    func promisesAndSnapshots() {
        var fold = Fold()
        fold.note(.promise, epoch: 5, seq: 0, [5])
        fold.note(.promise, epoch: 4, seq: 0, [4])
        #expect(fold.shard()?.promised == Epoch(rawValue: 5) && fold.shard()?.configuration == [5])
        fold.note(.data, epoch: 5, seq: 10)
        #expect(fold.shard()?.hasGap == true)
        fold.note(.snapshot, epoch: 5, seq: 40)
        fold.note(.data, epoch: 5, seq: 41)
        #expect(fold.shard()?.hasGap == false && fold.shard()?.last == Seq(rawValue: 41))
    }

    @Test("a malformed checkpoint and the greatest numbers do not trap")
    func hostile() {
        var fold = Fold()
        for count in 0..<40 { fold.note(.checkpoint, seq: 3, [UInt8](repeating: 0xFF, count: count)) }
        for greatest in [Limits.counters - 1, .max] {
            fold.note(.data, epoch: greatest, seq: greatest)
            fold.note(.data, epoch: greatest, seq: greatest)
            fold.note(.data, epoch: greatest, seq: 0)
            fold.note(.truncate, epoch: greatest, seq: greatest)
        }
        #expect(fold.shard()?.hasGap == true)
    }
}
