import ClusterModel
import DataCore
import Wire

// Messages between nodes in a few words, for those who read a trace.
extension PeerTraffic {
    /// A frame in a few words, for the trace.
    static func text(_ frame: PeerFrame) -> String {
        switch frame.kind {
        case .forward:
            var cursor = ForwardCursor(frame.payload)
            var words: [String] = []
            var arguments: [ByteView] = []
            while let command = cursor.next(into: &arguments) {
                let name = arguments.map { String($0.text.prefix(12)) }.joined(separator: " ")
                words.append("#\(command.request).\(command.attempt) shard \(command.shard)/\(command.epoch) \(name)")
                arguments = []
            }
            return "forward: \(words.joined(separator: ", "))"
        case .forwardReply:
            var cursor = ForwardReplyCursor(frame.payload)
            var words: [String] = []
            while let (request, outcome, body) = cursor.next() {
                let text =
                    outcome == .reply
                    ? " \(String(body.text.prefix(24)).split(separator: "\r\n").joined(separator: " "))" : ""
                words.append("#\(request) \(outcome)\(text)")
            }
            return "replies: \(words.joined(separator: ", "))"
        case .replica: return replicaText(frame.payload)
        default: return "\(frame.kind) of \(frame.payload.count) bytes"
        }
    }

    private static func replicaText(_ payload: ByteView) -> String {
        var cursor = ReplicaCursor(payload)
        var words: [String] = []
        while let (kind, body) = cursor.next() { words.append("\(kind)\(detail(kind, body))") }
        return words.joined(separator: "; ")
    }

    private static func detail(_ kind: ReplicaMessageKind, _ body: ByteView) -> String {
        switch kind {
        case .beat:
            (ReplicaBeat(decoding: body)?.shards ?? []).map { " \($0.shard)/\($0.epoch) commit \($0.commit)" }.joined(
                separator: ",")
        case .grant:
            ReplicaGrant(decoding: body).map { grant in
                grant.shards.map { " \($0.shard)/\($0.epoch) last \($0.last) durable \($0.durable)" }.joined(
                    separator: ",")
                    + grant.newer.map { " newer \($0.id)/\($0.epoch)" }.joined(separator: ",")
            } ?? ""
        case .reconcile:
            Reconcile(decoding: body).map {
                " \($0.configuration.id)/\($0.configuration.epoch) last \($0.last) \($0.epochs.map { "\($0.epoch)@\($0.first)" })"
            } ?? ""
        case .reconciled: ReconcileAnswer(decoding: body).map { text($0.reconciled) } ?? ""
        case .acks: (ReplicaAcks(decoding: body)?.acks ?? []).map { text($0) }.joined(separator: ",")
        case .poll: TakeoverPoll(decoding: body).map { " \($0.shard)/\($0.epoch)" } ?? ""
        case .vote:
            TakeoverVote(decoding: body).map {
                " \($0.shard)/\($0.epoch) \($0.hasLapsed ? "lapsed" : "bound") last \($0.lastEpoch):\($0.last)"
            } ?? ""
        case .records, .snapshot, .snapshotTaken, .relearn: " of \(body.count) bytes"
        }
    }

    private static func text(_ ack: Reconciled) -> String { " \(ack.shard)/\(ack.epoch) \(ack.last)" }
}
