import ClusterModel
import Testing

/// Binary forms of configurations and releases.
@Suite struct CodecTests {
    static let configurations: [ShardConfiguration] = [
        configuration(.slots(from: 0, to: 16384), members: []),
        configuration(.slots(from: 7, to: 8), members: ["d1", "d2", "d3"], handedOverFrom: "d9"),
        configuration(.keys(from: nil, to: nil), members: ["d1"]),
        configuration(.keys(from: Key([0, 13, 10, 255]), to: Key([1])), members: ["d1"]),
        configuration(.values([Key([]), Key(Array("eu".utf8))], isDefault: false), members: ["d1"]),
        configuration(.values([], isDefault: true), members: ["d1"]),
    ]

    static func configuration(
        _ range: ShardRange, members: [String], handedOverFrom: String? = nil
    ) -> ShardConfiguration {
        ShardConfiguration(
            id: ShardID(rawValue: 5), keyspace: KeyspaceID(rawValue: 2), epoch: Epoch(rawValue: Limits.counters - 1),
            range: range,
            policy: ReplicationPolicy(replicas: 3, flow: .chain, ack: .one, minInSync: 2, read: .secondary),
            members: members.map { Member(node: NodeID(rawValue: $0), incarnation: .first) },
            learners: [Member(node: NodeID(rawValue: "l"), incarnation: Incarnation(rawValue: 9))],
            proposal: Proposal(proposer: "metasrv", request: 77), primaryBoot: BootNonce(rawValue: 0xDEAD),
            handedOverFrom: handedOverFrom.map { NodeID(rawValue: $0) })
    }

    static func encoded(_ body: (inout ByteBuffer) -> Void) -> [UInt8] {
        var buffer = ByteBuffer()
        body(&buffer)
        return buffer.view.array
    }

    @Test(arguments: configurations) func `a configuration comes back as it was`(_ value: ShardConfiguration) {
        let bytes = Self.encoded { value.encode(into: &$0) }
        #expect(bytes.withByteView { ShardConfiguration(decoding: $0) } == value)
    }

    /// B8: a number behind which there may be no next one comes from nobody who means it.
    @Test func `a counter at the end of its range is refused`() {
        var value = Self.configurations[1]
        value.epoch = Epoch(rawValue: Limits.counters)
        let bytes = Self.encoded { value.encode(into: &$0) }
        #expect(bytes.withByteView { ShardConfiguration(decoding: $0) } == nil)
    }

    /// B8: logs are compared by their vectors, and by where the next epoch begins.
    @Test(
        arguments: [
            ([(1, 1), (2, 5), (9, 6)], true), ([], true), ([(1, 0)], false), ([(0, 1)], false),
            ([(2, 1), (1, 5)], false),
            ([(1, 1), (1, 5)], false), ([(1, 5), (2, 5)], false), ([(1, 5), (2, 0)], false),
            ([(1, 1), (2, .max)], false),
        ] as [([(UInt64, UInt64)], Bool)])
    func `a vector ascends`(_ starts: [(UInt64, UInt64)], isOne: Bool) {
        let value = starts.map { EpochStart(epoch: Epoch(rawValue: $0.0), first: Seq(rawValue: $0.1)) }
        let bytes = Self.encoded { $0.append(epochs: value) }
        let read = bytes.withByteView { view in
            var reader = BinaryReader(view)
            return reader.epochs()
        }
        #expect(read == (isOne ? value : nil))
    }

    @Test(arguments: configurations) func `a cut or longer configuration is refused`(_ value: ShardConfiguration) {
        let bytes = Self.encoded { value.encode(into: &$0) }
        for size in 0..<bytes.count {
            #expect(Array(bytes[0..<size]).withByteView { ShardConfiguration(decoding: $0) } == nil)
        }
        #expect((bytes + [0]).withByteView { ShardConfiguration(decoding: $0) } == nil)
    }

    @Test(arguments: configurations) func `flipped bytes give another value or nil`(_ value: ShardConfiguration) {
        let bytes = Self.encoded { value.encode(into: &$0) }
        for place in bytes.indices {
            for change: UInt8 in [0x01, 0x80, 0xFF] {
                var damaged = bytes
                damaged[place] ^= change
                #expect(damaged.withByteView { ShardConfiguration(decoding: $0) } != value)
            }
        }
    }

    @Test func `a release comes back as it was, and no part of it does`() {
        let value = Release(
            shard: ShardID(rawValue: 1), epoch: Epoch(rawValue: 2), target: NodeID(rawValue: "d2"),
            boot: BootNonce(rawValue: 3), lastEpoch: Epoch(rawValue: 1), lastSeq: Seq(rawValue: 4), isEmpty: true)
        let bytes = Self.encoded { value.encode(into: &$0) }
        #expect(bytes.withByteView { Release(decoding: $0) } == value)
        for size in 0..<bytes.count {
            #expect(Array(bytes[0..<size]).withByteView { Release(decoding: $0) } == nil)
        }
    }

    @Test func `a declared count beyond the document is refused before memory is taken`() {
        let bytes: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3]
        bytes.withByteView { view in
            var reader = BinaryReader(view)
            #expect(reader.count(ofAtLeast: 1) == nil)
            #expect(reader.hasFailed && reader.integer(UInt8.self) == nil)
        }
    }

    @Test func `the checksum is CRC-32C`() {
        // RFC 3720, appendix B.4, and the check value of the CRC catalogue.
        #expect(Array("123456789".utf8).withByteView { Checksum.of($0) } == 0xE306_9283)
        #expect([UInt8](repeating: 0, count: 32).withByteView { Checksum.of($0) } == 0x8A91_36AA)
    }
}
