// Binary form of a configuration, in promises and epoch starts of the node log and in STALE answers. Integers are
// little-endian; `text` and `bytes` are a length of 4 bytes and so many bytes.
//
// | size | field |
// |---|---|
// | 1 | format, 2; format 1 ends before the electorates |
// | 8 | shard |
// | 8 | keyspace |
// | 8 | epoch |
// | 1 | kind of the range: 0 slots, 1 keys, 2 values |
// | ... | slots: from, to, 2 bytes each. keys: twice a flag and, if set, bytes. values: count (4), bytes each, flag default |
// | 4, 1, 1, 4, 1 | policy: replicas, flow, ack, min-in-sync, read (codes in the order of declaration) |
// | 4 ... | members: count; each text node, 8 incarnation |
// | 4 ... | learners, likewise |
// | ... | text proposer, 8 request |
// | 8 | boot of the primary |
// | 1 ... | flag and, if set, text: handed over from |
// | 4 ... | electorates: count; each members as above, 1 ack |

extension ShardConfiguration {
    private static let format: UInt8 = 2
    /// Longest name of a node or proposer that is read.
    private static let nameBytes = 1024

    /// Appends the binary form.
    public func encode(into buffer: inout ByteBuffer) {
        buffer.append(Self.format)
        buffer.append(littleEndian: id.rawValue)
        buffer.append(littleEndian: keyspace.rawValue)
        buffer.append(littleEndian: epoch.rawValue)
        range.encode(into: &buffer)
        policy.encode(into: &buffer)
        buffer.append(members: members)
        buffer.append(members: learners)
        buffer.append(counted: proposal.proposer)
        buffer.append(littleEndian: proposal.request)
        buffer.append(littleEndian: primaryBoot.rawValue)
        buffer.append(flag: handedOverFrom != nil)
        if let handedOverFrom { buffer.append(counted: handedOverFrom.rawValue) }
        buffer.append(littleEndian: UInt32(unsettled.count))
        for electorate in unsettled {
            buffer.append(members: electorate.members)
            buffer.append(electorate.ack.code)
        }
    }

    /// Reads what `encode` wrote; nil if the bytes are not exactly one configuration.
    public init?(decoding bytes: ByteView) {
        var reader = BinaryReader(bytes)
        self.init(&reader)
        guard reader.isComplete else { return nil }
    }

    /// Reads a configuration from the front of a document; nil and a failed reader if there is none.
    public init?(_ reader: inout BinaryReader) {
        guard let format = reader.integer(UInt8.self), (1...Self.format).contains(format),
            let id = reader.integer(UInt64.self),
            let keyspace = reader.integer(UInt64.self), let epoch = reader.counter(Epoch.self),
            let range = ShardRange(&reader), let policy = ReplicationPolicy(&reader),
            let members = Self.members(&reader), let learners = Self.members(&reader),
            let proposer = reader.text(limit: Self.nameBytes), let request = reader.integer(UInt64.self),
            let boot = reader.integer(UInt64.self), let isHandedOver = reader.flag()
        else {
            let _: Void? = reader.fail()
            return nil
        }
        var former: NodeID?
        if isHandedOver {
            guard let name = reader.text(limit: Self.nameBytes) else { return nil }
            former = NodeID(rawValue: name)
        }
        guard let unsettled = format == 1 ? [] : Self.electorates(&reader) else { return nil }
        self.init(
            id: ShardID(rawValue: id), keyspace: KeyspaceID(rawValue: keyspace), epoch: epoch,
            range: range, policy: policy, members: members, learners: learners,
            proposal: Proposal(proposer: proposer, request: request), primaryBoot: BootNonce(rawValue: boot),
            handedOverFrom: former, unsettled: unsettled)
    }

    private static func electorates(_ reader: inout BinaryReader) -> [Electorate]? {
        guard let count = reader.count(ofAtLeast: 5) else { return nil }
        var electorates: [Electorate] = []
        for _ in 0..<count {
            guard let members = members(&reader), let ack = Ack.read(&reader) else { return nil }
            electorates.append(Electorate(members: members, ack: ack))
        }
        return electorates
    }

