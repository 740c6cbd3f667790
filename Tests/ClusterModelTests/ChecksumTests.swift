import Testing

@testable import ClusterModel

@Suite struct ChecksumTests {
    /// RFC 3720, B.4, and the check value of the catalogue of parametrised CRCs.
    @Test(
        arguments: [
            ([UInt8](repeating: 0, count: 32), 0x8A91_36AA), ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43),
            ([UInt8](0..<32), 0x46DD_794E), (Array("123456789".utf8), 0xE306_9283), ([], 0),
        ] as [([UInt8], UInt32)])
    func knownValues(bytes: [UInt8], crc: UInt32) {
        bytes.withByteView { view in
            #expect(Checksum.of(view) == crc)
            #expect(Checksum.byTable(view) == crc)
        }
    }

    /// A log written on one machine must be read on any other.
    @Test func theInstructionAndTheTableAgree() {
        var entropy = Entropy(seed: 11)
        let bytes = (0..<400).map { _ in UInt8.random(in: 0...255, using: &entropy) }
        bytes.withByteView { view in
            for start in 0..<9 {
                for end in start...view.count {
                    let part = view[start..<end]
                    #expect(Checksum.of(part) == Checksum.byTable(part))
                }
            }
        }
    }
}
