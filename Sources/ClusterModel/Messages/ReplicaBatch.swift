/// What one message between replicas says; the raw value is its byte on the wire and keeps its meaning (RULES H8).
public enum ReplicaMessageKind: UInt8, Sendable, CaseIterable {
    /// `ReplicaBeat`
    case beat = 1
    /// `ReplicaGrant`
    case grant = 2
    /// `Reconcile`
    case reconcile = 3
    /// `ReconcileAnswer`
    case reconciled = 4
    /// A `RecordStream`
    case records = 5
    /// `ReplicaAcks`
    case acks = 6
    /// `TakeoverPoll`
    case poll = 7
    /// `TakeoverVote`
    case vote = 8
    /// `SnapshotChunk`
    case snapshot = 9
    /// `SnapshotTaken`
    case snapshotTaken = 10
    /// `Relearn`
    case relearn = 11
}

/// What a node's replicas have to say to those of another node in one turn, in order: one peer frame. Layout, repeated to
/// the end of the payload, integers little-endian:
///
/// | size | field |
/// |---|---|
/// | 1 | kind |
/// | 4 + n | body: length, bytes |
public final class ReplicaBatch {
    public private(set) var bytes = ByteBuffer(capacity: 1024)

    public init() {}

    public var isEmpty: Bool { bytes.isEmpty }

    /// Adds a message whose body `write` appends.
    public func append(_ kind: ReplicaMessageKind, _ write: (inout ByteBuffer) -> Void) {
        bytes.append(kind.rawValue)
        let place = bytes.count
        bytes.append(littleEndian: UInt32(0))
        write(&bytes)
        bytes.replace(at: place, littleEndian: UInt32(truncatingIfNeeded: bytes.count - place - 4))
    }

    /// Adds a message.
    public func append(_ message: some ReplicaMessage) {
        append(type(of: message).kind) { message.encode(into: &$0) }
    }
}

/// Reads the payload of a `ReplicaBatch`; malformed bytes end it with `isDamaged`, and never trap.
public struct ReplicaCursor {
    private var rest: ByteView
    public private(set) var isDamaged = false

    public init(_ payload: ByteView) { rest = payload }

    /// The next message: its kind, and its body as a view into the payload.
    public mutating func next() -> (kind: ReplicaMessageKind, body: ByteView)? {
        guard rest.count > 0 else { return nil }
        guard rest.count >= 5, let kind = ReplicaMessageKind(rawValue: rest[0]) else { return damaged() }
        let length = Int(rest.littleEndian(at: 1, as: UInt32.self))
        guard rest.count - 5 >= length else { return damaged() }
        let body = rest[5..<5 + length]
        rest = rest[5 + length..<rest.count]
        return (kind, body)
    }

    private mutating func damaged() -> (kind: ReplicaMessageKind, body: ByteView)? {
        isDamaged = true
        rest = .empty
        return nil
    }
}

/// A message between replicas with a binary form.
public protocol ReplicaMessage: Hashable, Sendable {
    static var kind: ReplicaMessageKind { get }
    func encode(into buffer: inout ByteBuffer)
    /// Reads what `encode` wrote; nil and a failed reader if it is none.
    init?(_ reader: inout BinaryReader)
}

extension ReplicaMessage {
    /// Reads a whole body; nil if it is not exactly one message.
    public init?(decoding body: ByteView) {
        var reader = BinaryReader(body)
        self.init(&reader)
        guard reader.isComplete else { return nil }
    }
}
