public import ClusterModel

/// The seeded hash of a key in the row table.
///
/// Multiply-and-fold over eight bytes a step (the construction of wyhash), seeded per process so that nobody outside can
/// choose keys that collide. Never written to disk or wire.
public struct KeyHash: Sendable {
    let seed: UInt64

    public init(seed: UInt64) { self.seed = seed | 1 }

    @inline(__always) private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }

    /// The hash of `key` in the keyspace numbered `keyspace`.
    @inline(__always) public func callAsFunction(_ key: ByteView, keyspace: UInt32) -> UInt64 {
        var state = seed ^ UInt64(keyspace) &* 0x9E37_79B9_7F4A_7C15
        let count = key.count
        // The empty key has one hash, whether its view has an address or not.
        guard count > 0, let base = unsafe key.base else { return Self.fold(state, 0xE703_7ED1_A0B4_28DB) }
        let raw = unsafe UnsafeRawPointer(base)
        var index = 0
        while index + 8 <= count {
            let word = unsafe raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            state = Self.fold(state ^ word, 0xA076_1D64_78BD_642F)
            index += 8
        }
        var tail: UInt64 = 0
        var shift: UInt64 = 0
        while index < count {
            tail |= unsafe UInt64(base[index]) << shift
            shift += 8
            index += 1
        }
        return Self.fold(state ^ tail ^ UInt64(count) << 56, 0xE703_7ED1_A0B4_28DB ^ UInt64(count))
    }
}
