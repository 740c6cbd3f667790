/// A value as a key of look-ups, with a hash that is quick for long ones. All of it counts: values that one key had differ
/// anywhere, and a hash of a part of them had a seed judged for minutes.
struct ValueBytes: Hashable {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func hash(into hasher: inout Hasher) { hasher.combine(bytes.checksum) }
}
