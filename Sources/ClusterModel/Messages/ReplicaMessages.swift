// Leases, reconciliation and acknowledgements between the replicas of shards (RULES A, C). All integers little-endian, in
// the order of the fields; lists are a count of 4 bytes and their elements. Epochs, seqs and incarnations are below
// `Limits.counters`.

/// Epoch and the first seq logged in it: a log's vector of them says where two logs part (RULES C1).
public struct EpochStart: Hashable, Sendable {
    public var epoch: Epoch
    public var first: Seq

    public init(epoch: Epoch, first: Seq) {
        self.epoch = epoch
        self.first = first
    }

    /// Before the first epoch.
    static let nothing = EpochStart(epoch: .none, first: .zero)
}

/// A primary's beat to a node that holds secondaries of it: asks for leases, tells commit points, gives read leases
/// (RULES A9, A12).
public struct ReplicaBeat: ReplicaMessage {
    public struct Shard: Hashable, Sendable {
        public var shard: ShardID
        public var epoch: Epoch
        public var commit: Seq
        /// A read lease of this shard comes with it, for exactly this epoch.
        public var mayRead: Bool

        public init(shard: ShardID, epoch: Epoch, commit: Seq, mayRead: Bool = false) {
            self.shard = shard
            self.epoch = epoch
            self.commit = commit
            self.mayRead = mayRead
        }
    }

    public static let kind = ReplicaMessageKind.beat
    /// Fresh for every beat (RULES A2).
    public var nonce: UInt64
    /// The nonce of the newest grant that came from the node, 0 = none: read leases run from when that was sent.
    public var heard: UInt64
    /// Length of the lease that is asked for, and of read leases given, ms (RULES A11).
    public var leaseMillis: UInt64
    /// The wall of the sender's machine, ms since 1970; 0 = it says nothing about it (RULES A13).
    public var wall: Int64
    public var shards: [Shard]

    public init(nonce: UInt64, heard: UInt64 = 0, leaseMillis: UInt64, wall: Int64 = 0, shards: [Shard]) {
        self.nonce = nonce
        self.heard = heard
        self.leaseMillis = leaseMillis
        self.wall = wall
        self.shards = shards
    }

    public func encode(into buffer: inout ByteBuffer) {
        buffer.append(littleEndian: nonce)
        buffer.append(littleEndian: heard)
        buffer.append(littleEndian: leaseMillis)
        buffer.append(littleEndian: wall)
        buffer.append(littleEndian: UInt32(shards.count))
        for shard in shards {
            buffer.append(littleEndian: shard.shard.rawValue)
            buffer.append(littleEndian: shard.epoch.rawValue)
            buffer.append(littleEndian: shard.commit.rawValue)
            buffer.append(flag: shard.mayRead)
        }
    }

    public init?(_ reader: inout BinaryReader) {
        guard let nonce = reader.integer(UInt64.self), let heard = reader.integer(UInt64.self),
            let lease = reader.integer(UInt64.self), let wall = reader.integer(Int64.self),
            let count = reader.count(ofAtLeast: 25)
        else { return nil }
        var shards: [Shard] = []
        for _ in 0..<count {
            guard let shard = reader.integer(UInt64.self), let epoch = reader.counter(Epoch.self),
                let commit = reader.counter(Seq.self), let mayRead = reader.flag()
            else { return nil }
            shards.append(
                Shard(shard: ShardID(rawValue: shard), epoch: epoch, commit: commit, mayRead: mayRead))
        }
        self.init(nonce: nonce, heard: heard, leaseMillis: lease, wall: wall, shards: shards)
    }
}

/// The answer to a beat: the leases granted, for exactly these epochs, and how far each replica's log is.
public struct ReplicaGrant: ReplicaMessage {
    public struct Shard: Hashable, Sendable {
        public var shard: ShardID
        public var epoch: Epoch
        public var incarnation: Incarnation
        public var last: Seq
        public var durable: Seq

