import ClusterModel
import Testing

/// The slots that redis-server 7.0.15 gives by CLUSTER KEYSLOT.
@Suite struct SlotTests {
    @Test(arguments: [
        ("", 0), ("foo", 12182), ("123456789", 12739), ("{user1000}.following", 3443),
        ("{user1000}.followers", 3443), ("foo{}{bar}", 8363), ("foo{{bar}}zap", 4015), ("foo{bar}{zap}", 5061),
    ])
    func slotOfKey(key: String, slot: Int) {
        #expect(Int(Slot(ofKey: Array(key.utf8)).number) == slot)
    }

    /// Long keys are taken eight bytes at a time: against the definition, a bit at a time.
    @Test func slotsOfAnyLengthFollowTheDefinition() {
        var entropy = Entropy(seed: 5)
        for length in 0..<70 {
            for _ in 0..<20 {
                let key = (0..<length).map { _ in UInt8.random(in: 0x7E...0xFF, using: &entropy) }
                var crc: UInt16 = 0
                for byte in key {
                    crc ^= UInt16(byte) << 8
                    for _ in 0..<8 { crc = crc & 0x8000 != 0 ? crc << 1 ^ 0x1021 : crc << 1 }
                }
                #expect(Slot(ofKey: key).number == crc % 16384)
                let tagged = Array("some prefix {".utf8) + (length > 0 ? key : [0x61]) + Array("} rest".utf8)
                #expect(Slot(ofKey: tagged) == Slot(ofKey: length > 0 ? key : [0x61]))
            }
        }
    }

    @Test func uniqueIDReadsWhatItWrites() {
        let id = UniqueID(high: 0x0123, low: .max)
        #expect(UniqueID(id.description) == id)
        #expect(UniqueID("xyz") == nil)
    }

    @Test func countersNeverWrap() {
        #expect(Epoch(rawValue: .max).successor == nil)
        #expect(Epoch(rawValue: 1).successor == Epoch(rawValue: 2))
    }
}
