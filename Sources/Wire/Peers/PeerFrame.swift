public import ClusterModel

/// What a frame between data nodes carries; the raw value is its byte on the wire and keeps its meaning (RULES H8).
public enum PeerFrameKind: UInt8, Sendable, CaseIterable {
    /// First frame of the side that connected: `PeerHello`.
    case hello = 1
    /// First frame of the side that accepted: its own `PeerHello`.
    case welcome = 2
    /// Instead of `welcome`, before closing: the reason, UTF-8.
    case refusal = 3
    /// A `ForwardBatch`.
    case forward = 4
    /// A `ForwardReplyBatch`.
    case forwardReply = 5
    /// A `Release`.
    case release = 6
    /// A `ReplicaBatch`.
    case replica = 7
}

/// A frame between data nodes: 16 bytes, then the payload. Integers are little-endian.
///
/// | offset | size | field |
/// |---|---|---|
/// | 0 | 4 | magic `OPEE` |
/// | 4 | 4 | CRC-32C of the bytes from 8 to the end of the payload |
/// | 8 | 1 | format, 1 |
/// | 9 | 1 | kind |
/// | 10 | 2 | zero |
/// | 12 | 4 | length of the payload in bytes; with the header at most `Limits.frameBytes` |
public struct PeerFrame: Sendable {
    public var kind: PeerFrameKind
    /// Valid as long as the bytes it was read from.
    public var payload: ByteView

    public static let headerBytes = 16
    /// `OPEE`, read as a little-endian integer.
    static let magic: UInt32 = 0x4545_504F
    static let format: UInt8 = 1
    /// Longest payload.
    public static let payloadBytes = Limits.frameBytes - headerBytes

    /// Appends a frame. - Precondition: the payload is at most `payloadBytes` long and does not lie in `buffer`.
    public static func append(_ kind: PeerFrameKind, _ payload: ByteView, to buffer: inout ByteBuffer) {
        precondition(payload.count <= payloadBytes)
        let start = buffer.count
        buffer.reserve(headerBytes + payload.count)
        buffer.append(littleEndian: magic)
        buffer.append(littleEndian: UInt32(0))
        buffer.append(format)
        buffer.append(kind.rawValue)
        buffer.append(littleEndian: UInt16(0))
        buffer.append(littleEndian: UInt32(payload.count))
        buffer.append(payload)
        let checksum = Checksum.of(buffer.view[start + 8..<buffer.count])
        buffer.replace(at: start + 4, littleEndian: checksum)
    }
}

/// Why bytes are no frame. The link is closed after it: nobody knows where the next frame begins.
public enum PeerFrameError: Error, Hashable, Sendable, CustomStringConvertible {
    case notAFrame
    case unknownFormat(UInt8)
    case unknownKind(UInt8)
    case tooLong(Int)
    case damaged

    public var description: String {
        switch self {
        case .notAFrame: "the bytes are no peer frame: is this the peer port of a datasrv?"
        case .unknownFormat(let byte): "peer frames of format \(byte) are not known to this version"
        case .unknownKind(let byte): "peer frames of kind \(byte) are not known to this version"
        case .tooLong(let bytes): "a peer frame of \(bytes) bytes is above the bound of \(Limits.frameBytes)"
        case .damaged: "a peer frame's checksum is wrong"
        }
    }
}

extension PeerFrame {
    /// What lies at the front of received bytes.
    public enum Step: Sendable {
        /// A frame and the bytes it took.
        case frame(PeerFrame, consumed: Int)
        /// So many bytes are needed at least, counted from the front: no use to look again before.
        case incomplete(needed: Int)
    }

    /// Reads the frame at the front of `received`, cut anywhere. A frame is checked once, when it is complete.
    public static func next(_ received: ByteView) throws(PeerFrameError) -> Step {
        // Foreign bytes are refused at the first of them, not only when a header's worth is there.
        for index in 0..<min(received.count, 4) {
            guard received[index] == UInt8(truncatingIfNeeded: magic >> (8 * UInt32(index))) else { throw .notAFrame }
        }
        guard received.count >= headerBytes else { return .incomplete(needed: headerBytes) }
        guard received[8] == format else { throw .unknownFormat(received[8]) }
        guard let kind = PeerFrameKind(rawValue: received[9]) else { throw .unknownKind(received[9]) }
        guard received.littleEndian(at: 10, as: UInt16.self) == 0 else { throw .notAFrame }
        let length = Int(received.littleEndian(at: 12, as: UInt32.self))
        guard length <= payloadBytes else { throw .tooLong(length + headerBytes) }
        let end = headerBytes + length
        guard received.count >= end else { return .incomplete(needed: end) }
        guard Checksum.of(received[8..<end]) == received.littleEndian(at: 4, as: UInt32.self) else { throw .damaged }
        return .frame(PeerFrame(kind: kind, payload: received[headerBytes..<end]), consumed: end)
    }
}