    private static func members(_ reader: inout BinaryReader) -> [Member]? {
        guard let count = reader.count(ofAtLeast: 12) else { return nil }
        var members: [Member] = []
        members.reserveCapacity(count)
        for _ in 0..<count {
            guard let node = reader.text(limit: nameBytes), let incarnation = reader.counter(Incarnation.self) else {
                return nil
            }
            members.append(Member(node: NodeID(rawValue: node), incarnation: incarnation))
        }
        return members
    }
}

extension ByteBuffer {
    fileprivate mutating func append(members: [Member]) {
        append(littleEndian: UInt32(members.count))
        for member in members {
            append(counted: member.node.rawValue)
            append(littleEndian: member.incarnation.rawValue)
        }
    }
}

extension Ack {
    // A case keeps its number for ever (RULES H8).
    private static let codes: [Ack] = [.all, .majority, .one]

    fileprivate var code: UInt8 { UInt8(Self.codes.firstIndex(of: self) ?? 0) }

    fileprivate static func read(_ reader: inout BinaryReader) -> Ack? {
        guard let code = reader.integer(UInt8.self) else { return nil }
        return Int(code) < codes.count ? codes[Int(code)] : reader.fail()
    }
}

extension ShardRange {
    func encode(into buffer: inout ByteBuffer) {
        switch self {
        case .slots(let from, let to):
            buffer.append(0)
            buffer.append(littleEndian: from)
            buffer.append(littleEndian: to)
        case .keys(let from, let to):
            buffer.append(1)
            for bound in [from, to] {
                buffer.append(flag: bound != nil)
                if let bound { buffer.append(counted: bound.bytes) }
            }
        case .values(let values, let isDefault):
            buffer.append(2)
            buffer.append(littleEndian: UInt32(values.count))
            for value in values { buffer.append(counted: value.bytes) }
            buffer.append(flag: isDefault)
        }
    }

    init?(_ reader: inout BinaryReader) {
        switch reader.integer(UInt8.self) {
        case 0:
            guard let from = reader.integer(UInt16.self), let to = reader.integer(UInt16.self), from < to,
                to <= 16384
            else { return nil }
            self = .slots(from: from, to: to)
        case 1:
            guard let from = Self.bound(&reader), let to = Self.bound(&reader) else { return nil }
            self = .keys(from: from, to: to)
        case 2:
            guard let count = reader.count(ofAtLeast: 4) else { return nil }
            var values: [Key] = []
            values.reserveCapacity(count)
            for _ in 0..<count {
                guard let value = reader.bytes(limit: Limits.keyBytes) else { return nil }
                values.append(Key(value.array))
            }
            guard let isDefault = reader.flag() else { return nil }
            self = .values(values, isDefault: isDefault)
        default: return nil
        }
    }

    /// The outer nil is malformed, the inner one unbounded.
    private static func bound(_ reader: inout BinaryReader) -> Key?? {
        guard let isThere = reader.flag() else { return nil }
        guard isThere else { return .some(nil) }
        guard let bytes = reader.bytes(limit: Limits.keyBytes) else { return nil }
        return .some(Key(bytes.array))
    }
}

extension ReplicationPolicy {
    // Codes on disk and on the wire: a case keeps its number for ever (RULES H8).
    private static let flows: [Flow] = [.fanout, .chain]
    private static let reads: [ReadMode] = [.primary, .any, .nearest, .secondary]

    func encode(into buffer: inout ByteBuffer) {
        buffer.append(littleEndian: UInt32(clamping: replicas))
        buffer.append(UInt8(Self.flows.firstIndex(of: flow) ?? 0))
        buffer.append(ack.code)
        buffer.append(littleEndian: UInt32(clamping: minInSync))
        buffer.append(UInt8(Self.reads.firstIndex(of: read) ?? 0))
    }

    init?(_ reader: inout BinaryReader) {
        guard let replicas = reader.integer(UInt32.self), let flow = Self.choice(Self.flows, &reader),
            let ack = Ack.read(&reader), let minInSync = reader.integer(UInt32.self),
            let read = Self.choice(Self.reads, &reader)
        else { return nil }
        self.init(replicas: Int(replicas), flow: flow, ack: ack, minInSync: Int(minInSync), read: read)
    }

    private static func choice<Value>(_ values: [Value], _ reader: inout BinaryReader) -> Value? {
        guard let code = reader.integer(UInt8.self) else { return nil }
        guard Int(code) < values.count else { return reader.fail() }
        return values[Int(code)]
    }
}