        public init(shard: ShardID, epoch: Epoch, incarnation: Incarnation, last: Seq, durable: Seq) {
            self.shard = shard
            self.epoch = epoch
            self.incarnation = incarnation
            self.last = last
            self.durable = durable
        }
    }

    public static let kind = ReplicaMessageKind.grant
    /// The beat's (RULES A5).
    public var nonce: UInt64
    /// Fresh for every grant: the next beat names it, and gives read leases that run from here.
    public var own: UInt64
    /// Length granted, ms: at most what was asked for (RULES A11).
    public var leaseMillis: UInt64
    /// How long the log here took lately, and takes now, until a write is durable, ns: the longest (RULES H4).
    public var pace: UInt64
    /// The wall of the sender's machine, ms since 1970; 0 = it says nothing about it (RULES A13).
    public var wall: Int64
    public var shards: [Shard]
    /// Newer configurations of shards that the beat named with an older epoch.
    public var newer: [ShardConfiguration]

    public init(
        nonce: UInt64, own: UInt64 = 0, leaseMillis: UInt64, pace: UInt64 = 0, wall: Int64 = 0, shards: [Shard],
        newer: [ShardConfiguration]
    ) {
        self.nonce = nonce
        self.own = own
        self.leaseMillis = leaseMillis
        self.pace = pace
        self.wall = wall
        self.shards = shards
        self.newer = newer
    }

    public func encode(into buffer: inout ByteBuffer) {
        buffer.append(littleEndian: nonce)
        buffer.append(littleEndian: own)
        buffer.append(littleEndian: leaseMillis)
        buffer.append(littleEndian: pace)
        buffer.append(littleEndian: wall)
        buffer.append(littleEndian: UInt32(shards.count))
        for shard in shards {
            buffer.append(littleEndian: shard.shard.rawValue)
            buffer.append(littleEndian: shard.epoch.rawValue)
            buffer.append(littleEndian: shard.incarnation.rawValue)
            buffer.append(littleEndian: shard.last.rawValue)
            buffer.append(littleEndian: shard.durable.rawValue)
        }
        buffer.append(littleEndian: UInt32(newer.count))
        for configuration in newer { configuration.encode(into: &buffer) }
    }

    public init?(_ reader: inout BinaryReader) {
        guard let nonce = reader.integer(UInt64.self), let own = reader.integer(UInt64.self),
            let lease = reader.integer(UInt64.self), let pace = reader.integer(UInt64.self),
            let wall = reader.integer(Int64.self), let count = reader.count(ofAtLeast: 40)
        else { return nil }
        var shards: [Shard] = []
        for _ in 0..<count {
            guard let shard = reader.integer(UInt64.self), let epoch = reader.counter(Epoch.self),
                let incarnation = reader.counter(Incarnation.self), let last = reader.counter(Seq.self),
                let durable = reader.counter(Seq.self)
            else { return nil }
            shards.append(
                Shard(
                    shard: ShardID(rawValue: shard), epoch: epoch, incarnation: incarnation, last: last,
                    durable: durable))
        }
        guard let more = reader.count(ofAtLeast: 40) else { return nil }
        var newer: [ShardConfiguration] = []
        for _ in 0..<more {
            guard let configuration = ShardConfiguration(&reader) else { return nil }
            newer.append(configuration)
        }
        self.init(
            nonce: nonce, own: own, leaseMillis: lease, pace: pace, wall: wall, shards: shards, newer: newer)
    }
}

/// A new primary's word to each replica: its configuration, and where its log has which epochs. The replica cuts its own
/// log where the two part (RULES C1, C2).
public struct Reconcile: ReplicaMessage {
    public static let kind = ReplicaMessageKind.reconcile
    public var configuration: ShardConfiguration
    public var epochs: [EpochStart]
    public var last: Seq
    /// Drawn anew whenever the way to the replica broke: an answer that is as old as that says nothing (RULES H6).
    public var nonce: UInt64

