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
