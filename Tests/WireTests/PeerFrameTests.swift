import ClusterModel
import Testing
import Wire

@Suite struct PeerFrameTests {
    static let payloads: [[UInt8]] = [[], [1], Array(repeating: 0xAB, count: 5000)]

    static func frame(_ kind: PeerFrameKind, _ payload: [UInt8]) -> [UInt8] {
        var buffer = ByteBuffer()
        payload.withByteView { PeerFrame.append(kind, $0, to: &buffer) }
        return buffer.view.array
    }

    /// Kind and payload of the frame at the front; nil when incomplete.
    static func read(_ bytes: [UInt8]) throws(PeerFrameError) -> (kind: PeerFrameKind, payload: [UInt8], used: Int)? {
        try bytes.withByteView { (view) throws(PeerFrameError) in
            switch try PeerFrame.next(view) {
            case .frame(let frame, let consumed): return (frame.kind, frame.payload.array, consumed)
            case .incomplete(let needed):
                #expect(needed > view.count)
                return nil
            }
        }
    }

    @Test(arguments: PeerFrameKind.allCases, payloads)
    func `a frame comes back, and no part of it does`(_ kind: PeerFrameKind, _ payload: [UInt8]) throws {
        let bytes = Self.frame(kind, payload)
        for size in 0..<bytes.count { #expect(try Self.read(Array(bytes[0..<size])) == nil) }
        let read = try #require(try Self.read(bytes + [9, 9]))
        #expect(read.kind == kind && read.payload == payload && read.used == bytes.count)
    }

    @Test func `any flipped bit is an error or waits`() {
        let bytes = Self.frame(.forward, [1, 2, 3, 4, 5])
        for place in bytes.indices {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[place] ^= 1 << bit
                let read = try? Self.read(damaged)
                #expect(read == nil)
            }
        }
    }

    @Test func `foreign bytes and long frames are refused at once`() {
        #expect(throws: PeerFrameError.notAFrame) { try Self.read(bytes("G")) }
        #expect(throws: PeerFrameError.notAFrame) { try Self.read(bytes("OPX")) }
        var long = Self.frame(.forward, [])
        long.replaceSubrange(12..<16, with: [0xFF, 0xFF, 0xFF, 0xFF])
        #expect(throws: PeerFrameError.tooLong(Int(UInt32.max) + 16)) { try Self.read(long) }
        var version = Self.frame(.forward, [])
        version[8] = 2
        #expect(throws: PeerFrameError.unknownFormat(2)) { try Self.read(version) }
        version[8] = 1
        version[9] = 99
        #expect(throws: PeerFrameError.unknownKind(99)) { try Self.read(version) }
    }

    static func hello(cluster: UniqueID? = UniqueID(high: 1, low: 2), secret: String = "s") -> PeerHello {
        PeerHello(
            cluster: cluster, node: NodeID(rawValue: "d1"), store: UniqueID(high: 3, low: 4),
            boot: BootNonce(rawValue: 5), secret: bytes(secret))
    }

    @Test(arguments: [UniqueID(high: 1, low: 2), nil])
    func `a hello comes back, and no part of it does`(_ cluster: UniqueID?) {
        var buffer = ByteBuffer()
        Self.hello(cluster: cluster).encode(into: &buffer)
        let bytes = buffer.view.array
        #expect(bytes.withByteView { PeerHello(decoding: $0) } == Self.hello(cluster: cluster))
        for size in 0..<bytes.count {
            #expect(Array(bytes[0..<size]).withByteView { PeerHello(decoding: $0) } == nil)
        }
    }

    @Test func `another cluster or secret is refused, an unknown cluster is not`() {
        let own = Self.hello()
        #expect(own.refusal(by: own) == nil)
        #expect(Self.hello(cluster: nil).refusal(by: own) == nil)
        #expect(Self.hello(cluster: UniqueID(high: 9, low: 9)).refusal(by: own)?.contains("cluster") == true)
        #expect(Self.hello(secret: "t").refusal(by: own)?.contains("--secret-file") == true)
        #expect(Self.hello(secret: "").refusal(by: own) != nil)
    }
}
