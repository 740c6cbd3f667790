import ClusterModel
import Wire

/// Frames of a peer link, and the payloads they carry. Besides the bytes as they are, they are put into a frame with a
/// right checksum, so that the payloads' readers are reached.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = unsafe ByteView(base: start, count: count)
    walk(bytes)
    guard bytes.count > 0 else { return 0 }
    let kinds = PeerFrameKind.allCases
    let kind = kinds[Int(bytes[0]) % kinds.count]
    var buffer = ByteBuffer()
    PeerFrame.append(kind, bytes[1..<bytes.count], to: &buffer)
    precondition(walk(buffer.view) == 1, "a frame that was written is not read")
    return 0
}

@discardableResult
private func walk(_ bytes: ByteView) -> Int {
    var place = 0
    var frames = 0
    do throws(PeerFrameError) {
        while case .frame(let frame, let consumed) = try PeerFrame.next(bytes[place..<bytes.count]) {
            precondition(consumed > 0 && place + consumed <= bytes.count)
            read(frame.payload, as: frame.kind)
            place += consumed
            frames += 1
        }
    } catch { return frames }
    return frames
}

private func read(_ payload: ByteView, as kind: PeerFrameKind) {
    switch kind {
    case .hello, .welcome: repeats(payload, PeerHello(decoding: payload)) { $0.encode(into: &$1) }
    case .release: repeats(payload, Release(decoding: payload)) { $0.encode(into: &$1) }
    case .refusal: repeats(payload)
    case .forward:
        var cursor = ForwardCursor(payload)
        var arguments: [ByteView] = []
        var seen = 0
        while let command = cursor.next(into: &arguments) {
            precondition(!arguments.isEmpty && arguments.count <= Limits.arguments)
            seen &+= Int(truncatingIfNeeded: command.request) &+ arguments.count
            arguments.removeAll(keepingCapacity: true)
        }
    case .forwardReply:
        var cursor = ForwardReplyCursor(payload)
        var bytes = 0
        while let reply = cursor.next() { bytes += reply.body.count }
        precondition(bytes <= payload.count)
    case .replica:
        var cursor = ReplicaCursor(payload)
        while let (kind, body) = cursor.next() { read(body, as: kind) }
    }
}

private func read(_ body: ByteView, as kind: ReplicaMessageKind) {
    func again<Message: ReplicaMessage>(_: Message.Type) {
        repeats(body, Message(decoding: body)) { $0.encode(into: &$1) }
    }
    switch kind {
    case .records: break
    case .beat: again(ReplicaBeat.self)
    case .grant: again(ReplicaGrant.self)
    case .reconcile: again(Reconcile.self)
    case .reconciled: again(ReconcileAnswer.self)
    case .acks: again(ReplicaAcks.self)
    case .poll: again(TakeoverPoll.self)
    case .vote: again(TakeoverVote.self)
    case .snapshot: again(SnapshotChunk.self)
    case .snapshotTaken: again(SnapshotTaken.self)
    case .relearn: again(Relearn.self)
    }
}

/// A configuration of an older format is written in the newest: read again it is the same one, and in the newest format
/// it has one form.
private func repeats(_ payload: ByteView) {
    guard let configuration = ShardConfiguration(decoding: payload) else { return }
    var buffer = ByteBuffer()
    configuration.encode(into: &buffer)
    precondition(ShardConfiguration(decoding: buffer.view) == configuration, "a configuration reads as another one")
    let isNewest = buffer.view[0] == payload[0]
    precondition(!isNewest || buffer.view == payload, "a configuration has two forms")
}

/// What was read is written as the bytes it was read from: a document has one form.
private func repeats<Value>(
    _ payload: ByteView, _ value: Value?, _ encode: (Value, inout ByteBuffer) -> Void
) {
    guard let value else { return }
    var buffer = ByteBuffer()
    encode(value, &buffer)
    precondition(buffer.view == payload, "a document reads as another one")
}
