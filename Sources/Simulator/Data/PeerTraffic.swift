import ClusterModel
import DataCore
import Wire

/// What a core says to another node and what it hears of it, as frames: the one place to extend when cores learn a new
/// message. Every frame goes through Wire's codec, both ways.
enum PeerTraffic {
    /// The frames of an effect that leaves by the link this node dials; nil = it is no message to a node.
    static func outgoing(_ effect: DataEffect) -> (node: NodeID, kind: PeerFrameKind, payloads: [[UInt8]])? {
        switch effect {
        case .forward(let node, let batch):
            let parts = ForwardFrames.ofCommands(batch.bytes.view, limit: PeerFrame.payloadBytes)
            return (node, .forward, parts.map(\.array))
        case .release(let node, let release):
            var bytes = ByteBuffer(capacity: 128)
            release.encode(into: &bytes)
            return (node, .release, [bytes.view.array])
        case .replicate(let node, let batch): return (node, .replica, [batch.bytes.view.array])
        default: return nil
        }
    }

    /// The frames of an effect that answers on the link a message came by.
    static func answering(_ effect: DataEffect) -> (link: LinkID, kind: PeerFrameKind, payloads: [[UInt8]])? {
        switch effect {
        case .answer(let link, let batch):
            let parts = ForwardFrames.ofReplies(batch.bytes.view, limit: PeerFrame.payloadBytes)
            return (link, .forwardReply, parts.map(\.array))
        default: return nil
        }
    }

    /// What a frame is to the core; nil = it has no place on an open link, which is closed for it.
    static func input(_ frame: PeerFrame, link: LinkID, node: NodeID) -> DataInput? {
        switch frame.kind {
        case .hello, .welcome, .refusal: nil
        case .forward: .forwarded(link: link, frame.payload)
        case .forwardReply: .forwardAnswered(from: node, frame.payload)
        case .release: Release(decoding: frame.payload).map { .released($0) }
        case .replica: .replicated(from: node, frame.payload)
        }
    }
}