    public init(configuration: ShardConfiguration, epochs: [EpochStart], last: Seq, nonce: UInt64) {
        self.configuration = configuration
        self.epochs = epochs
        self.last = last
        self.nonce = nonce
    }

    public func encode(into buffer: inout ByteBuffer) {
        buffer.append(littleEndian: nonce)
        configuration.encode(into: &buffer)
        buffer.append(epochs: epochs)
        buffer.append(littleEndian: last.rawValue)
    }

    public init?(_ reader: inout BinaryReader) {
        guard let nonce = reader.integer(UInt64.self), let configuration = ShardConfiguration(&reader),
            let epochs = reader.epochs(), let last = reader.counter(Seq.self)
        else { return nil }
        self.init(configuration: configuration, epochs: epochs, last: last, nonce: nonce)
    }
}

/// The answer to `Reconcile`: the replica's log is a prefix of its primary's.
public struct ReconcileAnswer: ReplicaMessage {
    public static let kind = ReplicaMessageKind.reconciled
    /// Of the question.
    public var nonce: UInt64
    public var reconciled: Reconciled

    public init(nonce: UInt64, _ reconciled: Reconciled) {
        self.nonce = nonce
        self.reconciled = reconciled
    }

    public func encode(into buffer: inout ByteBuffer) {
        buffer.append(littleEndian: nonce)
        reconciled.encode(into: &buffer)
    }

    public init?(_ reader: inout BinaryReader) {
        guard let nonce = reader.integer(UInt64.self), let reconciled = Reconciled(&reader) else { return nil }
        self.init(nonce: nonce, reconciled)
    }
}

/// A replica's log is a prefix of its primary's, up to `last`; everything of it is durable (RULES C3).
public struct Reconciled: Hashable, Sendable {
    public var shard: ShardID
    public var epoch: Epoch
    public var incarnation: Incarnation
    public var last: Seq

    public init(shard: ShardID, epoch: Epoch, incarnation: Incarnation, last: Seq) {
        self.shard = shard
        self.epoch = epoch
        self.incarnation = incarnation
        self.last = last
    }

    public func encode(into buffer: inout ByteBuffer) {
        buffer.append(littleEndian: shard.rawValue)
        buffer.append(littleEndian: epoch.rawValue)
        buffer.append(littleEndian: incarnation.rawValue)
        buffer.append(littleEndian: last.rawValue)
    }

    public init?(_ reader: inout BinaryReader) {
        guard let shard = reader.integer(UInt64.self), let epoch = reader.counter(Epoch.self),
            let incarnation = reader.counter(Incarnation.self), let last = reader.counter(Seq.self)
        else { return nil }
        self.init(shard: ShardID(rawValue: shard), epoch: epoch, incarnation: incarnation, last: last)
    }
}

/// Records up to these are durable here, in the epochs named; cumulative.
public struct ReplicaAcks: ReplicaMessage {
    public static let kind = ReplicaMessageKind.acks
    public var acks: [Reconciled]

    public init(acks: [Reconciled]) { self.acks = acks }

    public func encode(into buffer: inout ByteBuffer) {
        buffer.append(littleEndian: UInt32(acks.count))
        for ack in acks { ack.encode(into: &buffer) }
    }

    public init?(_ reader: inout BinaryReader) {
        guard let count = reader.count(ofAtLeast: 32) else { return nil }
        var acks: [Reconciled] = []
        for _ in 0..<count {
            guard let ack = Reconciled(&reader) else { return nil }
            acks.append(ack)
        }
        self.init(acks: acks)
    }
}

/// A secondary whose grant to the primary has lapsed asks the other members before it takes over (RULES C17). With ack below
/// all it asks them to be sealed, too: to take no further part in the epoch (RULES C7).
public struct TakeoverPoll: ReplicaMessage {
    public static let kind = ReplicaMessageKind.poll
    public var nonce: UInt64
    public var shard: ShardID
    public var epoch: Epoch
    /// Who is asked takes no part in this epoch, or an earlier one, from here on.
    public var seals: Bool

