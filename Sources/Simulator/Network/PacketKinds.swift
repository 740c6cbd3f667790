import ClusterModel
import Wire

/// What the messages in a packet are called, for those who hold or lose some of them.
enum PacketKinds {
    /// The names of the messages in a packet to a port, or from it.
    static func names(_ bytes: [UInt8], port: Int, isToPort: Bool) -> Set<String> {
        switch port {
        case 7513: bytes.withByteView { peer($0) }
        case 7410: isToPort ? request(bytes) : ["answer"]
        default: [isToPort ? "command" : "reply"]
        }
    }

    private static func peer(_ bytes: ByteView) -> Set<String> {
        var names: Set<String> = []
        var place = 0
        while place < bytes.count, case .frame(let frame, let size)? = try? PeerFrame.next(bytes[place..<bytes.count]) {
            place += size
            guard frame.kind == .replica else {
                names.insert("\(frame.kind)")
                continue
            }
            var cursor = ReplicaCursor(frame.payload)
            while let (kind, _) = cursor.next() { names.insert("\(kind)") }
        }
        return names
    }

    /// `META.RECONFIGURE` is a `reconfigure`.
    private static func request(_ bytes: [UInt8]) -> Set<String> {
        let text = String(decoding: bytes.prefix(256), as: UTF8.self)
        guard let found = text.firstRange(of: "META.") else { return [] }
        let name = text[found.upperBound...].prefix(while: \.isLetter)
        return [name.lowercased()]
    }
}
