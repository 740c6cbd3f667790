import ClusterModel
import Testing

@testable import SharedLog

@Suite(.timeLimit(.minutes(1)))
struct SnapshotTests {
    /// Entries 1...30 and snapshots at 10, 20 and 25: the floor is 21.
    private func trimmed(_ folder: LogFolder) throws -> FileLog {
        let log = try folder.open(writer: 1)
        for position in 1...30 as ClosedRange<UInt64> {
            _ = try log.append(entry(1), at: at(position))
            if [10, 20, 25].contains(position) {
                try log.save(snapshot: Array("state \(position)".utf8), at: at(position))
            }
        }
        return log
    }

    @Test func twoSnapshotsAreKeptAndTheLogIsTrimmedBelowTheOlder() throws {
        let folder = try LogFolder()
        let log = try trimmed(folder)
        #expect(try log.floor() == at(21))
        #expect(folder.slots().first == FileLog.slot(at(21)))
        #expect(folder.names().filter { $0.hasPrefix("snapshot-") }.count == 2)
        #expect(try log.newestSnapshot() == LogSnapshot(position: at(25), bytes: Array("state 25".utf8)))
        #expect(try log.read(from: at(21), limit: 99).records.count == 10)
    }

    @Test func oneSnapshotTrimsNothing() throws {
        let folder = try LogFolder()
        let log = try folder.open(writer: 1)
        _ = try log.append(entry(1), at: at(1))
        try log.save(snapshot: [1], at: at(1))
        #expect(try log.floor() == at(1))
        #expect(try log.read(from: at(1), limit: 9).records.count == 1)
    }

    @Test func aReaderBelowTheFloorIsSentToTheSnapshot() throws {
        let folder = try LogFolder()
        _ = try trimmed(folder)
        let reader = try folder.open(writer: 2)
        for position in 1...20 as ClosedRange<UInt64> {
            #expect(try reader.read(from: at(position), limit: 99) == .trimmed)
        }
        let snapshot = try #require(try reader.newestSnapshot())
        let next = try #require(snapshot.position.successor)
        #expect(try reader.read(from: next, limit: 99).records.map(\.position.rawValue) == [26, 27, 28, 29, 30])
    }

    /// A writer that was paused in link(2) wakes after its position was trimmed: the name is free, the position is not.
    @Test func aTrimmedPositionIsNeverWonAgain() throws {
        let folder = try LogFolder()
        _ = try trimmed(folder)
        let late = try folder.open(writer: 2)
        #expect(try late.append(entry(2), at: at(5)) == .lost)
        // Even with its file in place, as link(2) would leave it.
        let bytes = SealedText.seal(.log, number: 7, try EntryCoding.encode(entry(2)))
        try folder.write(FileLog.slot(at(7)), bytes)
        #expect(try late.append(entry(2), at: at(7)) == .lost)
        #expect(try late.read(from: at(7), limit: 9) == .trimmed)
    }

    @Test func aLateSnapshotOfADeposedPrimaryNeverLowersTheFloor() throws {
        let folder = try LogFolder()
        let log = try trimmed(folder)
        let late = try folder.open(writer: 2)
        try late.save(snapshot: Array("old".utf8), at: at(3))
        #expect(try log.floor() == at(21))
        #expect(try log.newestSnapshot()?.position == at(25))
        #expect(!folder.names().contains(FileLog.snapshot(at(3))))
    }

    @Test func aDamagedNewestSnapshotFallsBackToTheOlder() throws {
        let folder = try LogFolder()
        let log = try trimmed(folder)
        try folder.write(FileLog.snapshot(at(25)), Array("ostraka-snapshot 1 25 00000000 8\nstate 25\n".utf8))
        #expect(try log.newestSnapshot()?.position == at(20))
        try folder.write(FileLog.snapshot(at(20)), [1, 2, 3])
        #expect { try log.newestSnapshot() } throws: { error in
            guard case SharedLogError.damaged(let text)? = error as? SharedLogError else { return false }
            return text.contains("snapshot-")
        }
    }

    @Test func aLostFloorFileIsNoticedAtOpening() throws {
        let folder = try LogFolder()
        _ = try trimmed(folder)
        try folder.remove("floor")
        #expect { try folder.open(writer: 2) } throws: { error in
            guard case SharedLogError.damaged(let text)? = error as? SharedLogError else { return false }
            return text.contains("floor")
        }
    }

    @Test func noPartOfACommandIsWithoutAName() throws {
        let address = Address(host: "h", port: 1)
        let node = Node(
            id: NodeID(rawValue: "d1"), store: UniqueID(high: 1, low: 1), boot: BootNonce(rawValue: 1),
            address: address,
            gateway: address, peer: address, zone: "", host: "", weight: 1)
        let keyspace = Keyspace(
            id: KeyspaceID(rawValue: 1), name: "k", scheme: SchemeParameters(kind: .hash),
            policy: ReplicationPolicy(replicas: 1))
        let shard = ShardConfiguration(
            id: ShardID(rawValue: 1), keyspace: keyspace.id, epoch: Epoch(rawValue: 1),
            range: .keys(from: nil, to: nil),
            policy: keyspace.policy, members: [], proposal: Proposal(proposer: "t", request: 1), primaryBoot: node.boot)
        let all = LogEntry(
            writer: UniqueID(high: 0, low: 0), term: Term(rawValue: 1), wall: 0,
            commands: [
                .found(cluster: UniqueID(high: 1, low: 2)),
                .takeOver(term: Term(rawValue: 1), id: "m1", listen: address), .beat(term: Term(rawValue: 1)),
                .register(node, configurations: [shard]), .updateNode(node),
                .createKeyspace(keyspace, shards: [shard]), .updateKeyspace(keyspace, shards: [shard]),
                .dropKeyspace(keyspace.id), .reconfigure(expected: Epoch(rawValue: 1), shard),
            ])
        let bytes = try EntryCoding.encode(all)
        #expect(!String(decoding: bytes, as: UTF8.self).contains("\"_"))
        #expect(EntryCoding.decode(bytes) == all)
    }

    @Test func recordsCanBeReadByPeople() throws {
        let folder = try LogFolder()
        let log = try folder.open(writer: 1)
        _ = try log.append(entry(1, term: 3), at: at(1))
        let text = String(decoding: try folder.bytes(FileLog.slot(at(1))), as: UTF8.self)
        #expect(text.hasPrefix("ostraka-log 1 1 "))
        #expect(text.contains("\"term\":3"))
        #expect(text.contains("\"writer\":\"\(UniqueID(high: 7, low: 1))\""))
    }
}