    public init(nonce: UInt64, shard: ShardID, epoch: Epoch, seals: Bool = false) {
        self.nonce = nonce
        self.seals = seals
        self.shard = shard
        self.epoch = epoch
    }

    public func encode(into buffer: inout ByteBuffer) {
        buffer.append(littleEndian: nonce)
        buffer.append(littleEndian: shard.rawValue)
        buffer.append(littleEndian: epoch.rawValue)
        buffer.append(flag: seals)
    }

    public init?(_ reader: inout BinaryReader) {
        guard let nonce = reader.integer(UInt64.self), let shard = reader.integer(UInt64.self),
            let epoch = reader.counter(Epoch.self), let seals = reader.flag()
        else { return nil }
        self.init(nonce: nonce, shard: ShardID(rawValue: shard), epoch: epoch, seals: seals)
    }
}

/// The answer to a poll.
public struct TakeoverVote: ReplicaMessage {
    public static let kind = ReplicaMessageKind.vote
    public var nonce: UInt64
    public var shard: ShardID
    /// The epoch the replica holds.
    public var epoch: Epoch
    public var incarnation: Incarnation
    /// Whether its own grant to the primary has lapsed: if not, it hears the primary.
    public var hasLapsed: Bool
    /// Whether it was sealed by the poll, durably.
    public var isSealed: Bool
    /// Its last record; of a sealed one the last there will be.
    public var lastEpoch: Epoch
    public var last: Seq

    public init(
        nonce: UInt64, shard: ShardID, epoch: Epoch, incarnation: Incarnation, hasLapsed: Bool, isSealed: Bool = false,
        lastEpoch: Epoch, last: Seq
    ) {
        self.nonce = nonce
        self.shard = shard
        self.epoch = epoch
        self.incarnation = incarnation
        self.hasLapsed = hasLapsed
        self.isSealed = isSealed
        self.lastEpoch = lastEpoch
        self.last = last
    }

    public func encode(into buffer: inout ByteBuffer) {
        buffer.append(littleEndian: nonce)
        buffer.append(littleEndian: shard.rawValue)
        buffer.append(littleEndian: epoch.rawValue)
        buffer.append(littleEndian: incarnation.rawValue)
        buffer.append(flag: hasLapsed)
        buffer.append(flag: isSealed)
        buffer.append(littleEndian: lastEpoch.rawValue)
        buffer.append(littleEndian: last.rawValue)
    }

    public init?(_ reader: inout BinaryReader) {
        guard let nonce = reader.integer(UInt64.self), let shard = reader.integer(UInt64.self),
            let epoch = reader.counter(Epoch.self), let incarnation = reader.counter(Incarnation.self),
            let hasLapsed = reader.flag(), let isSealed = reader.flag(), let lastEpoch = reader.counter(Epoch.self),
            let last = reader.counter(Seq.self)
        else { return nil }
        self.init(
            nonce: nonce, shard: ShardID(rawValue: shard), epoch: epoch, incarnation: incarnation, hasLapsed: hasLapsed,
            isSealed: isSealed, lastEpoch: lastEpoch, last: last)
    }
}

extension ByteBuffer {
    public mutating func append(epochs: [EpochStart]) {
        append(littleEndian: UInt32(epochs.count))
        for start in epochs {
            append(littleEndian: start.epoch.rawValue)
            append(littleEndian: start.first.rawValue)
        }
    }
}

extension BinaryReader {
    /// A log's vector: each epoch begins behind the ones before it, the first one with record 1 or later.
    public mutating func epochs() -> [EpochStart]? {
        guard let count = count(ofAtLeast: 16) else { return nil }
        var epochs: [EpochStart] = []
        epochs.reserveCapacity(count)
        for _ in 0..<count {
            guard let epoch = counter(Epoch.self), let first = counter(Seq.self) else { return nil }
            let before = epochs.last ?? .nothing
            guard epoch > before.epoch, first > before.first else { return fail() }
            epochs.append(EpochStart(epoch: epoch, first: first))
        }
        return epochs
    }
}
